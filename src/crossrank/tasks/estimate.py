"""How long scoring will take, measured on a few of the very pairs that will be scored."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

import numpy as np

from crossrank.types import Ranking, Scorer, Search

MANY: Final = 10_000
"""Pairs from which a cross-encoder over everything deserves a warning."""

_SAMPLE: Final = 32


@dataclass(frozen=True, slots=True)
class Estimate:
    """How many pairs there are, and how long one takes, in seconds."""

    pairs: int
    seconds_a_pair: float

    @property
    def seconds(self) -> float:
        """How long all pairs take."""
        return self.pairs * self.seconds_a_pair

    def __str__(self) -> str:
        """The estimate as people say it: `12,345 pairs, about 3 minutes`."""
        return f"{self.pairs:,} pairs, about {_spoken(self.seconds)}"


def estimate(scorer: Scorer, search: Search, sample: int = _SAMPLE) -> Estimate:
    """How long `scorer` takes for every candidate of every query of `search`.

    Scores `sample` pairs of them, spread evenly, after a first one to warm up.
    """
    rows = search.docs if isinstance(search, Ranking) else search.corpus.rows()
    pairs = len(rows) if isinstance(search, Ranking) else len(rows) * len(search.queries)
    if not pairs:
        return Estimate(0, 0.0)
    places = np.unique(np.linspace(0, len(rows) - 1, sample).astype(int))
    texts = search.corpus.texts(np.sort(rows[places]))
    queries = [search.queries.texts[i % len(search.queries)] for i in range(len(texts))]
    scorer.score_texts(queries[:1], texts[:1])
    start = time.perf_counter()
    scorer.score_texts(queries, texts)
    return Estimate(pairs, (time.perf_counter() - start) / len(texts))


def _spoken(seconds: float) -> str:
    if seconds < 1:
        return "a second"
    for size, name in ((3600, "hours"), (60, "minutes")):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.0f} {name}"
    return f"{seconds:.0f} seconds"
