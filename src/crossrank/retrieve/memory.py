"""Exact BM25 in memory: for texts that are no collection, and to check other engines against."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np

from crossrank.errors import BadInput
from crossrank.retrieve.inverted import Inverted
from crossrank.retrieve.select import best, check_corpus, check_depth, positions
from crossrank.text import Analyzer, VocabularyBuilder
from crossrank.text.analyzer import Setting
from crossrank.types import Corpus, Floats, Ranking, Rows, Scale, Search

_BATCH = 4096


class MemoryBM25:
    """BM25 over a corpus whose index is built here and held in memory; a stage.

    Scores are Lucene's (Kamphuis et al., "Which BM25 Do You Mean?", ECIR 2020, with exact
    document lengths): the sum over query terms of idf * (k1 + 1) * tf / (tf + k1 * (1 - b + b *
    length / average)), idf = ln(1 + (N - df + 0.5) / (df + 0.5)). The factor k1 + 1 changes no
    order; with it the figures are those of a collection. Only documents with a term of the query
    are found; of a ranking's candidates likewise those that have one.
    """

    def __init__(
        self,
        corpus: Corpus,
        analyzer: Analyzer,
        depth: int = 100,
        *,
        k1: float = 1.2,
        b: float = 0.75,
        name: str = "bm25",
    ) -> None:
        if k1 < 0 or not 0 <= b <= 1:
            raise BadInput(f"k1 of 0 or more and b from 0 to 1 wanted, got k1={k1} and b={b}")
        self.corpus, self.analyzer, self.depth = corpus, analyzer, check_depth(depth)
        self.k1, self.b, self.name = k1, b, name
        self._rows = corpus.rows()
        self._index = Inverted.of(
            terms
            for start in range(0, len(self._rows), _BATCH)
            for terms in analyzer.documents(corpus.texts(self._rows[start : start + _BATCH]))
        )
        self._weights = _weights(self._index, k1, b)

    @classmethod
    def learned(cls, corpus: Corpus, language: Setting = "auto", depth: int = 100) -> Self:
        """BM25 with an analyser whose vocabulary is learned from the corpus itself."""
        builder = VocabularyBuilder()
        rows = corpus.rows()
        for start in range(0, len(rows), _BATCH):
            builder.add(
                corpus.texts(rows[start : start + _BATCH]),
                None if language == "auto" else language,
            )
        return cls(corpus, Analyzer(language, builder.build()), depth)

    def scores(self, terms: Sequence[str]) -> Floats:
        """The score of every document for these terms, in the order of the corpus' rows."""
        scores = np.zeros(len(self._rows), dtype=np.float32)
        for part in self._index.postings(terms):
            scores[self._index.docs[part]] += self._weights[part]
        return scores

    def __call__(self, given: Search, /) -> Ranking:
        """The best `depth` documents of each query, inside the candidates if `given` has any."""
        check_corpus(given, self.corpus, self.name)
        terms = [self.analyzer.query(text) for text in given.queries.texts]
        if isinstance(given, Ranking):
            found = [self._among(each, docs) for each, (docs, _) in zip(terms, given, strict=True)]
        else:
            found = [self._search(each) for each in terms]
        docs, scores = zip(*found, strict=True) if found else ((), ())
        return Ranking.of_lists(given, docs, scores, Scale.BM25).top(self.depth)

    def _search(self, terms: Sequence[str]) -> tuple[Rows, Floats]:
        scores = self.scores(terms)
        chosen = best(scores, self.depth)
        chosen = chosen[scores[chosen] > 0]
        return self._rows[chosen], scores[chosen]

    def _among(self, terms: Sequence[str], candidates: Rows) -> tuple[Rows, Floats]:
        scores = self.scores(terms)[positions(self._rows, candidates)]
        return candidates[scores > 0], scores[scores > 0]


def _weights(index: Inverted, k1: float, b: float) -> Floats:
    """What each posting adds to the score of its document: float32 [P]."""
    frequency = np.diff(index.indptr).astype(np.float64)
    idf = np.log1p((index.documents - frequency + 0.5) / (frequency + 0.5))
    mean = max(float(index.lengths.mean(dtype=np.float64)), 1e-9) if index.documents else 1.0
    norm = k1 * (1 - b + b * index.lengths.astype(np.float64) / mean)
    tf = index.counts.astype(np.float64)
    weights = np.repeat(idf, np.diff(index.indptr)) * (k1 + 1) * tf / (tf + norm[index.docs])
    return weights.astype(np.float32)
