"""How many of the true nearest neighbours the vector index finds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crossrank.store.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Recall:
    """The share of the exact `k` nearest documents that the index finds, over `queries`."""

    encoder: str
    k: int
    queries: int
    recall: float


def index_recall(
    snapshot: Snapshot, encoder: str, k: int, queries: int = 100, seed: int = 0
) -> Recall:
    """Compares the index with an exact search, for vectors of documents drawn at random.

    1.0 where there is no index, since every search is exact then.
    """
    drawn = np.random.default_rng(seed).permutation(len(snapshot))[:queries].astype(np.int32)
    vectors = snapshot.vectors(encoder, np.sort(drawn))
    vectors = vectors[np.abs(vectors).sum(axis=1) > 0]
    truth = snapshot.search_vectors(encoder, vectors, k, exact=True)
    found = snapshot.search_vectors(encoder, vectors, k)
    shares = [
        len(np.intersect1d(true, rows)) / max(len(true), 1)
        for (true, _), (rows, _) in zip(truth, found, strict=True)
    ]
    return Recall(encoder, k, len(vectors), float(np.mean(shares)) if shares else 1.0)
