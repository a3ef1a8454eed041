"""From token vectors to one vector a text: the poolings of sentence-transformers, in numpy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from crossrank.errors import ModelError
from crossrank.models.backend_onnx import Mask
from crossrank.types import Floats

# Each takes vectors [b, s, h] and a mask [b, s] whose ones come first; gives [b, h].
_Pool = Callable[[Floats, Mask], Floats]


def _cls(vectors: Floats, mask: Mask) -> Floats:
    return vectors[:, 0]


def _last(vectors: Floats, mask: Mask) -> Floats:
    at = np.maximum(mask.sum(axis=1) - 1, 0)
    return np.asarray(vectors[np.arange(len(vectors)), at])


def _max(vectors: Floats, mask: Mask) -> Floats:
    return np.asarray(np.where(mask[:, :, None] == 1, vectors, -np.inf).max(axis=1))


def _mean(vectors: Floats, mask: Mask) -> Floats:
    weights = mask.astype(np.float32)
    return np.asarray(_weighted(vectors, weights) / _total(weights))


def _mean_sqrt(vectors: Floats, mask: Mask) -> Floats:
    weights = mask.astype(np.float32)
    return np.asarray(_weighted(vectors, weights) / np.sqrt(_total(weights)))


def _rising_mean(vectors: Floats, mask: Mask) -> Floats:
    weights = (mask * np.arange(1, mask.shape[1] + 1)).astype(np.float32)
    return np.asarray(_weighted(vectors, weights) / _total(weights))


def _total(weights: Floats) -> Floats:
    return np.asarray(np.maximum(weights.sum(axis=1, keepdims=True), 1e-9))


def _weighted(vectors: Floats, weights: Floats) -> Floats:
    return np.asarray(np.matmul(weights[:, None, :], vectors)[:, 0])


_POOLS: Final[dict[str, _Pool]] = {
    "cls": _cls,
    "lasttoken": _last,
    "max": _max,
    "mean": _mean,
    "mean_sqrt_len_tokens": _mean_sqrt,
    "weightedmean": _rising_mean,
}


def pooling(modes: Sequence[str]) -> _Pool:
    """The vectors of all modes side by side. Raises ModelError for unknown modes."""
    unknown = set(modes) - set(_POOLS)
    if unknown or not modes:
        raise ModelError(f"a pooling of {', '.join(_POOLS)} wanted, got {', '.join(modes) or None}")
    chosen = [_POOLS[mode] for mode in modes]

    def pool(vectors: Floats, mask: Mask) -> Floats:
        return np.concatenate([each(vectors, mask) for each in chosen], axis=1)

    return pool


def unit(vectors: Floats) -> Floats:
    """The vectors scaled to length 1; a zero vector stays one."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, 1e-12), dtype=np.float32)
