"""Stages and how they are chained: retriever, re-ranker, fusion and cutoff are one protocol.

A stage that accepts a `Search` may go first; one that wants a `Ranking` re-ranks. A retriever
that is handed a `Ranking` (which is a `Search`) scores within its candidates.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar, runtime_checkable

from crossrank.errors import BadInput
from crossrank.types import Ranking, Search

In = TypeVar("In", bound=Search, contravariant=True)


class Stage(Protocol[In]):
    """One step of a ranking: takes a question or an answer so far, gives an answer."""

    @property
    def name(self) -> str:
        """A short name for tables and timings: "bm25", "cross-encoder"."""
        ...

    def __call__(self, given: In, /) -> Ranking:
        """The ranking of every query of `given`, inside its candidates."""
        ...


@dataclass(frozen=True, slots=True)
class Cut:
    """Keeps the first `depth` documents of every query."""

    depth: int

    def __post_init__(self) -> None:
        if self.depth < 1:
            raise BadInput(f"a depth of 1 or more wanted, got {self.depth}")

    @property
    def name(self) -> str:
        """The name of the stage, with its depth."""
        return f"cut {self.depth}"

    def __call__(self, given: Ranking, /) -> Ranking:
        """The first `depth` documents of every query."""
        return given.top(self.depth)


@dataclass(frozen=True, slots=True)
class Everything:
    """Every document of the corpus as a candidate: for small collections scored whole."""

    name: str = "all"

    def __call__(self, given: Search, /) -> Ranking:
        """All documents of the corpus, or the candidates as they are if given a ranking."""
        return given if isinstance(given, Ranking) else Ranking.everything(given)


@dataclass(frozen=True, slots=True)
class Step:
    """What one stage of a pipeline did: its ranking and the wall time it took, in seconds."""

    name: str
    ranking: Ranking
    seconds: float


@dataclass(frozen=True, slots=True)
class Trace:
    """All steps of one run of a pipeline, in order."""

    steps: tuple[Step, ...]

    @property
    def ranking(self) -> Ranking:
        """The final ranking."""
        return self.steps[-1].ranking

    @property
    def seconds(self) -> float:
        """Wall time of all stages."""
        return sum(step.seconds for step in self.steps)


Watch = Callable[[Step], None]


def unwatched(step: Step) -> None:
    """Watches nothing: the default of `trace`."""


@runtime_checkable
class Composite(Protocol):
    """A stage made of stages, which can tell what each of them did."""

    def trace(self, given: Search, watch: Watch = unwatched) -> Trace:
        """All inner steps in the order they ran; the last one holds the result."""
        ...


class Pipeline:
    """Stages run one after the other; itself a stage.

    The first must accept a `Search`, every later one gets the `Ranking` before it.
    """

    __slots__ = ("_name", "stages")

    def __init__(self, first: Stage[Search], *rest: Stage[Ranking], name: str = "") -> None:
        self.stages: tuple[Stage[Ranking], ...] = (first, *rest)
        self._name = name

    @property
    def name(self) -> str:
        """The given name, or the stages joined by ` >> `."""
        return self._name or " >> ".join(stage.name for stage in self.stages)

    def __call__(self, given: Search, /) -> Ranking:
        """The ranking after the last stage."""
        return self.trace(given).ranking

    def trace(self, given: Search, watch: Watch = unwatched) -> Trace:
        """The ranking after every stage, with its time; `watch` is told as each one ends.

        A stage made of stages (a fusion, a pipeline) shows its inner steps too.
        """
        steps: list[Step] = []
        current = given
        for stage in self.stages:
            steps.extend(run_stage(stage, current, watch))
            current = steps[-1].ranking
        return Trace(tuple(steps))


def run_stage(stage: Stage[Ranking], given: Search, watch: Watch = unwatched) -> tuple[Step, ...]:
    """The steps of one stage: its inner ones if it is made of stages, else the one it is."""
    if isinstance(stage, Composite):
        return stage.trace(given, watch).steps
    start = time.perf_counter()
    ranking = stage(given)  # type: ignore[arg-type]  # only a first stage sees a bare Search
    step = Step(stage.name, ranking, time.perf_counter() - start)
    watch(step)
    return (step,)


def chain(stages: Sequence[Stage[Ranking]], name: str = "") -> Pipeline:
    """A pipeline of stages known only at run time."""
    if not stages:
        raise BadInput("at least one stage wanted for a pipeline, got none")
    return Pipeline(stages[0], *stages[1:], name=name)  # type: ignore[arg-type]


def trace_in_batches(
    pipeline: Pipeline, given: Search, size: int, done: Callable[[int], None]
) -> Trace:
    """The trace of `pipeline` over all queries, run `size` queries at a time.

    `done` is told the number of queries finished after each batch. Stages do not let queries
    influence each other, so the rankings are those of one run; the times are added up.
    """
    if size < 1:
        raise BadInput(f"batches of 1 or more queries wanted, got {size}")
    traces: list[Trace] = []
    for start in range(0, max(len(given.queries), 1), size):
        traces.append(pipeline.trace(given.select(slice(start, start + size))))
        done(min(start + size, len(given.queries)))
    columns = zip(*(trace.steps for trace in traces), strict=True)
    return Trace(tuple(_joined(steps) for steps in columns))


def _joined(steps: Sequence[Step]) -> Step:
    ranking = Ranking.concat([step.ranking for step in steps])
    return Step(steps[0].name, ranking, sum(step.seconds for step in steps))
