"""An experiment as a TOML file: several pipelines over several judged sets.

name = "shop"
measures = "nDCG@10 R@100"
baseline = "bm25"
pipelines = ["bm25", "hybrid", "tuned.toml"]
[[set]]
source = "scifact"
split = "test"
language = "en"

Paths are relative to the file.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossrank.errors import BadInput, NotFound
from crossrank.evaluate.measures import DEFAULT, Measure, parse_measures
from crossrank.io.judged import IR_DATASETS
from crossrank.pipelines import PipelineSpec, load

_KEYS = {"name", "measures", "baseline", "pipelines", "set"}
_SET_KEYS = {"source", "split", "language"}


@dataclass(frozen=True, slots=True)
class SetSpec:
    """A judged set: a folder or `ir_datasets:ID`, which judgements, and the language."""

    source: str
    split: str = "test"
    language: str = "auto"


@dataclass(frozen=True, slots=True)
class Experiment:
    """Every pipeline is run over every set and tested against the baseline."""

    name: str
    pipelines: tuple[PipelineSpec, ...]
    sets: tuple[SetSpec, ...]
    measures: tuple[Measure, ...] = DEFAULT
    baseline: str = ""

    def __post_init__(self) -> None:
        names = [spec.name for spec in self.pipelines]
        if len(set(names)) < len(names) or not all(names):
            raise BadInput(f"pipelines of different names wanted, got {', '.join(names)}")
        if self.baseline and self.baseline not in names:
            raise BadInput(f"a baseline among {', '.join(names)} wanted, got {self.baseline!r}")

    def encoders(self) -> tuple[str, ...]:
        """The bi-encoders the collections need vectors of."""
        return tuple(dict.fromkeys(name for spec in self.pipelines for name in spec.encoders()))


def read_experiment(path: Path) -> Experiment:
    """The experiment in a TOML file. Raises BadInput for what is not known, with what is."""
    if not path.is_file():
        raise NotFound(f"an experiment as a .toml file wanted, {path} is not there")
    try:
        return _experiment(tomllib.loads(path.read_text(encoding="utf-8")), path)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{path}: TOML wanted: {error}") from None
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from error


def _experiment(document: dict[str, Any], path: Path) -> Experiment:
    _known(document, _KEYS, "an experiment")
    sets, names = document.get("set", []), document.get("pipelines", [])
    if not isinstance(sets, list) or not sets:
        raise BadInput("one or more [[set]] tables wanted, got none")
    if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
        raise BadInput('pipelines = ["bm25", "my.toml"] wanted, got none')
    return Experiment(
        _text(document, "name", path.stem),
        tuple(load(_beside(path, name) if name.endswith(".toml") else name) for name in names),
        tuple(_set(each, path) for each in sets),
        parse_measures(_text(document, "measures", " ".join(map(str, DEFAULT)))),
        _text(document, "baseline", ""),
    )


def _set(table: Any, path: Path) -> SetSpec:
    if not isinstance(table, dict) or "source" not in table:
        raise BadInput(f"a [[set]] with a source wanted, got {table!r}")
    _known(table, _SET_KEYS, "a set")
    source = _text(table, "source", "")
    where = source if source.startswith(IR_DATASETS) else _beside(path, source)
    return SetSpec(where, _text(table, "split", "test"), _text(table, "language", "auto"))


def _known(table: dict[str, Any], keys: set[str], what: str) -> None:
    unknown = set(table) - keys
    if unknown:
        raise BadInput(f"{what} knows {', '.join(sorted(keys))}, got {', '.join(sorted(unknown))}")


def _text(table: dict[str, Any], key: str, default: str) -> str:
    value = table.get(key, default)
    if not isinstance(value, str):
        raise BadInput(f"{key} as a string wanted, got {value!r}")
    return value


def _beside(path: Path, name: str) -> str:
    return str(path.parent / Path(name).expanduser())
