"""A table of rankings with the grades of its documents: measured under many scores, fast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from crossrank.errors import BadInput
from crossrank.evaluate.align import Aligned, Ints, Reals, align
from crossrank.evaluate.kernels import per_query
from crossrank.evaluate.measures import Measure
from crossrank.fuse.table import Table
from crossrank.types import Ranking


@dataclass(frozen=True, slots=True)
class GradedTable:
    """`aligned` holds the documents of the judged queries by query and row, `kept` says which
    columns of the table they are.
    """

    table: Table
    aligned: Aligned
    kept: Ints

    @classmethod
    def of(cls, rankings: Sequence[Ranking], qrels: Ranking) -> GradedTable:
        """The table of some rankings (of the same queries and corpus) beside its judgements."""
        table = Table.of(rankings)
        place = {name: index for index, name in enumerate(qrels.queries.ids)}
        to = np.array([place.get(n, -1) for n in rankings[0].queries.ids], dtype=np.int64)
        owner = to[table.owner] if len(table.docs) else np.empty(0, np.int64)
        kept = np.flatnonzero(owner >= 0)
        kept = kept[np.argsort(owner[kept], kind="stable")]
        if not len(qrels.queries):
            raise BadInput("qrels with at least one query wanted, got none")
        # equal scores leave the documents by row, which is their order in the table
        return cls(table, align(table.ranking(np.zeros(len(table.docs))), qrels), kept)

    def values(self, scores: Reals, measure: Measure) -> Reals:
        """The measure of each judged query when documents rank by `scores` (float64 [U]), as
        `evaluate(table.ranking(scores), qrels, [measure])` would give it: float64 [Q].
        """
        a = self.aligned
        # a ranking holds float32: what ties there ties here
        ordered = -scores[self.kept].astype(np.float32)
        order = np.lexsort((ordered, a.owner))
        return per_query(replace(a, grade=a.grade[order], judged=a.judged[order]), measure)
