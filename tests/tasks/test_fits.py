"""Fits against what is known of them: stationarity, hand values, scikit-free golden cases."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossrank.errors import BadInput
from crossrank.tasks.fits import fit_logistic, pool, sigmoid, smoothed_targets


def _sample(n: int = 4000, slope: float = 0.7, intercept: float = -1.2) -> tuple[np.ndarray, ...]:
    random = np.random.default_rng(3)
    scores = random.normal(0, 4, n)
    return scores, (random.random(n) < sigmoid(slope * scores + intercept)).astype(float)


def test_the_sigmoid_neither_overflows_nor_loses_its_symmetry() -> None:
    x = np.array([-1e4, -40.0, -1.0, 0.0, 1.0, 40.0, 1e4])
    assert sigmoid(x)[3] == 0.5
    np.testing.assert_allclose(sigmoid(x) + sigmoid(-x), 1.0, rtol=0, atol=1e-15)


def test_targets_are_platts() -> None:
    assert smoothed_targets([1, 0, 0]).tolist() == [2 / 3, 1 / 4, 1 / 4]


def test_a_logistic_fit_finds_the_numbers_behind_the_labels() -> None:
    scores, labels = _sample()
    slope, intercept = fit_logistic(np.stack([scores, np.ones_like(scores)], 1), labels)
    assert slope == pytest.approx(0.7, abs=0.07)
    assert intercept == pytest.approx(-1.2, abs=0.12)


def test_a_logistic_fit_ends_where_the_slope_of_the_loss_is_zero() -> None:
    scores, labels = _sample(300)
    x = np.stack([scores, np.abs(scores), np.ones_like(scores)], 1)
    offset = -0.5 * (scores > 1)
    weights = fit_logistic(x, labels, offset)
    slope = x.T @ (sigmoid(x @ weights + offset) - labels)
    np.testing.assert_allclose(slope, 0, atol=1e-5)


def test_separated_labels_give_finite_weights() -> None:
    scores = np.array([-3.0, -2.0, 2.0, 3.0])
    weights = fit_logistic(np.stack([scores, np.ones(4)], 1), smoothed_targets([0, 0, 1, 1]))
    assert np.isfinite(weights).all()
    assert 0 < weights[0] < 5


def test_pooling_gives_the_hand_value() -> None:
    # 1 and 0 at scores 2 and 3 violate the order and are pooled to 1/2
    knots, values = pool([1, 2, 3, 4], [0, 1, 0, 1])
    assert knots.tolist() == [1, 2, 3, 4]
    assert values.tolist() == [0, 0.5, 0.5, 1]


def test_equal_scores_are_one_knot() -> None:
    knots, values = pool([1, 1, 1, 1, 2], [0, 0, 0, 1, 1])
    assert knots.tolist() == [1, 2]
    assert values.tolist() == [0.25, 1]


@given(st.lists(st.tuples(st.integers(-5, 5), st.booleans()), min_size=2, max_size=60))
def test_pooling_never_falls_keeps_the_mean_and_beats_constants(
    pairs: list[tuple[int, bool]],
) -> None:
    scores = np.array([s for s, _ in pairs], dtype=float)
    labels = np.array([float(y) for _, y in pairs])
    if labels.min() == labels.max():
        with pytest.raises(BadInput, match="both kinds"):
            pool(scores, labels)
        return
    knots, values = pool(scores, labels)
    fitted = np.interp(scores, knots, values)
    assert (np.diff(values) >= 0).all()
    assert fitted.mean() == pytest.approx(labels.mean())
    # a least-squares fit: residuals are orthogonal to the fit
    assert float(((labels - fitted) * fitted).sum()) == pytest.approx(0, abs=1e-9)


def test_labels_other_than_0_and_1_are_refused() -> None:
    with pytest.raises(BadInput, match="labels 0 and 1"):
        pool([1, 2], [1, 3])
