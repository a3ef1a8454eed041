"""Four architectures on the same candidates: what each reaches, costs, and can precompute."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from crossrank.evaluate import Measure, evaluate
from crossrank.models import BiEncoder, CrossEncoder
from crossrank.retrieve.late import LateInteraction, PolyEncoder, StateStore, codes_from
from crossrank.tasks.token_states import BiEncoderTokens
from crossrank.types import Encoder, Floats, Ranking, Rows, Scale, Scorer

_BATCH: Final = 64
_CODE_TEXTS: Final = 512  # documents whose token states the codes are made of

Done = Callable[[str], None]


def ignore(name: str) -> None:
    """Watches nothing: the default of `done`."""


@dataclass(frozen=True, slots=True)
class Row:
    """One architecture over some candidates.

    score: the mean of the measure; ms_a_pair: at query time, what can be precomputed left out;
    ms_a_document: what that takes, once for each document; bytes_a_document: what must be kept;
    precomputed: in words.
    """

    name: str
    score: float
    ms_a_pair: float
    ms_a_document: float
    bytes_a_document: float
    precomputed: str

    def as_dict(self) -> dict[str, Any]:
        """The row as JSON values."""
        return {
            "architecture": self.name,
            "score": self.score,
            "ms_per_pair": self.ms_a_pair,
            "ms_per_document": self.ms_a_document,
            "bytes_per_document": self.bytes_a_document,
            "precomputed": self.precomputed,
        }


def compare(
    candidates: Ranking,
    qrels: Ranking,
    measure: Measure,
    scorer: Scorer,
    encoder: Encoder,
    tokens: BiEncoderTokens,
    codes: int = 16,
    done: Done = ignore,
) -> list[Row]:
    """First stage, bi-encoder, poly-encoder, late interaction and cross-encoder, in that order.

    All re-rank the same candidates with the same encoder (the cross-encoder with its own model).
    The codes of the poly-encoder are made of token states without training.
    """
    pairs = max(len(candidates.docs), 1)
    rows = np.unique(candidates.docs)

    def mean(run: Ranking) -> float:
        return evaluate(run, qrels, [measure]).mean(measure)

    found = [Row("first stage", mean(candidates), 0.0, 0.0, 0.0, "")]
    done("bi-encoder")
    vectors, indexing = _timed(lambda: _encode(encoder, candidates, rows))
    run, took = _timed(lambda: bi_encoder(candidates, encoder, rows, vectors))
    size = 4.0 * encoder.dimension
    vector = "one vector a document"
    found.append(_row("bi-encoder", mean(run), took / pairs, indexing / len(rows), size, vector))
    done("poly-encoder")
    made = _codes(tokens, candidates, rows, codes)
    at: Callable[[Rows], Floats] = lambda some: vectors[np.searchsorted(rows, some)]  # noqa: E731
    depth = int(candidates.depths().max(initial=1))
    poly = PolyEncoder(tokens, encoder, made, depth, vectors=at)
    run, took = _timed(lambda: poly(candidates))
    found.append(_row("poly-encoder", mean(run), took / pairs, indexing / len(rows), size, vector))
    done("late interaction")
    late = LateInteraction(tokens, depth, keep=1 << 40)
    store, indexing = _timed(lambda: _filled(late, candidates, rows))
    run, took = _timed(lambda: late(candidates))
    kept = store.bytes_per_document
    vector = "one vector a token of a document"
    found.append(
        _row("late interaction", mean(run), took / pairs, indexing / len(rows), kept, vector)
    )
    done("cross-encoder")
    run, took = _timed(lambda: _crossed(candidates, scorer))
    return [*found, _row("cross-encoder", mean(run), took / pairs, 0.0, 0.0, "nothing")]


def models(
    cross: str | Path, encoder: str | Path
) -> tuple[CrossEncoder, BiEncoder, BiEncoderTokens]:
    """The three models that are compared."""
    return CrossEncoder(cross), BiEncoder(encoder), BiEncoderTokens(encoder)


def bi_encoder(candidates: Ranking, encoder: Encoder, rows: Rows, vectors: Floats) -> Ranking:
    """The candidates by the inner product of query and document vectors."""
    queries = encoder.encode_queries(candidates.queries.texts)
    places = np.searchsorted(rows, candidates.docs)
    scores = np.einsum("nd,nd->n", queries[candidates.owners()], vectors[places])
    return candidates.rescored(scores, encoder.scale)


def _row(
    name: str, score: float, pair: float, document: float, size: float, precomputed: str
) -> Row:
    return Row(name, score, 1000 * pair, 1000 * document, size, precomputed)


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    made = work()
    return made, time.perf_counter() - start


def _encode(encoder: Encoder, given: Ranking, rows: Rows) -> Floats:
    parts = [
        encoder.encode_documents(given.corpus.texts(rows[start : start + _BATCH]))
        for start in range(0, len(rows), _BATCH)
    ]
    return np.concatenate([np.empty((0, encoder.dimension), np.float32), *parts])


def _codes(tokens: BiEncoderTokens, given: Ranking, rows: Rows, count: int) -> Floats:
    """Codes made of the token states of queries and of some documents."""
    some = rows[np.unique(np.linspace(0, len(rows) - 1, _CODE_TEXTS).astype(int))]
    states = [
        tokens.query_states(given.queries.texts).values,
        tokens.document_states(given.corpus.texts(some)).values,
    ]
    return codes_from(np.concatenate(states)[:20_000], count)


def _filled(late: LateInteraction, given: Ranking, rows: Rows) -> StateStore:
    store = late.store(given.corpus)
    for start in range(0, len(rows), _BATCH):
        store.states(rows[start : start + _BATCH])
    return store


def _crossed(given: Ranking, scorer: Scorer) -> Ranking:
    owners: Sequence[int] = given.owners().tolist()
    texts = given.corpus.texts(given.docs)
    queries = [given.queries.texts[i] for i in owners]
    return given.rescored(scorer.score_texts(queries, texts), Scale(scorer.scale))
