"""Calibrations on disk: the key `calibrations` of a model's crossrank.json, or of a file apart."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, get_args

from crossrank.errors import BadInput, NotFound
from crossrank.io.lines import replaced

Purpose = Literal["relevance", "answer", "duplicate"]
"""What a probability is of: a document that fits the query, a question that has an answer among
its candidates (read from the best one's score), two texts that say the same."""

PURPOSES: Final[tuple[Purpose, ...]] = get_args(Purpose)
KEY: Final = "calibrations"
FILE: Final = "crossrank.json"


def calibration_file(path: Path) -> Path:
    """Where calibrations of `path` lie: crossrank.json in a directory, or the file itself."""
    return path / FILE if path.is_dir() else path


def write_calibration(path: Path, purpose: Purpose, fitted: Mapping[str, Any]) -> Path:
    """Saves one fitted calibration beside the others and returns the file's path.

    `path` is a model directory, whose crossrank.json keeps all it had, or a JSON file, which is
    made if there is none.
    """
    if purpose not in PURPOSES:
        raise BadInput(f"a purpose of {', '.join(PURPOSES)} wanted, got {purpose!r}")
    target = calibration_file(path)
    content = _content(target) if target.is_file() else {}
    kept = content.get(KEY, {})
    content[KEY] = {**(kept if isinstance(kept, dict) else {}), purpose: dict(fitted)}
    with replaced(target) as out:
        out.write(json.dumps(content, ensure_ascii=False, indent=2) + "\n")
    return target


def read_calibration(path: Path, purpose: Purpose) -> Mapping[str, Any]:
    """The calibration saved for one purpose. Raises NotFound, naming the command that makes it."""
    target = calibration_file(path)
    kept = _content(target).get(KEY, {}) if target.is_file() else {}
    found = kept.get(purpose) if isinstance(kept, dict) else None
    if not isinstance(found, dict):
        have = ", ".join(kept) if kept else "none"
        raise NotFound(
            f"a calibration for {purpose!r} wanted, {target} has {have}: make one with "
            f"`crossrank calibrate MODEL PAIRS.jsonl --for {purpose}`"
        )
    return found


def _content(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"a JSON file wanted, {path} is not: {error}") from error
    if not isinstance(found, dict):
        raise BadInput(f"a JSON object wanted in {path}, got {type(found).__name__}")
    return found
