"""Exact dense retrieval in memory: for texts that are no collection, and as the reference."""

from __future__ import annotations

from typing import Final

import numpy as np

from crossrank.errors import BadInput
from crossrank.retrieve.select import best, check_corpus, check_depth, positions
from crossrank.types import Corpus, Encoder, Floats, Ranking, Rows, Search

_BATCH: Final = 1024
_BLOCK: Final = 64
"""Queries whose scores of all documents are in memory at once."""
_SLACK: Final = 16


class MemoryDense:
    """The nearest documents of each query by comparing with all of them; a stage.

    The vectors, float32 [documents, dimension] in the order of `corpus.rows()`, are given or
    encoded here.
    """

    def __init__(
        self,
        corpus: Corpus,
        encoder: Encoder,
        depth: int = 100,
        *,
        vectors: Floats | None = None,
        name: str = "dense",
    ) -> None:
        self.corpus, self.encoder, self.depth = corpus, encoder, check_depth(depth)
        self.name = name
        self._rows = corpus.rows()
        self.vectors = _encoded(corpus, encoder, self._rows) if vectors is None else vectors
        if self.vectors.shape != (len(self._rows), encoder.dimension):
            raise BadInput(
                f"vectors of shape {(len(self._rows), encoder.dimension)} wanted, "
                f"got {self.vectors.shape}"
            )

    def __call__(self, given: Search, /) -> Ranking:
        """The best `depth` documents of each query; a ranking's candidates under new scores."""
        check_corpus(given, self.corpus, self.name)
        queries = self.encoder.encode_queries(given.queries.texts)
        if isinstance(given, Ranking):
            at = positions(self._rows, given.docs)
            similar = _similar(self.vectors[at], queries[given.owners()])
            return given.rescored(similar, self.encoder.scale).top(self.depth)
        found: list[tuple[Rows, Floats]] = []
        for start in range(0, len(queries), _BLOCK):
            block = queries[start : start + _BLOCK]
            found.extend(map(self._picked, block, block @ self.vectors.T))
        docs, scores = zip(*found, strict=True) if found else ((), ())
        return Ranking.of_lists(given, docs, scores, self.encoder.scale).top(self.depth)

    def _picked(self, query: Floats, rough: Floats) -> tuple[Rows, Floats]:
        """The best of the rough scores, scored again so that equal vectors get equal scores.

        A product of matrices may round the same row differently at different places.
        """
        chosen = np.sort(best(rough, self.depth + _SLACK))
        return self._rows[chosen], _similar(self.vectors[chosen], query[None])


def _encoded(corpus: Corpus, encoder: Encoder, rows: Rows) -> Floats:
    parts = [
        encoder.encode_documents(corpus.texts(rows[start : start + _BATCH]))
        for start in range(0, len(rows), _BATCH)
    ]
    return np.concatenate([np.empty((0, encoder.dimension), np.float32), *parts])


def _similar(documents: Floats, queries: Floats) -> Floats:
    """The inner product of each row with its query, rounded the same wherever the row stands."""
    products: Floats = np.einsum("nd,nd->n", documents, np.broadcast_to(queries, documents.shape))
    return products
