"""Which candidates of a query become its hard negatives, and why the others do not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from crossrank.errors import BadInput
from crossrank.types import Floats, Rows

KEPT: Final = "kept"
RELABELLED: Final = "relabelled as relevant"
POSITIVE: Final = "relevant by its label"
COPY: Final = "same text as a relevant document"
RANK: Final = "outside the ranks"
MARGIN: Final = "too near the relevant document"
CEILING: Final = "score above the ceiling"
SPARE: Final = "not needed"
NO_POSITIVE: Final = "queries whose relevant documents have no score to compare with"

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Rule:
    """How negatives are chosen.

    ranks: first and last rank looked at, from 1. negatives: how many a query gets, of which a
    share `random` is drawn from all that qualify and the others are the best ranked. margin: a
    negative scores at least this much below the relevant document; relative: that
    share of its score below it. ceiling: no negative scores above it.
    relabel: candidates that score as high as the relevant document become relevant themselves.
    """

    ranks: tuple[int, int] = (1, 100)
    negatives: int = 8
    random: float = 0.0
    margin: float | None = None
    relative: float | None = None
    ceiling: float | None = None
    relabel: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        low, high = self.ranks
        if not 1 <= low <= high:
            raise BadInput(f"ranks from 1, first before last, wanted, got {low} to {high}")
        if self.negatives < 1:
            raise BadInput(f"1 or more negatives a query wanted, got {self.negatives}")
        for name in ("random", "relative"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise BadInput(f"{name} from 0 to 1 wanted, got {value:g}")

    @property
    def compares(self) -> bool:
        """Whether candidates are compared with the relevant document of the query."""
        return self.relabel or self.margin is not None or self.relative is not None

    def limit(self, positive: float) -> float:
        """The highest score a negative may have, the relevant document having `positive`."""
        limits = [np.inf]
        if self.margin is not None:
            limits.append(positive - self.margin)
        if self.relative is not None:
            limits.append(positive - self.relative * abs(positive))
        if self.relabel:
            limits.append(positive)
        return float(min(limits))


@dataclass(frozen=True, slots=True)
class Chosen:
    """For one query the candidates (their places) kept as negatives, and those relabelled."""

    negatives: npt.NDArray[np.int64]
    relabelled: npt.NDArray[np.int64]


def choose(
    rule: Rule, scores: Floats, positive: float, number: int, counts: Counter[str]
) -> Chosen:
    """The negatives among candidates in ranked order; what is not chosen is counted with its why.

    scores: one for each candidate, on the scale of `positive`, the relevant document's score (NaN
    for none). number: that of the query, which with the seed decides what is drawn.
    """
    place = np.arange(len(scores))
    relabelled = np.zeros(len(scores), dtype=np.bool_)
    near = np.zeros(len(scores), dtype=np.bool_)
    if rule.compares and not np.isnan(positive):
        near = scores > rule.limit(positive)
        if rule.relabel:
            relabelled = scores >= positive
            near &= ~relabelled
    elif rule.compares:
        counts[NO_POSITIVE] += 1
        near[:] = True
    high = np.zeros(len(scores), dtype=np.bool_)
    if rule.ceiling is not None:
        high = (scores > rule.ceiling) & ~near & ~relabelled
    free = place[~(near | high | relabelled)]
    kept = _drawn(rule, free, number)
    counts[MARGIN] += int(near.sum())
    counts[CEILING] += int(high.sum())
    counts[RELABELLED] += int(relabelled.sum())
    counts[KEPT] += len(kept)
    counts[SPARE] += len(free) - len(kept)
    return Chosen(kept, place[relabelled])


def _drawn(rule: Rule, free: npt.NDArray[np.int64], number: int) -> npt.NDArray[np.int64]:
    wanted = min(rule.negatives, len(free))
    best = wanted - round(wanted * rule.random)
    rest = free[best:]
    draw = np.random.default_rng((rule.seed, number))
    picked = draw.choice(rest, wanted - best, replace=False)
    return np.sort(np.concatenate([free[:best], picked]))


def in_ranks(rule: Rule, rows: Rows) -> Mask:
    """Which of the ranked documents lie in the ranks that are looked at."""
    rank = np.arange(1, len(rows) + 1)
    return (rank >= rule.ranks[0]) & (rank <= rule.ranks[1])
