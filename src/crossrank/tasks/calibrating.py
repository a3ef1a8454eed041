"""From a file of labelled pairs to a calibration of a model, for each purpose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from crossrank.errors import BadInput
from crossrank.tasks.calibration import METHODS, Method
from crossrank.tasks.fits import Reals
from crossrank.tasks.labelled import LabelledPairs
from crossrank.tasks.reliability import Report, calibrate
from crossrank.types import Scorer

Done = Callable[[int], None]
_BATCH: Final = 512


def ignore(count: int) -> None:
    """Watches nothing: the default of `done`."""


def score_pairs(scorer: Scorer, pairs: LabelledPairs, done: Done = ignore) -> Reals:
    """The score of each pair: float64 [n]."""
    scores = np.empty(len(pairs))
    for start in range(0, len(pairs), _BATCH):
        part = slice(start, start + _BATCH)
        scores[part] = scorer.score_texts(pairs.left[part], pairs.right[part])
        done(min(start + _BATCH, len(pairs)))
    return scores


def calibrate_relevance(
    scorer: Scorer,
    pairs: LabelledPairs,
    methods: Sequence[Method] = METHODS,
    source: str = "",
    done: Done = ignore,
) -> Report:
    """The probability that a document fits a query; pairs of one query stay in one fold."""
    scores = score_pairs(scorer, pairs, done)
    return calibrate(scores, pairs.labels, scorer.scale, pairs.groups, methods, source)


def calibrate_answers(
    scorer: Scorer,
    pairs: LabelledPairs,
    methods: Sequence[Method] = METHODS,
    source: str = "",
    done: Done = ignore,
) -> Report:
    """The probability that a question has an answer among its candidates, by the best score.

    A group of pairs is a question with its candidates. It counts twice: with all of them, when it
    has an answer if one of its labels is 1, and without those that answer it, when it has none.
    Calibrate on candidates as the pipeline will find them: more candidates, higher maxima.
    """
    best, answered, names = best_of_groups(score_pairs(scorer, pairs, done), pairs)
    if len(set(names)) == len(pairs):
        raise BadInput(
            "several candidates for a question wanted, got one each: give pairs of one question "
            "the same query or query_id"
        )
    return calibrate(best, answered, scorer.scale, names, methods, source)


def best_of_groups(scores: Reals, pairs: LabelledPairs) -> tuple[Reals, Reals, list[str]]:
    """For each question its best score, whether it has an answer, and its name.

    Answered questions come a second time, without the candidates that answer them, if any are
    left then.
    """
    names, group = np.unique(np.asarray(pairs.groups), return_inverse=True)
    answered = np.zeros(len(names))
    np.maximum.at(answered, group, pairs.labels)
    whole, rest = np.full(len(names), -np.inf), np.full(len(names), -np.inf)
    np.maximum.at(whole, group, scores)
    wrong = pairs.labels == 0
    np.maximum.at(rest, group[wrong], scores[wrong])
    again = (answered > 0) & np.isfinite(rest)
    return (
        np.concatenate([whole, rest[again]]),
        np.concatenate([answered, np.zeros(int(again.sum()))]),
        [*names.tolist(), *names[again].tolist()],
    )
