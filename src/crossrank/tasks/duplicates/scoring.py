"""Scores candidate pairs: both orders, facts against each other, the calibrated decision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from crossrank.errors import BadInput
from crossrank.tasks.duplicates.clusters import Link
from crossrank.tasks.duplicates.conflicts import Conflict, conflicts, penalty
from crossrank.tasks.duplicates.decision import Decision, score_both
from crossrank.tasks.duplicates.facts import facts
from crossrank.types import Corpus, Encoder, Floats, Rows, Scorer

Watch = Callable[[str, int, int], None]
"""Told what is being done, how many are done, and of how many."""

_PAIRS: Final = 256  # pairs scored at a time


@dataclass(frozen=True, slots=True)
class Options:
    """How duplicates are looked for.

    neighbours, lexical: candidates for each text by vectors and by rare terms (0 for none);
    most: pairs the cross-encoder scores, those with the highest cosine first; threshold: the
    probability from which a pair counts; link: how clusters are made; names: folded proper names
    (makers) that two duplicates must share; ignored: base units in which they may differ (eur).
    """

    neighbours: int = 10
    lexical: int = 5
    most: int = 20_000
    threshold: float = 0.5
    link: Link = "complete"
    names: frozenset[str] = frozenset()
    ignored: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.neighbours + self.lexical < 1 or min(self.neighbours, self.lexical) < 0:
            raise BadInput("candidates wanted from vectors or from terms, got none of both")
        if not 0 < self.threshold <= 1 or self.most < 1:
            raise BadInput("a threshold in (0, 1] and at least one pair to score wanted")


@dataclass(frozen=True, slots=True)
class Judge:
    """What decides: a cross-encoder, the bi-encoder of the candidates, the fitted decision."""

    scorer: Scorer
    encoder: Encoder
    decision: Decision

    def __post_init__(self) -> None:
        self.decision.check(self.scorer, self.encoder)


@dataclass(frozen=True, slots=True)
class DuplicatePair:
    """Two documents by row, and why they are, or are not, duplicates."""

    left: int
    right: int
    probability: float
    score: float
    cosine: float
    conflicts: tuple[Conflict, ...] = ()


@dataclass(frozen=True, slots=True)
class Scoring:
    """Scores pairs of positions in `rows`."""

    corpus: Corpus
    rows: Rows
    units: Floats
    judge: Judge
    options: Options

    def score(self, pairs: npt.NDArray[np.int32], watch: Watch) -> list[DuplicatePair]:
        """Each pair with its probability, in the order given."""
        found: list[DuplicatePair] = []
        for start in range(0, len(pairs), _PAIRS):
            found += self._some(pairs[start : start + _PAIRS])
            watch("scoring pairs", len(found), len(pairs))
        return found

    def _some(self, pairs: npt.NDArray[np.int32]) -> list[DuplicatePair]:
        unique, place = np.unique(pairs, return_inverse=True)
        texts = self.corpus.texts(self.rows[unique])
        names, ignored = self.options.names, self.options.ignored
        stated = [facts(text, names, ignored) for text in texts]
        at = place.reshape(-1, 2)
        left, right = [texts[i] for i in at[:, 0]], [texts[i] for i in at[:, 1]]
        against = [conflicts(stated[i], stated[j]) for i, j in at]
        scores = score_both(self.judge.scorer, left, right)
        cosines = cosines_of(self.units, pairs)
        minus = np.array([penalty(each) for each in against])
        p = self.judge.decision(scores, cosines, minus)
        return [
            DuplicatePair(
                int(a), int(b), float(p[i]), float(scores[i]), float(cosines[i]), against[i]
            )
            for i, (a, b) in enumerate(pairs)
        ]


def cosines_of(units: Floats, pairs: npt.NDArray[np.int32]) -> Floats:
    """The inner product of each pair of rows: float32 [n]."""
    found: Floats = (units[pairs[:, 0]] * units[pairs[:, 1]]).sum(axis=1)
    return found
