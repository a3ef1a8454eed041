"""A learned fusion trained on judged queries, and beside it the best linear one, fold by fold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from crossrank.evaluate.align import Ints, Reals
from crossrank.evaluate.columns import GradedTable
from crossrank.evaluate.compare import Comparison, Settings, compare_scores
from crossrank.evaluate.folds import Folds
from crossrank.evaluate.measures import Measure, nDCG
from crossrank.evaluate.scores import Scores
from crossrank.evaluate.tune import DEFAULT, TUNED, Tuned
from crossrank.fuse.features import Analysis, Features, Fields, Sources, described, features
from crossrank.fuse.lambdamart import Forest, fit
from crossrank.fuse.learned import LearnedModel
from crossrank.fuse.table import Table
from crossrank.types import Ranking

LEARNED: Final = "learned"


@dataclass(frozen=True, slots=True)
class Learned:
    """The model trained on all queries; held_out is made of models that had not seen the query."""

    model: LearnedModel
    held_out: Comparison
    folds: int

    def as_dict(self) -> dict[str, Any]:
        """What was found, as JSON values."""
        return {
            "importance": dict(self.model.importance()),
            "folds": self.folds,
            "held_out": self.held_out.as_dict(),
        }


def learn(
    rankings: Mapping[str, Ranking],
    qrels: Ranking,
    linear: Tuned,
    measure: Measure = nDCG @ 10,
    *,
    analysis: Analysis | None = None,
    fields: Fields | None = None,
    forest: Forest | None = None,
    folds: int = 5,
    seed: int = 0,
    settings: Settings | None = None,
    done: Callable[[int], None] = lambda count: None,
) -> Learned:
    """LambdaMART over rankings of the same queries and corpus, compared with the `linear` fusion
    that `tune` found with the same folds and seed, and with all that it was compared with.

    `done` is told the models trained, `folds` + 1 in all.
    """
    graded = GradedTable.of(list(rankings.values()), qrels)
    sources = _sources(graded.table, analysis, fields)
    given = features(graded.table, tuple(rankings), sources)
    rows = Features(given.names, given.values[graded.kept])
    grades, owner = graded.aligned.grade, graded.aligned.owner
    split = Folds.of(len(qrels.queries), folds, seed)

    def trained(use: npt.NDArray[np.bool_]) -> LearnedModel:
        part = Features(rows.names, rows.values[use])
        chosen = replace(forest or Forest(), cutoff=measure.cutoff or 10)
        return fit(part, grades[use], owner[use], tuple(rankings), sources, chosen)

    values = np.zeros(len(qrels.queries))
    for fold in range(folds):
        held = split.held_out(fold)
        values[held] = _held_out(graded, rows, trained(~held[owner]), measure)[held]
        done(fold + 1)
    model = trained(np.ones(len(owner), dtype=np.bool_))
    done(folds + 1)
    scores = dict(linear.held_out.scores)
    scores[LEARNED] = Scores(qrels.queries.ids, (measure,), values[None])
    pairs = [(LEARNED, name) for name in (TUNED, linear.best_single, DEFAULT)]
    return Learned(model, compare_scores(scores, pairs, settings), folds)


def _held_out(graded: GradedTable, rows: Features, model: LearnedModel, measure: Measure) -> Reals:
    scores = np.zeros(len(graded.table.docs))
    scores[graded.kept] = model.predict(rows)
    return graded.values(scores, measure)


def _sources(table: Table, analysis: Analysis | None, fields: Fields | None) -> Sources:
    if fields is None:
        return Sources(analysis)
    rows: Ints = np.unique(table.docs)
    numbers, categories = described(fields, rows.astype(np.int32))
    return Sources(analysis, fields, numbers, categories)
