"""What a fusion reaches on each judged query, remembered by setting."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from crossrank.evaluate.align import Reals
from crossrank.evaluate.columns import GradedTable
from crossrank.evaluate.measures import Measure
from crossrank.fuse.combine import AUTO, filled, scored
from crossrank.fuse.methods import SCORE_METHODS
from crossrank.fuse.normalise import normalised
from crossrank.fuse.setting import Setting
from crossrank.types import Ranking


class Objective:
    """Called with a setting it gives the measure of every judged query: float64 [Q].

    Equal to `evaluate(setting.fused(rankings), qrels, [measure])`, at a fraction of its price:
    tables, grades and normalised scores are kept from one setting to the next.
    """

    def __init__(
        self,
        rankings: Sequence[Ranking],
        qrels: Ranking,
        measure: Measure,
        done: Callable[[int], None] = lambda count: None,
    ) -> None:
        self._rankings, self._qrels, self._measure = tuple(rankings), qrels, measure
        self._done = done
        self._known: dict[Setting, Reals] = {}
        self._tables: dict[int, GradedTable] = {}
        self._columns: dict[tuple[int, tuple[str, ...], str], Reals] = {}

    def __call__(self, setting: Setting) -> Reals:
        """The values under a setting."""
        if setting not in self._known:
            table = self._table(setting.depth)
            self._known[setting] = table.values(self._scores(table, setting), self._measure)
            self._done(len(self._known))
        return self._known[setting]

    @property
    def tried(self) -> int:
        """How many settings have been measured."""
        return len(self._known)

    def single(self, index: int) -> Reals:
        """The values of one ranking by itself."""
        table = GradedTable.of([self._rankings[index]], self._qrels)
        scores = np.empty(len(table.table.docs))
        scores[table.table.places[0]] = self._rankings[index].scores
        return table.values(scores, self._measure)

    def _table(self, depth: int) -> GradedTable:
        if depth not in self._tables:
            cut = [each.top(depth) if depth else each for each in self._rankings]
            self._tables[depth] = GradedTable.of(cut, self._qrels)
        return self._tables[depth]

    def _scores(self, graded: GradedTable, setting: Setting) -> Reals:
        how, count = setting.how, len(self._rankings)
        if how.method != "sum":
            return scored(graded.table, how)
        rule = SCORE_METHODS["sum"].missing if how.missing == AUTO else how.missing
        key = (setting.depth, how.normalisers(count), rule)
        if key not in self._columns:
            pairs = zip(graded.table.rankings, key[1], strict=True)
            values = graded.table.spread([normalised(each, name) for each, name in pairs])
            # what is still missing adds nothing to a sum
            self._columns[key] = np.nan_to_num(filled(graded.table, values, rule))
        weights = np.array(how.weights or (1.0,) * count)
        return np.asarray(weights @ self._columns[key], np.float64)
