"""Teachers label candidates: a scorer, a TREC run, or several of them together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from crossrank.errors import BadInput
from crossrank.fuse import fuse
from crossrank.rerank.cache import CachedScorer, NamedScorer, Store
from crossrank.train.judged import moved
from crossrank.types import Encoder, Floats, Ranking, Scale

CHUNK: Final = 2048
"""Pairs between two writes of the cache: what a killed run has to score again."""

Done = Callable[[int], None]


class Teacher(Protocol):
    """Scores every candidate of a ranking."""

    @property
    def weight(self) -> float:
        """Its share beside other teachers."""
        ...

    def label(self, candidates: Ranking, done: Done) -> Ranking:
        """The same candidates under the teacher's scores; `done` is told the pairs finished."""
        ...


@dataclass(frozen=True, slots=True)
class ScorerTeacher:
    """A cross-encoder, or anything that scores pairs; scores in `store` are not made again."""

    scorer: NamedScorer
    store: Store | None = None
    weight: float = 1.0

    def label(self, candidates: Ranking, done: Done) -> Ranking:
        """The candidates under the scorer's scores, on its scale."""
        scorer = CachedScorer(self.scorer, self.store)
        owners, count = candidates.owners(), len(candidates.docs)
        scores = np.empty(count, dtype=np.float32)
        for start in range(0, count, CHUNK):
            part = slice(start, start + CHUNK)
            asked = [candidates.queries.texts[i] for i in owners[part]]
            scores[part] = scorer.score_texts(asked, candidates.corpus.texts(candidates.docs[part]))
            done(min(start + CHUNK, count))
        return candidates.rescored(scores, scorer.scale)


@dataclass(frozen=True, slots=True)
class EncoderTeacher:
    """A bi-encoder: the inner product of the two vectors of a pair."""

    encoder: Encoder
    weight: float = 1.0

    def label(self, candidates: Ranking, done: Done) -> Ranking:
        """The candidates under the encoder's similarities, on its scale."""
        rows, places = np.unique(candidates.docs, return_inverse=True)
        documents = self._vectors(candidates.corpus.texts(rows), self.encoder.encode_documents)
        queries = self._vectors(list(candidates.queries.texts), self.encoder.encode_queries)
        owners, count = candidates.owners(), len(candidates.docs)
        scores = np.empty(count, dtype=np.float32)
        for start in range(0, count, CHUNK):
            part = slice(start, start + CHUNK)
            left, right = queries[owners[part]], documents[places[part]]
            scores[part] = np.einsum("ij,ij->i", left, right)
            done(min(start + CHUNK, count))
        return candidates.rescored(scores, self.encoder.scale)

    def _vectors(self, texts: list[str], encode: Callable[[Sequence[str]], Floats]) -> Floats:
        parts = [encode(texts[i : i + CHUNK]) for i in range(0, len(texts), CHUNK)]
        return np.concatenate(parts) if parts else np.empty((0, self.encoder.dimension), np.float32)


@dataclass(frozen=True, slots=True)
class RunTeacher:
    """A run made elsewhere; candidates it lacks get its lowest score for the query."""

    run: Ranking
    weight: float = 1.0

    def label(self, candidates: Ranking, done: Done) -> Ranking:
        """The candidates under the run's scores. Raises BadInput where a query has none of it."""
        known = moved(self.run, candidates)
        scores: list[Floats] = []
        for query, (rows, _) in enumerate(candidates):
            docs, values = known.query(query)
            if len(rows) and not len(docs):
                raise BadInput(
                    f"a run that ranks candidates of every query wanted, it has none for "
                    f"{candidates.queries.ids[query]!r}: leave that query out of the candidates"
                )
            found = dict(zip(docs.tolist(), values.tolist(), strict=True))
            low = float(values.min(initial=np.inf))
            scores.append(np.array([found.get(row, low) for row in rows.tolist()], np.float32))
            done(int(candidates.indptr[query + 1]))
        joined = np.concatenate([np.empty(0, np.float32), *scores])
        return candidates.rescored(joined, self.run.scale)


def taught(
    candidates: Ranking, teachers: Sequence[Teacher], done: Done = lambda count: None
) -> Ranking:
    """The candidates under the teachers' scores: labels to learn from.

    One teacher: its scores as they are, on its scale. Several: the weighted sum of their scores,
    each made mean 0 and deviation 1 within a query, of scale FUSED.
    """
    if not teachers:
        raise BadInput("at least one teacher wanted, got none")
    if not len(candidates.docs):
        raise BadInput("candidates for the teachers to score wanted, got none")
    labelled: list[Ranking] = []
    for number, teacher in enumerate(teachers):
        base = number * len(candidates.docs)
        labelled.append(teacher.label(candidates, lambda count, base=base: done(base + count)))  # type: ignore[misc]
    if len(labelled) == 1:
        return labelled[0]
    weights = [teacher.weight for teacher in teachers]
    return fuse(labelled, "sum", weights=weights, normalise="z-score")


def squashed(labels: Ranking) -> Ranking:
    """Labels from 0 to 1 for a student whose scores are cosines: logits by their sigmoid.

    Fused scores, which are about standard normal, likewise; probabilities and cosines stay.
    """
    if labels.scale in (Scale.PROBABILITY, Scale.CALIBRATED, Scale.COSINE):
        return labels
    if labels.scale not in (Scale.LOGIT, Scale.FUSED):
        raise BadInput(
            f"a teacher of scale logit, probability, cosine or fused wanted for objective mse on "
            f"cosines, got {labels.scale.value!r}: use margin-mse or kl"
        )
    values = 0.5 + 0.5 * np.tanh(labels.scores.astype(np.float64) / 2)
    return labels.rescored(values, Scale.PROBABILITY)
