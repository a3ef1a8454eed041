"""Fusion as a stage: its inner stages get the same question, their rankings become one."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from crossrank.errors import BadInput
from crossrank.fuse.combine import AUTO, Combination, combine
from crossrank.stage import Stage, Step, Trace, Watch, run_stage, unwatched
from crossrank.types import Ranking, Search


class Fuse:
    """Runs stages on the same question (or the same candidates) and combines their rankings.

    The default, reciprocal rank fusion with k = 60, needs neither comparable scores nor tuning.
    With judged queries, `crossrank tune` finds a weighted sum that is usually better.
    """

    __slots__ = ("_name", "depth", "how", "stages")

    def __init__(
        self,
        *stages: Stage[Any],
        method: str = "rrf",
        weights: Sequence[float] = (),
        normalise: str | Sequence[str] = AUTO,
        missing: str = AUTO,
        k: float = 60.0,
        depth: int = 100,
        name: str = "",
    ) -> None:
        if len(stages) < 2:
            raise BadInput(f"two or more stages to fuse wanted, got {len(stages)}")
        if depth < 1:
            raise BadInput(f"a depth of 1 or more wanted, got {depth}")
        names = normalise if isinstance(normalise, str) else tuple(normalise)
        self.how = Combination(method, tuple(weights), names, missing, k)
        if weights and len(weights) != len(stages):
            raise BadInput(f"one weight for each of {len(stages)} stages wanted, got {weights}")
        self.how.normalisers(len(stages))  # tells now, not at the first query
        self.stages, self.depth = stages, depth
        self._name = name

    @property
    def name(self) -> str:
        """The given name, or "fuse" with the method."""
        return self._name or f"fuse {self.how.method}"

    def __call__(self, given: Search, /) -> Ranking:
        """The first `depth` documents of the combined ranking, of scale FUSED."""
        return self.trace(given).ranking

    def trace(self, given: Search, watch: Watch = unwatched) -> Trace:
        """The steps of the inner stages in order, then the fusion itself."""
        return trace_joined(
            self.name,
            self.stages,
            given,
            watch,
            lambda rankings: combine(rankings, self.how).top(self.depth),
        )


def trace_joined(
    name: str,
    stages: Sequence[Stage[Any]],
    given: Search,
    watch: Watch,
    joined: Callable[[list[Ranking]], Ranking],
) -> Trace:
    """The steps of `stages` on the same question, then one, called `name`, that joins them."""
    steps: list[Step] = []
    rankings: list[Ranking] = []
    for stage in stages:
        steps.extend(run_stage(stage, given, watch))
        rankings.append(steps[-1].ranking)
    start = time.perf_counter()
    ranking = joined(rankings)
    last = Step(name, ranking, time.perf_counter() - start)
    watch(last)
    return Trace((*steps, last))
