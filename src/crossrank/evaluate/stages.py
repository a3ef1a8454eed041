"""How good every stage of a pipeline is, and how long it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from crossrank.evaluate.measures import Measure
from crossrank.evaluate.scores import Scores, evaluate
from crossrank.stage import Pipeline, Trace, trace_in_batches
from crossrank.types import Ranking, Search


@dataclass(frozen=True, slots=True)
class StageScores:
    """What one stage achieved: its measures, its ranking, and its wall time in seconds."""

    name: str
    scores: Scores
    ranking: Ranking
    seconds: float

    @property
    def milliseconds_a_query(self) -> float:
        """Mean wall time of the stage for one query, in ms."""
        return 1000 * self.seconds / max(len(self.ranking.queries), 1)


def evaluate_trace(
    trace: Trace, qrels: Ranking, measures: Sequence[Measure]
) -> tuple[StageScores, ...]:
    """The measures after every stage of one run of a pipeline, in the order they ran."""
    return tuple(
        StageScores(step.name, evaluate(step.ranking, qrels, measures), step.ranking, step.seconds)
        for step in trace.steps
    )


def evaluate_pipeline(
    pipeline: Pipeline,
    search: Search,
    qrels: Ranking,
    measures: Sequence[Measure],
    done: Callable[[int], None] = lambda count: None,
    batch: int = 8,
) -> tuple[StageScores, ...]:
    """Runs `pipeline` over all queries, `batch` at a time, and measures every stage.

    `done` is told the number of queries finished, for progress displays.
    """
    return evaluate_trace(trace_in_batches(pipeline, search, batch, done), qrels, measures)
