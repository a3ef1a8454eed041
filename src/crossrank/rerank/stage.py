"""The stage that re-ranks: a scorer reads every query with each of its first candidates."""

from __future__ import annotations

import time

import numpy as np

from crossrank.errors import BadInput
from crossrank.rerank.scoring import score_rows
from crossrank.stage import Step, Trace, Watch, unwatched
from crossrank.types import Floats, Offsets, Ranking, Scale, Scorer, Search


class Rerank:
    """Scores the first `depth` documents of every query and sorts them by that; drops the rest.

    `weight` below 1 keeps some of the ranking that came in: weight * z(scorer) +
    (1 - weight) * z(incoming), where z counts standard deviations from the mean of the query's
    first `depth` documents. Such scores are relative to their query (scale FUSED); with weight 1
    a score is the scorer's own and does not depend on the other candidates. A trace shows the
    scorer's own ranking before the blend.
    """

    __slots__ = ("depth", "name", "scorer", "weight")

    def __init__(
        self,
        scorer: Scorer,
        depth: int = 100,
        weight: float = 1.0,
        name: str = "cross-encoder",
    ) -> None:
        if depth < 1:
            raise BadInput(f"a depth of 1 or more wanted, got {depth}")
        if not 0 < weight <= 1:
            raise BadInput(f"a weight above 0 and up to 1 wanted, got {weight}")
        self.scorer, self.depth, self.weight, self.name = scorer, depth, weight, name

    def __call__(self, given: Ranking, /) -> Ranking:
        """The first `depth` documents of every query, in their new order."""
        return self.trace(given).ranking

    def trace(self, given: Search, watch: Watch = unwatched) -> Trace:
        """The scorer's own ranking, and with a weight below 1 the blend after it."""
        start = time.perf_counter()
        head = first(given, self.depth)
        values, notes = score_rows(self.scorer, head, head.owners(), head.docs)
        own = head.rescored(values, self.scorer.scale, notes)
        steps = [Step(self.name, own, time.perf_counter() - start)]
        watch(steps[0])
        if self.weight < 1:
            start = time.perf_counter()
            mixed = blended(values, head.scores, self.weight, head.owners(), len(head.queries))
            blend = head.rescored(mixed, Scale.FUSED, notes)
            steps.append(Step(f"blend {self.weight:.2g}", blend, time.perf_counter() - start))
            watch(steps[1])
        return Trace(tuple(steps))


def first(given: Search, depth: int) -> Ranking:
    """The first `depth` candidates. Raises BadInput for a bare question, which has none."""
    if not isinstance(given, Ranking):
        raise BadInput(
            "candidates wanted to re-rank, got a question: put a stage before this one that finds "
            "some (BM25, Dense, Everything)"
        )
    return given.top(depth)


def blended(new: Floats, old: Floats, weight: float, owners: Offsets, count: int) -> Floats:
    """weight * z(new) + (1 - weight) * z(old), z within each of `count` owners: float32 [n]."""
    return weight * z_scores(new, owners, count) + (1 - weight) * z_scores(old, owners, count)


def z_scores(values: Floats, owners: Offsets, count: int) -> Floats:
    """(s - mean) / standard deviation within each owner; 0 where all of its values are one."""
    exact = values.astype(np.float64)
    sizes = np.maximum(np.bincount(owners, minlength=count), 1)
    centred = exact - (np.bincount(owners, exact, count) / sizes)[owners]
    spread = np.sqrt(np.bincount(owners, centred**2, count) / sizes)[owners]
    flat = spread <= 1e-9 * np.maximum(np.abs(exact), 1)
    return np.where(flat, 0, centred / np.where(flat, 1, spread)).astype(np.float32)
