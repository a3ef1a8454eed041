"""Long documents by passages of text: scored each, combined to one score, the best one shown.

`CrossEncoder(long="window")` does the same on tokens, inside the model; this works over any
scorer and keeps the positions in the text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from crossrank.errors import BadInput
from crossrank.models.scores import AGGREGATES, Aggregate, aggregate_scale, combine
from crossrank.rerank.scoring import score_noted
from crossrank.text.passages import passages
from crossrank.types import Floats, Note, Scale, Scorer

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of a document: characters `start` to `end`, and its score."""

    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class PassageScores:
    """Scores of documents, their best passages, and notes."""

    values: Floats
    best: tuple[Passage, ...]
    noted: tuple[Note, ...]

    def notes(self) -> tuple[Note, ...]:
        """What a user should know."""
        return self.noted


class PassageScorer:
    """A scorer that splits each document, scores its passages, and combines the scores.

    `split` gives the character spans of a text; one without any is scored as it is. `how` is max
    (MaxP), first (FirstP), mean, or sum (SumP: of probabilities where the scores are logits).
    """

    def __init__(
        self,
        scorer: Scorer,
        how: Aggregate = "max",
        split: Callable[[str], Sequence[Span]] = passages,
    ) -> None:
        if how not in AGGREGATES:
            raise BadInput(f"an aggregate of {', '.join(AGGREGATES)} wanted, got {how!r}")
        self._scorer, self._how, self._split = scorer, how, split

    @property
    def scale(self) -> Scale:
        """That of the scorer; a sum has no stated meaning."""
        return aggregate_scale(self._how, self._scorer.scale)

    def score_texts(self, queries: Sequence[str], documents: Sequence[str]) -> Floats:
        """One score for each (queries[i], documents[i]): float32 [n]."""
        return self.score_noted(queries, documents).values

    def score_noted(self, queries: Sequence[str], documents: Sequence[str]) -> PassageScores:
        """The scores, and the best passage of every document."""
        spans = [list(self._split(text)) or [(0, len(text))] for text in documents]
        if self._how == "first":
            spans = [each[:1] for each in spans]
        counts = np.array([len(each) for each in spans], dtype=np.int64)
        starts = np.cumsum(counts) - counts
        asked = list(chain.from_iterable([q] * n for q, n in zip(queries, counts, strict=True)))
        texts = [d[a:b] for d, each in zip(documents, spans, strict=True) for a, b in each]
        found, notes = score_noted(self._scorer, asked, texts)
        best = tuple(
            _best(each, found[at : at + len(each)]) for each, at in zip(spans, starts, strict=True)
        )
        return PassageScores(combine(found, starts, self._how, self._scorer.scale), best, notes)


def _best(spans: Sequence[Span], scores: Floats) -> Passage:
    at = int(scores.argmax())
    return Passage(*spans[at], float(scores[at]))
