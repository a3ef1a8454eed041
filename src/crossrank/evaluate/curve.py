"""What re-ranking deeper brings and costs: one deep run tells for every depth and every budget.

A cross-encoder scores each candidate by itself, so the ranking at depth d is that of the deep
run's scores of the first d candidates, the rest following as they were; and its time is the
share d / depth of the deep run's. (Petrov, MacAvaney & Macdonald, ECIR 2024, compare models so, at
a time a query.)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from crossrank.errors import BadInput
from crossrank.evaluate.align import Ints, Reals
from crossrank.evaluate.columns import GradedTable
from crossrank.evaluate.measures import Measure
from crossrank.pipelines.spec import Conditioned, PipelineSpec, Reranker
from crossrank.rerank.stage import blended
from crossrank.stage import Stage, chain
from crossrank.types import Ranking, Search

if TYPE_CHECKING:
    from crossrank.pipelines.build import Models
    from crossrank.store import Collection


@dataclass(frozen=True, slots=True)
class Point:
    """What a depth (a mean one, under a budget) reaches, and milliseconds a query."""

    depth: float
    milliseconds: float
    value: float


@dataclass(frozen=True, slots=True)
class DeepRun:
    """One run at full depth. candidates: before re-ranking; scores: float64 [N], the
    cross-encoder's, as `candidates.docs`, and `weight` their share (as `Rerank` has it); first,
    rerank: ms of each query; depths: candidates.
    """

    candidates: Ranking
    graded: GradedTable
    scores: Reals
    first: Reals
    rerank: Reals
    measure: Measure
    weight: float = 1.0

    @property
    def depths(self) -> Ints:
        """How many candidates of each query were scored: int64 [Q]."""
        return self.candidates.depths()

    def at(self, depths: Ints) -> Point:
        """The point where each query is re-ranked to its own depth."""
        shallow = np.minimum(depths, self.depths)
        share = shallow / np.maximum(self.depths, 1)
        milliseconds = float((self.first + share * self.rerank).mean())
        value = float(self.graded.values(self._order(shallow), self.measure).mean())
        return Point(float(shallow.mean()), milliseconds, value)

    def _order(self, depths: Ints) -> Reals:
        """Scores that sort the first candidates by the cross-encoder, the rest as they were."""
        given = self.candidates
        owner, rank = given.owners(), given.ranks()
        below = rank > depths[owner]
        key = np.where(below, rank.astype(np.float64), -self._mixed(~below))
        order = np.lexsort((given.docs, key, below, owner))
        place = np.empty(len(order))
        place[order] = -given.ranks().astype(np.float64)
        scores = np.empty(len(order))
        scores[self.graded.table.places[0]] = place
        return scores

    def _mixed(self, read: npt.NDArray[np.bool_]) -> Reals:
        """The scores with what is kept of the first stage, over the candidates that are read."""
        if self.weight == 1:
            return self.scores
        owners, count = self.candidates.owners()[read], len(self.candidates.queries)
        new, old = self.scores[read].astype(np.float32), self.candidates.scores[read]
        mixed = np.zeros(len(self.scores))
        mixed[read] = blended(new, old, self.weight, owners, count)
        return mixed


@dataclass(frozen=True, slots=True)
class Curve:
    """A deep run and what fixed depths make of it."""

    name: str
    run: DeepRun
    points: tuple[Point, ...]


def cost_curve(
    spec: PipelineSpec,
    collection: Collection,
    search: Search,
    qrels: Ranking,
    measure: Measure,
    depths: Sequence[int],
    *,
    done: Callable[[int], None] = lambda count: None,
    models: Models | None = None,
) -> Curve:
    """The curve of a pipeline that ends with a cross-encoder, run once at the largest depth.

    A stage `conditions` after the cross-encoder is left out, in quality and in time: the curve is
    that of the cross-encoder's depth.

    Queries run one at a time, as a person would ask them; `done` is told those finished.
    """
    from crossrank.pipelines.build import Models as Loading
    from crossrank.pipelines.build import stage_of

    stages = spec.stages
    if isinstance(stages[-1], Conditioned):
        stages = stages[:-1]
    last = stages[-1]
    if not isinstance(last, Reranker) or len(stages) < 2:
        raise BadInput(f"a pipeline that ends with a cross-encoder wanted, got {spec.name!r}")
    if not depths or min(depths) < 0:
        raise BadInput(f"depths of 0 or more wanted, got {list(depths)}")
    loading = models or Loading()
    before = chain([stage_of(each, collection, loading) for each in stages[:-1]])
    alone = replace(last, depth=max(*depths, 1), weight=1.0)
    rerank = stage_of(alone, collection, loading)
    _warm(before, rerank, search)
    parts: list[Ranking] = []
    scored: list[Reals] = []
    first, second = np.empty(len(search)), np.empty(len(search))
    for at in range(len(search)):
        one = search.select(slice(at, at + 1))
        start = time.perf_counter()
        candidates = before(one).top(max(*depths, 1))
        middle = time.perf_counter()
        ranked = rerank(candidates)
        first[at], second[at] = 1000 * (middle - start), 1000 * (time.perf_counter() - middle)
        parts.append(candidates)
        scored.append(_scores_of(candidates, ranked))
        done(at + 1)
    whole = Ranking.concat(parts)
    graded = GradedTable.of([whole], qrels)
    scores = np.concatenate(scored)
    run = DeepRun(whole, graded, scores, first, second, measure, last.weight)
    every = np.ones(len(search), dtype=np.int64)
    # a fixed depth is shown as asked for, also where queries have fewer candidates
    points = (replace(run.at(depth * every), depth=float(depth)) for depth in depths)
    return Curve(spec.name, run, tuple(points))


def budgets(curve: Curve, milliseconds: Sequence[float]) -> tuple[Point, ...]:
    """What each budget of milliseconds a query reaches: a query is re-ranked as deep as it
    allows by that query's own time for a candidate (long documents take longer).
    """
    run = curve.run
    cost = run.rerank / np.maximum(run.depths, 1)
    points = []
    for budget in milliseconds:
        left = np.maximum(budget - run.first, 0)
        allowed = np.where(cost > 0, left / np.maximum(cost, 1e-12), np.inf)
        depth = np.floor(np.minimum(allowed + 1e-9, run.depths)).astype(np.int64)
        found = run.at(depth)
        points.append(replace(found, milliseconds=budget))
    return tuple(points)


def _scores_of(candidates: Ranking, ranked: Ranking) -> Reals:
    """The scores of a re-ranked query in the order of its candidates."""
    order = np.argsort(ranked.docs, kind="stable")
    at = order[np.searchsorted(ranked.docs, candidates.docs, sorter=order)]
    return ranked.scores[at].astype(np.float64)


def _warm(before: Stage[Search], rerank: Stage[Ranking], search: Search) -> None:
    """One query that is not timed: models load at first use."""
    rerank(before(search.select(slice(0, 1))).top(10))
