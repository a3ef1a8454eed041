"""Reads and writes a pipeline as TOML.

name = "shop"
[[stage]]
type = "fuse"
depth = 100
of = [{ type = "bm25", depth = 1000 }, { type = "dense", depth = 200 }]
[[stage]]
type = "rerank"
model = "crossrank-small"
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from crossrank.errors import BadInput, NotFound
from crossrank.pipelines.named import NAMED, named
from crossrank.pipelines.spec import (
    All,
    Bm25,
    Conditioned,
    Cutoff,
    Dense,
    Fusion,
    Learned,
    PipelineSpec,
    Reranker,
    StageSpec,
)

TYPES: Final[dict[str, type[StageSpec]]] = {
    spec.type: spec for spec in (Bm25, Dense, All, Cutoff, Reranker, Conditioned, Fusion, Learned)
}


def load(name_or_path: str) -> PipelineSpec:
    """The pipeline of that name, or of the TOML file at that path.

    The folder of a learned fusion is relative to the file.
    """
    if name_or_path in NAMED or not name_or_path.endswith(".toml"):
        return named(name_or_path)
    path = Path(name_or_path)
    if not path.is_file():
        raise NotFound(
            f"no pipeline file at {path}: give a .toml file or one of {', '.join(NAMED)}"
        )
    try:
        spec = parse(path.read_text(encoding="utf-8"), default_name=path.stem)
        return spec.with_models_in(path.parent)
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from error


def parse(text: str, *, default_name: str = "") -> PipelineSpec:
    """The pipeline written in `text`. Raises BadInput for what is not known, with what is."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"TOML wanted, got something else: {error}") from error
    unknown = set(document) - {"name", "stage"}
    if unknown:
        raise BadInput(f"keys 'name' and 'stage' wanted, got {sorted(unknown)}")
    stages = document.get("stage", [])
    if not isinstance(stages, list) or not stages:
        raise BadInput("one or more [[stage]] tables wanted, got none")
    return PipelineSpec(tuple(_stage(each) for each in stages), document.get("name", default_name))


def _stage(table: Any) -> StageSpec:
    if not isinstance(table, dict) or table.get("type") not in TYPES:
        came = table.get("type") if isinstance(table, dict) else table
        raise BadInput(f"a stage of type {', '.join(TYPES)} wanted, got {came!r}")
    spec = TYPES[table["type"]]
    known = {field.name: str(field.type) for field in fields(spec)}
    values = {key: value for key, value in table.items() if key != "type"}
    unknown = set(values) - set(known)
    if unknown:
        raise BadInput(f"stage {spec.type!r} knows {sorted(known)}, got {sorted(unknown)}")
    return spec(**{key: _value(spec.type, key, known[key], value) for key, value in values.items()})


def _value(stage: str, key: str, kind: str, value: Any) -> Any:
    if key == "of" and isinstance(value, list):
        return tuple(_stage(each) for each in value)
    if key == "weights" and isinstance(value, list):
        return tuple(_value(stage, key, "float", each) for each in value)
    if key == "normalise":
        names = value if isinstance(value, list) else [value]
        return tuple(_value(stage, "normalise of each", "str", each) for each in names)
    if kind == "float" and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if type(value).__name__ != kind:
        raise BadInput(f"stage {stage!r}: {key} of type {kind} wanted, got {value!r}")
    return value


def dump(spec: PipelineSpec) -> str:
    """The pipeline as TOML; `parse(dump(spec)) == spec`."""
    lines = [f"name = {_text(spec.name)}"]
    for stage in spec.stages:
        lines += ["", "[[stage]]", *_pairs(stage)]
    return "\n".join(lines) + "\n"


def _pairs(stage: StageSpec) -> list[str]:
    values = {field.name: getattr(stage, field.name) for field in fields(stage)}
    shown = {key: value for key, value in values.items() if value not in ("", ())}
    return [f"type = {_text(stage.type)}", *(f"{key} = {_dumped(v)}" for key, v in shown.items())]


def _dumped(value: Any) -> str:
    match value:
        case str():
            return _text(value)
        case tuple():
            return "[" + ", ".join(_dumped(each) for each in value) + "]"
        case int() | float():
            return repr(value)
        case _:
            return "{ " + ", ".join(_pairs(value)) + " }"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)  # a JSON string is a TOML basic string
