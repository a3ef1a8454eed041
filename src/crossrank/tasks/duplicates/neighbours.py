"""Candidate pairs: for every text its nearest others, by vectors and by telling words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from crossrank.retrieve.inverted import Inverted
from crossrank.types import Floats, Rows

Done = Callable[[int], None]

_BLOCK: Final = 512  # texts whose neighbours are found at a time
_TILE: Final = 8192  # texts they are compared with at a time: 16 MB of similarities
_TELLING: Final = 12  # the rarest terms of a text that lexical candidates must share
_COMMON: Final = 2000  # terms in more texts than this tell nothing


def nearest(vectors: Floats, k: int, done: Done = lambda count: None) -> Rows:
    """int32 [n, k]: the k nearest other rows of each by inner product, exact; -1 beyond n - 1.

    Works in tiles, so that memory grows with n * k and not with n * n.
    """
    n = len(vectors)
    found = np.full((n, k), -1, dtype=np.int32)
    for start in range(0, n, _BLOCK):
        block = vectors[start : start + _BLOCK]
        best = np.full((len(block), k), -np.inf, dtype=np.float32)
        rows = np.full((len(block), k), -1, dtype=np.int32)
        for low in range(0, n, _TILE):
            scores = block @ vectors[low : low + _TILE].T
            own = np.arange(start, start + len(block)) - low
            inside = (own >= 0) & (own < scores.shape[1])
            scores[np.flatnonzero(inside), own[inside]] = -np.inf
            best, rows = _merge(best, rows, scores, low, k)
        found[start : start + len(block)] = rows
        done(start + len(block))
    return found


def _merge(best: Floats, rows: Rows, scores: Floats, low: int, k: int) -> tuple[Floats, Rows]:
    """The k best of what was found so far and of a new tile of scores."""
    keep = min(k, scores.shape[1])
    top = np.argpartition(scores, scores.shape[1] - keep, axis=1)[:, -keep:]
    both = np.concatenate([best, np.take_along_axis(scores, top, axis=1)], axis=1)
    names = np.concatenate([rows, (top + low).astype(np.int32)], axis=1)
    order = np.argsort(-both, axis=1, kind="stable")[:, :k]
    kept = np.take_along_axis(both, order, axis=1)
    picked = np.take_along_axis(names, order, axis=1)
    return kept, np.where(np.isfinite(kept), picked, -1).astype(np.int32)


def lexical(index: Inverted, k: int, done: Done = lambda count: None) -> Rows:
    """int32 [n, k]: for each document the k others that share its rarest terms; -1 where fewer.

    BM25 with a document's 12 rarest terms as the query, terms in over 2,000 documents left out:
    a near duplicate shares most of what is rare in a text.
    """
    n = index.documents
    found = np.full((n, k), -1, dtype=np.int32)
    frequency = np.diff(index.indptr)
    idf = np.log1p((n - frequency + 0.5) / (frequency + 0.5)).astype(np.float32)
    for row, terms in enumerate(_terms_of(index, frequency)):
        rare = terms[np.argsort(frequency[terms], kind="stable")[:_TELLING]]
        parts = [slice(int(index.indptr[t]), int(index.indptr[t + 1])) for t in rare]
        if parts:
            docs = np.concatenate([index.docs[part] for part in parts])
            gains = np.repeat(idf[rare], frequency[rare])
            others, place = np.unique(docs[docs != row], return_inverse=True)
            scores = np.bincount(place, weights=gains[docs != row], minlength=len(others))
            scores = scores / (1 + index.lengths[others] / max(index.lengths[row], 1.0))
            order = np.argsort(-scores, kind="stable")[:k]
            found[row, : len(order)] = others[order]
        if row % 1000 == 999 or row == n - 1:
            done(row + 1)
    return found


def _terms_of(index: Inverted, frequency: npt.NDArray[np.int64]) -> Iterator[npt.NDArray[np.int64]]:
    """The usable terms of each document in turn."""
    terms = np.repeat(np.arange(len(frequency)), frequency)
    usable = np.repeat((frequency > 1) & (frequency <= _COMMON), frequency)
    docs, terms = index.docs[usable], terms[usable]
    order = np.argsort(docs, kind="stable")
    bounds = np.searchsorted(docs[order], np.arange(index.documents + 1))
    for low, high in pairwise(bounds):
        yield terms[order[low:high]]


def pairs_of(*neighbours: Rows) -> npt.NDArray[np.int32]:
    """int32 [m, 2]: each unordered pair that any of the neighbour lists names, once, sorted."""
    keys = [np.empty(0, np.int64)]
    for found in neighbours:
        left = np.repeat(np.arange(len(found), dtype=np.int64), found.shape[1])
        right = found.reshape(-1).astype(np.int64)
        left, right = left[right >= 0], right[right >= 0]
        keys.append((np.minimum(left, right) << 32) | np.maximum(left, right))
    unique = np.unique(np.concatenate(keys))
    return np.stack([unique >> 32, unique & 0xFFFFFFFF], axis=1).astype(np.int32)
