"""Question answering: the best passage, the best sentence in it, or that there is no answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from crossrank.errors import BadInput
from crossrank.stage import Stage
from crossrank.tasks.calibration import Calibration
from crossrank.tasks.paragraphs import LongDocument, Passage, Span, Split
from crossrank.text.sentences import sentences
from crossrank.types import Corpus, Queries, Ranking, Scale, Scorer, Search

PASSAGES: Final = 3
CONTEXT: Final = 0.25
THRESHOLD: Final = 0.5


@dataclass(frozen=True, slots=True)
class Answer:
    """A passage and the sentence in it that answers best.

    row, id: the document; text[start:end] of it is the passage, text[sentence[0]:sentence[1]] the
    sentence; score: the passage's; sentence_score: the sentence's.
    """

    row: int
    id: str
    start: int
    end: int
    passage: str
    sentence: Span
    sentence_text: str
    score: float
    sentence_score: float

    def as_dict(self) -> dict[str, Any]:
        """The answer as JSON values."""
        return {
            "id": self.id,
            "score": self.score,
            "passage": {"start": self.start, "end": self.end, "text": self.passage},
            "sentence": {
                "start": self.sentence[0],
                "end": self.sentence[1],
                "text": self.sentence_text,
                "score": self.sentence_score,
            },
        }


@dataclass(frozen=True, slots=True)
class Answers:
    """What a question found, best passage first.

    probability: that the question has an answer among what was searched, None where no
    calibration is known; answered: whether it reaches the threshold (True without one).
    """

    question: str
    answers: tuple[Answer, ...]
    scale: Scale
    probability: float | None
    answered: bool

    def as_dict(self) -> dict[str, Any]:
        """The answers as JSON values."""
        return {
            "question": self.question,
            "answered": self.answered,
            "probability": self.probability,
            "scale": str(self.scale),
            "answers": [each.as_dict() for each in self.answers],
        }


def ask(
    question: str,
    corpus: Corpus,
    pipeline: Stage[Search],
    scorer: Scorer,
    *,
    calibration: Calibration | None = None,
    threshold: float = THRESHOLD,
    passages: int = PASSAGES,
    depth: int = 20,
    split: Split | None = None,
) -> Answers:
    """The best `passages` for a question, with the best sentence of each.

    The pipeline finds candidates; the windows of its first `depth` documents are scored, so long
    documents are read to their end. `calibration` (purpose "answer") turns the best passage's
    score into the probability that there is an answer; below `threshold` there is none. Without
    one every question counts as answered.
    """
    if not question.strip():
        raise BadInput("a question wanted, got an empty one")
    if calibration is not None and not 0 <= threshold <= 1:
        raise BadInput(f"a threshold from 0 to 1 wanted, got {threshold}")
    ranking = pipeline(Search(Queries.of([question]), corpus))
    best = LongDocument(scorer, depth, split=split).passages(ranking, 0, passages)
    found = tuple(_answer(question, each, ranking, scorer) for each in best)
    probability = _probability(found, calibration, scorer.scale)
    answered = bool(found) and (probability is None or probability >= threshold)
    return Answers(question, found, scorer.scale, probability, answered)


def _probability(
    found: Sequence[Answer], calibration: Calibration | None, scale: Scale
) -> float | None:
    if calibration is None:
        return None
    return float(calibration([found[0].score], scale)[0]) if found else 0.0


def _answer(question: str, passage: Passage, ranking: Ranking, scorer: Scorer) -> Answer:
    spans = sentences(passage.text) or [(0, len(passage.text))]
    scores = sentence_scores(scorer, question, passage.text, spans)
    whole = np.array([_is_sentence(passage.text[a:b]) for a, b in spans])
    at = int(np.where(whole | ~whole.any(), scores, -np.inf).argmax())
    start, end = spans[at]
    (name,) = ranking.corpus.ids(np.array([passage.row], dtype=np.int32))
    return Answer(
        passage.row,
        name,
        passage.start,
        passage.end,
        passage.text,
        (passage.start + start, passage.start + end),
        passage.text[start:end],
        passage.score,
        float(scores[at]),
    )


def _is_sentence(text: str) -> bool:
    """Whether a text ends as a sentence does; headings and titles answer nothing."""
    return text.rstrip("\"'”“»«’)]").endswith((".", "!", "?", "…"))


def sentence_scores(
    scorer: Scorer,
    question: str,
    text: str,
    spans: Sequence[Span],
    context: float = CONTEXT,
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """How well each sentence answers: float64 [sentences].

    The sentence's own score, and its score between its neighbours, which tell what `it` or `there`
    is; `context` is the weight of the latter.
    """
    alone = [text[start:end] for start, end in spans]
    scores = scorer.score_texts([question] * len(alone), alone).astype(np.float64)
    if not context or len(spans) < 2:
        return scores
    wide = [
        text[spans[max(i - 1, 0)][0] : spans[min(i + 1, len(spans) - 1)][1]]
        for i in range(len(spans))
    ]
    around = scorer.score_texts([question] * len(wide), wide)
    return (1 - context) * scores + context * around
