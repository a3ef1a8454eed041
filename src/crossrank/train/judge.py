"""A cross-encoder as judge: grades for candidates by cuts on its scores, given or fitted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from crossrank.errors import BadInput
from crossrank.fuse import fuse
from crossrank.train.agreement import graded_by_both, kappa
from crossrank.types import Ranking, Scale, Scorer

Reals = npt.NDArray[np.float64]
CUTS: Final = (0.25, 0.5, 0.75)
CHUNK: Final = 2048


def judge(
    candidates: Ranking,
    scorer: Scorer,
    cuts: Sequence[float] = CUTS,
    done: Callable[[int], None] = lambda count: None,
) -> Ranking:
    """Pseudo-qrels: the candidates under grades, 0 below the first cut, 1 from it on, and so on.

    Cuts are on probabilities (of logits their sigmoid), or on the grades that a graded model
    expects. Raises BadInput for scores on which no cut means anything.
    """
    return graded(scored(candidates, scorer, done), cuts)


def scored(
    candidates: Ranking, scorer: Scorer, done: Callable[[int], None] = lambda count: None
) -> Ranking:
    """The candidates under probabilities or expected grades."""
    if scorer.scale not in (*_BOUNDED, Scale.GRADE, Scale.LOGIT):
        raise BadInput(
            f"a judge whose scores are logits, probabilities or grades wanted, got scale "
            f"{scorer.scale.value!r}: train it with objective bce, ordinal or cross-entropy"
        )
    owners = candidates.owners()
    scores = np.empty(len(candidates.docs), dtype=np.float64)
    for start in range(0, len(scores), CHUNK):
        part = slice(start, start + CHUNK)
        asked = [candidates.queries.texts[i] for i in owners[part]]
        scores[part] = scorer.score_texts(asked, candidates.corpus.texts(candidates.docs[part]))
        done(min(start + CHUNK, len(scores)))
    if scorer.scale is Scale.LOGIT:
        scores = 0.5 + 0.5 * np.tanh(scores / 2)
    scale = Scale.GRADE if scorer.scale is Scale.GRADE else Scale.PROBABILITY
    return candidates.rescored(scores, scale)


def pool(runs: Sequence[Ranking]) -> Ranking:
    """The documents that any of some rankings of the same queries has: candidates to judge."""
    return fuse(runs, "rrf")


_BOUNDED: Final = (Scale.PROBABILITY, Scale.CALIBRATED)


def graded(scores: Ranking, cuts: Sequence[float]) -> Ranking:
    """The same documents under the number of cuts that their score reaches."""
    if not cuts or any(b <= a for a, b in pairwise(cuts)):
        raise BadInput(f"one or more ascending cuts wanted, got {list(cuts)}")
    grades = np.searchsorted(np.asarray(cuts), scores.scores.astype(np.float64), side="right")
    return scores.rescored(grades.astype(np.float32), Scale.GRADE)


def fit_cuts(scores: Ranking, qrels: Ranking) -> tuple[float, ...]:
    """The cuts at which judge and people agree most, by quadratic kappa over the judged pairs.

    One cut for each grade above 0, found one after the other and then moved until none gets
    better by moving alone.
    """
    values, people = graded_by_both(scores, qrels)
    top = int(people.max(initial=0))
    if top < 1:
        raise BadInput("judged pairs with grades above 0 wanted to fit cuts on, got none")
    options = np.unique(np.quantile(values, np.linspace(0.01, 0.99, 99)))
    cuts = [float(np.quantile(values, 1 - (people >= grade).mean())) for grade in range(1, top + 1)]
    for _ in range(5):
        before = list(cuts)
        for place in range(top):
            cuts[place] = max(
                options, key=lambda c: _agreement(cuts, place, float(c), values, people)
            )
        if cuts == before:
            break
    return tuple(float(cut) for cut in cuts)


def _agreement(
    cuts: Sequence[float], place: int, cut: float, values: Reals, people: Reals
) -> float:
    moved = [*cuts[:place], cut, *cuts[place + 1 :]]
    if any(b <= a for a, b in pairwise(moved)):
        return -2.0
    return kappa(np.searchsorted(moved, values, side="right"), people, quadratic=True)
