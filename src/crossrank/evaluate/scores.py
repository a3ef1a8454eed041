"""Measuring a run: one value a measure and query, and their means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from crossrank.errors import BadInput, NotFound
from crossrank.evaluate.align import Reals, align
from crossrank.evaluate.kernels import per_query
from crossrank.evaluate.measures import DEFAULT, Measure
from crossrank.types import Ranking


@dataclass(frozen=True, slots=True)
class Scores:
    """What a run reached: `values` is float64 [measures, queries of the qrels]."""

    queries: tuple[str, ...]
    measures: tuple[Measure, ...]
    values: Reals

    def of(self, measure: Measure) -> Reals:
        """The values of one measure, a query each: float64 [Q]."""
        if measure not in self.measures:
            have = ", ".join(map(str, self.measures))
            raise NotFound(f"one of the measures {have} wanted, got {measure}")
        values: Reals = self.values[self.measures.index(measure)]
        return values

    def mean(self, measure: Measure) -> float:
        """The mean of one measure over all judged queries."""
        return float(self.of(measure).mean())

    def means(self) -> dict[str, float]:
        """The mean of every measure, by the measure's text."""
        return {str(measure): self.mean(measure) for measure in self.measures}


def evaluate(run: Ranking, qrels: Ranking, measures: Sequence[Measure] = DEFAULT) -> Scores:
    """Every measure for every judged query: equal to trec_eval's figures.

    A judged query that the run lacks counts 0, a query without judgements does not count.
    Documents are matched by id, and judged documents that the run's corpus does not have still
    count as relevant and in the ideal DCG. Raises BadInput for qrels without any query.
    """
    if not len(qrels.queries):
        raise BadInput("qrels with at least one query wanted, got none")
    if not measures:
        raise BadInput("at least one measure wanted, got none: for example nDCG@10")
    aligned = align(run, qrels)
    values = np.stack([per_query(aligned, measure) for measure in measures])
    return Scores(qrels.queries.ids, tuple(measures), values)
