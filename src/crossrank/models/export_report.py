"""What a made model directory holds: its graph, and the record of how it was made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from crossrank.errors import ModelError
from crossrank.io.lines import replaced
from crossrank.models.files import find_graph
from crossrank.models.parity import Parity

REPORT: Final = "export.json"


def graph_of(folder: Path) -> Path:
    """The ONNX file of a model directory; raises ModelError when there is none."""
    found = find_graph(folder)
    if found is None:
        raise ModelError(f"an ONNX graph wanted in {folder}, found none: run  crossrank export")
    return found


def read_report(folder: Path) -> dict[str, Any]:
    """What was recorded when the model in `folder` was exported or quantised; else empty."""
    path = folder / REPORT
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found


def write_report(folder: Path, facts: Mapping[str, Any], drift: Parity) -> None:
    """Writes `export.json`: the facts, and the parity with what the model was made from."""
    with replaced(folder / REPORT) as out:
        json.dump({**facts, "parity": asdict(drift)}, out, indent=2)
        out.write("\n")
