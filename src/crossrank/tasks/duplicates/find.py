"""Finds the duplicates among many texts in bounded memory: candidates, scores, pairs, clusters.

What is kept for n texts: a digest and a vector each (1.6 KB at 384 dimensions), the terms of the
lexical index, n * k neighbours. Texts are fetched in batches when they are needed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from crossrank.retrieve.inverted import Inverted
from crossrank.tasks.duplicates.clusters import Pair, clusters, missing_pairs
from crossrank.tasks.duplicates.neighbours import lexical, nearest, pairs_of
from crossrank.tasks.duplicates.scoring import (
    DuplicatePair,
    Judge,
    Options,
    Scoring,
    Watch,
    cosines_of,
)
from crossrank.text.analyzer import Analyzer
from crossrank.types import Corpus, Floats, Rows

_BATCH: Final = 1024  # texts fetched and encoded at a time
_MOST: Final = 50  # the largest chain whose missing pairs complete link has scored


def unwatched(what: str, done: int, total: int) -> None:
    """Watches nothing."""


@dataclass(frozen=True, slots=True)
class Duplicates:
    """What was found: scored pairs, the surest first; texts equal but for case and white space
    (`exact`, never scored); clusters of rows over both; how many candidate pairs there were, and
    how many of them were left out by the limit."""

    pairs: tuple[DuplicatePair, ...]
    exact: tuple[tuple[int, ...], ...]
    clusters: tuple[tuple[int, ...], ...]
    candidates: int
    left_out: int

    def above(self, threshold: float) -> tuple[DuplicatePair, ...]:
        """The pairs whose probability is `threshold` or more."""
        return tuple(pair for pair in self.pairs if pair.probability >= threshold)


def find_duplicates(
    corpus: Corpus,
    judge: Judge,
    analyzer: Analyzer,
    options: Options | None = None,
    vectors: Floats | None = None,
    watch: Watch = unwatched,
) -> Duplicates:
    """The duplicates in `corpus`. `vectors` of its rows are encoded here unless given."""
    chosen = options or Options()
    rows = corpus.rows()
    groups = _equal(corpus, rows, watch)
    first = np.array([group[0] for group in groups], dtype=np.int64)
    units = _unit(
        vectors[first] if vectors is not None else _encode(corpus, rows[first], judge, watch)
    )
    pairs = _candidates(corpus, rows[first], units, analyzer, chosen, watch)
    cosines = np.concatenate([cosines_of(units, part) for part in _chunks(pairs, 65_536)])
    order = np.argsort(-cosines, kind="stable")[: chosen.most]
    scoring = Scoring(corpus, rows[first], units, judge, chosen)
    found = scoring.score(pairs[order], watch)
    if chosen.link == "complete":
        gaps = missing_pairs(_probabilities(found), chosen.threshold, _MOST)
        found += scoring.score(np.array(gaps, dtype=np.int32).reshape(-1, 2), watch)
    joined = clusters(_probabilities(found), chosen.threshold, chosen.link)
    return _result(found, groups, joined, rows, len(pairs), len(pairs) - len(order))


def _equal(corpus: Corpus, rows: Rows, watch: Watch) -> list[list[int]]:
    """Positions of texts that are equal but for case and white space, grouped; every text once."""
    groups: dict[bytes, list[int]] = {}
    for start in range(0, len(rows), _BATCH):
        for place, text in enumerate(corpus.texts(rows[start : start + _BATCH]), start):
            plain = " ".join(text.casefold().split())
            key = hashlib.blake2b(plain.encode("utf-8", "surrogatepass"), digest_size=16).digest()
            groups.setdefault(key, []).append(place)
        watch("reading", min(start + _BATCH, len(rows)), len(rows))
    return list(groups.values())


def _encode(corpus: Corpus, rows: Rows, judge: Judge, watch: Watch) -> Floats:
    vectors = np.empty((len(rows), judge.encoder.dimension), dtype=np.float32)
    for start in range(0, len(rows), _BATCH):
        part = rows[start : start + _BATCH]
        vectors[start : start + len(part)] = judge.encoder.encode_documents(corpus.texts(part))
        watch("encoding", start + len(part), len(rows))
    return vectors


def _unit(vectors: Floats) -> Floats:
    """Vectors of length 1, in place."""
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return vectors


def _candidates(
    corpus: Corpus,
    rows: Rows,
    units: Floats,
    analyzer: Analyzer,
    options: Options,
    watch: Watch,
) -> npt.NDArray[np.int32]:
    found: list[Rows] = []
    if options.neighbours:
        near = min(options.neighbours, max(len(rows) - 1, 1))
        found.append(nearest(units, near, lambda done: watch("comparing vectors", done, len(rows))))
    if options.lexical:
        index = Inverted.of(
            terms
            for start in range(0, len(rows), _BATCH)
            for terms in analyzer.documents(corpus.texts(rows[start : start + _BATCH]))
        )
        told = lambda done: watch("comparing terms", done, len(rows))  # noqa: E731
        found.append(lexical(index, options.lexical, told))
    return pairs_of(*found)


def _chunks(pairs: npt.NDArray[np.int32], size: int) -> Iterator[npt.NDArray[np.int32]]:
    yield pairs[:size]
    for start in range(size, len(pairs), size):
        yield pairs[start : start + size]


def _probabilities(found: list[DuplicatePair]) -> dict[Pair, float]:
    return {(pair.left, pair.right): pair.probability for pair in found}


def _result(
    found: list[DuplicatePair],
    groups: list[list[int]],
    joined: list[list[int]],
    rows: Rows,
    candidates: int,
    left_out: int,
) -> Duplicates:
    """Positions of first texts turned into rows, equal texts put into their clusters."""
    first = [int(rows[group[0]]) for group in groups]
    pairs = [
        DuplicatePair(first[p.left], first[p.right], p.probability, p.score, p.cosine, p.conflicts)
        for p in found
    ]
    pairs.sort(key=lambda p: (-p.probability, p.left, p.right))
    in_cluster = {place for cluster in joined for place in cluster}
    alone = [[place] for place, g in enumerate(groups) if len(g) > 1 and place not in in_cluster]
    whole = [[i for place in each for i in groups[place]] for each in [*joined, *alone]]
    return Duplicates(
        tuple(pairs),
        tuple(tuple(int(rows[i]) for i in group) for group in groups if len(group) > 1),
        tuple(sorted(tuple(int(rows[i]) for i in sorted(each)) for each in whole)),
        candidates,
        left_out,
    )
