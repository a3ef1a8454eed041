"""Fits that turn scores into probabilities: logistic by Newton's method, isotonic by pooling.

Logistic fits follow Platt (1999), "Probabilistic outputs for support vector machines", with the
targets smoothed as there and the Newton steps with backtracking of Lin, Lin and Weng (2007), "A
note on Platt's probabilistic outputs". Isotonic regression pools adjacent violators (Ayer 1955).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from crossrank.errors import BadInput

Reals = npt.NDArray[np.float64]

_STEPS = 100
_FLAT = 1e-10
_RIDGE = 1e-9


def sigmoid(values: npt.ArrayLike) -> Reals:
    """1 / (1 + exp(-x)), without overflow for any x."""
    x = np.asarray(values, dtype=np.float64)
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, small) / (1.0 + small)


def smoothed_targets(labels: npt.ArrayLike) -> Reals:
    """Platt's targets: (N+ + 1) / (N+ + 2) for a positive, 1 / (N- + 2) for a negative."""
    positive = _binary(labels)
    n = float(positive.sum())
    return np.where(positive, (n + 1) / (n + 2), 1 / (len(positive) - n + 2))


def fit_logistic(
    features: npt.ArrayLike, targets: npt.ArrayLike, offset: npt.ArrayLike = 0.0
) -> Reals:
    """The weights w that minimise the log loss of sigmoid(features @ w + offset).

    features: [n, k], add a column of ones for an intercept; targets: [n], in [0, 1]; `offset` is
    added as it is and not fitted. Scores that separate the labels need smoothed targets: with 0
    and 1 the weights would grow without bound, and the fit stops after 100 steps.
    """
    x = np.asarray(features, dtype=np.float64)
    t = np.asarray(targets, dtype=np.float64)
    if x.ndim != 2 or len(x) != len(t) or not len(t):
        raise BadInput(f"features [n, k] and n targets wanted, got {x.shape} and {t.shape}")
    weights = np.zeros(x.shape[1])
    fixed = np.broadcast_to(np.asarray(offset, dtype=np.float64), t.shape)
    loss = _log_loss(x @ weights + fixed, t)
    for _ in range(_STEPS):
        p = sigmoid(x @ weights + fixed)
        slope = x.T @ (p - t)
        if np.abs(slope).max() < _FLAT * len(t):
            break
        curve = (x * (p * (1 - p))[:, None]).T @ x + _RIDGE * np.eye(len(weights))
        step: Reals = np.linalg.solve(curve, slope).astype(np.float64)
        weights, loss, moved = _step(x, t, fixed, weights, step, loss)
        if not moved:
            break
    return weights


def _step(
    x: Reals, t: Reals, fixed: Reals, weights: Reals, step: Reals, loss: float
) -> tuple[Reals, float, bool]:
    """One Newton step, halved until the loss falls."""
    size = 1.0
    while size > 1e-10:
        tried = weights - size * step
        found = _log_loss(x @ tried + fixed, t)
        if found < loss:
            return tried, found, True
        size /= 2
    return weights, loss, False


def _log_loss(logits: Reals, targets: Reals) -> float:
    # log(1 + exp(z)) - t z, written so that neither side overflows
    soft = np.maximum(logits, 0) + np.log1p(np.exp(-np.abs(logits)))
    return float((soft - targets * logits).sum())


def pool(scores: npt.ArrayLike, labels: npt.ArrayLike) -> tuple[Reals, Reals]:
    """Isotonic regression of labels on scores: its knots (x ascending, y not falling).

    Every pooled block gives its mean label at its lowest and at its highest score; between knots
    the fit is read by linear interpolation, outside them it is flat.
    """
    x = np.asarray(scores, dtype=np.float64)
    y = _binary(labels).astype(np.float64)
    values, inverse = np.unique(x, return_inverse=True)
    weight = np.bincount(inverse).astype(np.float64)
    means = np.bincount(inverse, weights=y) / weight
    blocks: list[tuple[float, float, int]] = []  # mean, weight, number of values
    for mean, share in zip(means, weight, strict=True):
        block = (float(mean), float(share), 1)
        while blocks and blocks[-1][0] >= block[0]:
            m, w, c = blocks.pop()
            total = w + block[1]
            block = ((m * w + block[0] * block[1]) / total, total, c + block[2])
        blocks.append(block)
    return _knots(values, blocks)


def _knots(values: Reals, blocks: list[tuple[float, float, int]]) -> tuple[Reals, Reals]:
    xs: list[float] = []
    ys: list[float] = []
    start = 0
    for mean, _, count in blocks:
        ends = (start,) if count == 1 else (start, start + count - 1)
        xs.extend(float(values[end]) for end in ends)
        ys.extend(mean for _ in ends)
        start += count
    return np.array(xs), np.array(ys)


def _binary(labels: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Labels as booleans; both must occur."""
    values = np.asarray(labels)
    if not np.isin(values, (0, 1)).all():
        raise BadInput(f"labels 0 and 1 wanted, got {sorted(set(values.tolist()))[:5]}")
    found = values.astype(bool)
    if found.all() or not found.any():
        raise BadInput(
            f"labelled pairs of both kinds wanted, got {int(found.sum())} positive of {len(found)}"
        )
    return found
