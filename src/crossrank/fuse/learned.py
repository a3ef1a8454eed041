"""A fusion learned from judgements: LambdaMART over the features of the candidates (extra `ltr`).

Saved as two text files, LightGBM's own `model.txt` and `crossrank.json`; nothing is unpickled.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from crossrank.errors import BadInput, ModelError, NotFound
from crossrank.extras import require
from crossrank.fuse.features import Analysis, Features, Fields, Sources, features
from crossrank.fuse.stage import trace_joined
from crossrank.fuse.table import Reals, Table
from crossrank.stage import Stage, Trace, Watch, unwatched
from crossrank.types import Ranking, Search

FORMAT: Final = "crossrank-learned-1"
MODEL: Final = "model.txt"
DESCRIPTION: Final = "crossrank.json"


@dataclass(frozen=True, slots=True)
class LearnedModel:
    """Trees over named features of named signals.

    signals: the rankings it was trained on, in order. texts: whether it looks at the texts.
    numbers, categories: the metadata fields it looks at. text: LightGBM's model file.
    """

    signals: tuple[str, ...]
    names: tuple[str, ...]
    texts: bool
    numbers: tuple[str, ...]
    categories: dict[str, tuple[str, ...]]
    text: str
    booster: Any

    def predict(self, given: Features) -> Reals:
        """A score for each row of features: float64 [U]. Raises BadInput for other features."""
        if given.names != self.names:
            odd = sorted(set(given.names) ^ set(self.names))
            raise BadInput(f"the features the model was trained on wanted; different are {odd}")
        if not len(given.values):
            return np.empty(0)
        return np.asarray(self.booster.predict(given.values, num_threads=1), np.float64)

    def sources(self, analysis: Analysis | None, fields: Fields | None) -> Sources:
        """What the model needs beside scores. Raises BadInput where it is not given."""
        if self.texts and analysis is None:
            raise BadInput("an analyser wanted: this model looks at the terms of the texts")
        if (self.numbers or self.categories) and fields is None:
            raise BadInput("metadata wanted: this model looks at fields of the documents")
        return Sources(
            analysis if self.texts else None,
            fields if self.numbers or self.categories else None,
            self.numbers,
            self.categories,
        )

    def importance(self) -> list[tuple[str, float]]:
        """How much each feature lowered the loss, as a share of all, the largest first."""
        gains = np.asarray(self.booster.feature_importance("gain"), np.float64)
        shares = gains / max(float(gains.sum()), 1e-300)
        pairs = zip(self.names, shares.tolist(), strict=True)
        return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))

    def save(self, folder: Path) -> None:
        """Writes the model into `folder`, which may exist."""
        from crossrank.io.lines import replaced

        description = {
            "format": FORMAT,
            "signals": list(self.signals),
            "features": list(self.names),
            "texts": self.texts,
            "numbers": list(self.numbers),
            "categories": {name: list(values) for name, values in self.categories.items()},
            "importance": dict(self.importance()),
        }
        with replaced(folder / MODEL) as out:
            out.write(self.text)
        with replaced(folder / DESCRIPTION) as out:
            out.write(json.dumps(description, ensure_ascii=False, indent=2) + "\n")


def load_learned(folder: Path) -> LearnedModel:
    """The model that `save` wrote. Raises NotFound and ModelError for other folders."""
    for name in (MODEL, DESCRIPTION):
        if not (folder / name).is_file():
            raise NotFound(f"a learned fusion ({MODEL} and {DESCRIPTION}) wanted in {folder}, "
                           f"{name} is not there")  # fmt: skip
    try:
        stored = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        if stored["format"] != FORMAT:
            raise ModelError(f"{folder}: format {FORMAT} wanted, got {stored['format']!r}")
        text = (folder / MODEL).read_text(encoding="utf-8")
        return LearnedModel(
            tuple(stored["signals"]),
            tuple(stored["features"]),
            bool(stored["texts"]),
            tuple(stored["numbers"]),
            {name: tuple(values) for name, values in stored["categories"].items()},
            text,
            booster_from(text),
        )
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
        raise ModelError(f"{folder}/{DESCRIPTION}: a whole description wanted: {error}") from None


def booster_from(text: str) -> Any:
    """LightGBM's model of this text."""
    lightgbm = require("lightgbm", extra="ltr")
    try:
        return lightgbm.Booster(model_str=text)
    except lightgbm.basic.LightGBMError as error:
        raise ModelError(f"a LightGBM model file wanted: {error}") from None


class LearnedFuse:
    """Runs stages on the same question (or the same candidates); a model ranks what they found."""

    __slots__ = ("_fields", "_name", "_sources", "depth", "model", "stages")

    def __init__(
        self,
        *stages: Stage[Any],
        model: LearnedModel,
        analysis: Analysis | None = None,
        fields: Fields | None = None,
        depth: int = 100,
        name: str = "learned",
    ) -> None:
        if len(stages) != len(model.signals):
            raise BadInput(
                f"the {len(model.signals)} stages the model was trained on "
                f"({', '.join(model.signals)}) wanted, got {len(stages)}"
            )
        if depth < 1:
            raise BadInput(f"a depth of 1 or more wanted, got {depth}")
        self._sources = model.sources(analysis, fields)
        self.stages, self.model, self.depth, self._name = stages, model, depth, name

    @property
    def name(self) -> str:
        """The given name."""
        return self._name

    def __call__(self, given: Search, /) -> Ranking:
        """The first `depth` documents by the model, of scale FUSED."""
        return self.trace(given).ranking

    def trace(self, given: Search, watch: Watch = unwatched) -> Trace:
        """The steps of the inner stages in order, then the learned fusion itself."""
        return trace_joined(
            self.name,
            self.stages,
            given,
            watch,
            lambda rankings: learned(rankings, self.model, self._sources).top(self.depth),
        )


def learned(rankings: Sequence[Ranking], model: LearnedModel, sources: Sources) -> Ranking:
    """One ranking of the union of all documents by the model, of scale FUSED."""
    table = Table.of(rankings)
    return table.ranking(model.predict(features(table, model.signals, sources)))
