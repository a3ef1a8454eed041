"""Imports point one way, the core stays light, and no module hides behind a vague name."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import crossrank

SOURCE = Path(crossrank.__file__).parent
# Left may be imported by right, never the other way round.
LAYERS = (
    *("errors", "types", "extras", "config", "stage", "io", "fuse", "text", "store", "retrieve"),
    *("models", "rerank", "pipelines", "evaluate", "tasks", "train", "explain"),
    *("serve", "distributed", "demo", "cli"),
)
DATA = {"assets"}  # package data, no code
VAGUE = {"utils", "util", "common", "helpers", "base", "misc"}
HEAVY = ("torch", "transformers", "sentence_transformers", "lancedb", "pyarrow", "ray", "fastapi")


def _modules() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def _layer(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def _imports(path: Path) -> set[str]:
    """The crossrank layers that a module imports anywhere, also inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        parts = [name.split(".") for name in names]
        found |= {part[1] for part in parts if part[0] == "crossrank" and len(part) > 1}
    return found & set(LAYERS)


def test_every_module_belongs_to_a_known_layer() -> None:
    layers = {_layer(path) for path in _modules()} - {"__init__"} - DATA
    assert layers <= set(LAYERS), layers - set(LAYERS)


@pytest.mark.parametrize("path", _modules(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_point_one_way(path: Path) -> None:
    layer = _layer(path)
    if layer == "__init__":
        return
    later = {name for name in _imports(path) if LAYERS.index(name) > LAYERS.index(layer)}
    assert not later, f"{layer} must not import {sorted(later)}"


def test_no_module_hides_behind_a_vague_name() -> None:
    assert not {path.stem for path in _modules()} & VAGUE


def _loaded_after(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint('\\n'.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_import_crossrank_stays_light() -> None:
    assert not _loaded_after("import crossrank") & set(HEAVY)


def test_the_command_line_starts_light() -> None:
    assert not _loaded_after("import crossrank.cli.app") & {*HEAVY, "onnxruntime", "tokenizers"}
