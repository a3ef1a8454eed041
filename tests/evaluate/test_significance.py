"""The tests of significance against SciPy, hand values and their own laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from crossrank.errors import BadInput
from crossrank.evaluate.significance import bootstrap, holm, randomisation, t_test, wilcoxon
from crossrank.evaluate.tails import EXACT_UP_TO, student_t


@given(t=st.floats(-60, 60), freedom=st.integers(1, 5000))
def test_the_tails_of_student_t_equal_scipy(t: float, freedom: int) -> None:
    expected = 2 * stats.t.sf(abs(t), freedom)
    assert student_t(t, freedom) == pytest.approx(expected, rel=1e-8, abs=1e-14)


def _differences(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.1, 0.4, (3, count))


@pytest.mark.parametrize("count", [2, 3, 10, 57, 300])
def test_the_t_test_equals_scipy(count: int) -> None:
    rows = _differences(count, count)
    expected = [stats.ttest_1samp(row, 0).pvalue for row in rows]
    np.testing.assert_allclose(t_test(rows), expected, rtol=1e-8)


@pytest.mark.parametrize("count", [1, 2, 5, 20, 50])
def test_wilcoxon_equals_the_exact_one_of_scipy(count: int) -> None:
    rows = _differences(count, count)
    expected = [stats.wilcoxon(row, method="exact").pvalue for row in rows]
    np.testing.assert_allclose(wilcoxon(rows), expected, rtol=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_wilcoxon_with_ties_equals_all_permutations(seed: int) -> None:
    row = np.random.default_rng(seed).integers(-3, 4, 11) / 4
    kept = row[row != 0]
    expected = stats.wilcoxon(kept, method=stats.PermutationMethod(n_resamples=np.inf)).pvalue
    assert wilcoxon(row[None])[0] == pytest.approx(expected, rel=1e-9)


def test_wilcoxon_of_many_queries_is_the_normal_approximation() -> None:
    row = np.round(_differences(EXACT_UP_TO + 200, 1)[:1], 1)
    expected = stats.wilcoxon(row[0], correction=False, method="asymptotic").pvalue
    assert wilcoxon(row)[0] == pytest.approx(expected, rel=1e-9)


def test_a_difference_that_is_rounding_only_is_none() -> None:
    assert wilcoxon(np.array([[0.1 + 0.2 - 0.3, 0.0]]))[0] == 1.0
    tied = np.array([[0.3, 0.1 + 0.2, -0.2]])  # two ties on paper, not in binary
    assert wilcoxon(tied)[0] == wilcoxon(np.array([[0.3, 0.3, -0.2]]))[0]


def test_few_queries_are_randomised_exactly() -> None:
    row = np.array([[0.5, 0.25, 0.25, 0.0]])
    # the queries that differ have 8 signs: only +++ and --- are as extreme
    assert randomisation(row)[0] == 2 / 8
    assert randomisation(np.zeros((1, 5)))[0] == 1.0


def test_random_signs_come_near_the_exact_test() -> None:
    rows = _differences(14, 3)
    exact = randomisation(rows, samples=2**14)
    sampled = randomisation(rows, samples=2**14 - 1, seed=5)
    np.testing.assert_allclose(sampled, exact, atol=0.015)
    assert (sampled != exact).any()


def test_the_seed_decides_and_p_is_never_zero() -> None:
    rows = np.full((1, 64), 0.25)
    assert randomisation(rows, samples=999)[0] == 1 / 1000
    wide = _differences(64, 4)
    first = randomisation(wide, 500, seed=1)
    assert first.tolist() == randomisation(wide, 500, seed=1).tolist()
    assert first.tolist() != randomisation(wide, 500, seed=2).tolist()


@given(rows=st.lists(st.lists(st.integers(-4, 4), min_size=6, max_size=6), min_size=1, max_size=3))
@settings(max_examples=40)
def test_no_test_depends_on_who_is_named_first(rows: list[list[int]]) -> None:
    values = np.array(rows) / 8
    for test in (t_test, wilcoxon, randomisation):
        p = test(values)
        np.testing.assert_allclose(p, test(-values), rtol=1e-9)
        assert ((p > 0) | (np.ptp(values, axis=1) == 0)).all()
        assert (p <= 1).all()


def test_holm_by_hand() -> None:
    np.testing.assert_allclose(holm(np.array([0.03, 0.01, 0.04])), [0.06, 0.03, 0.06])
    assert holm(np.array([0.6, 0.7])).tolist() == [1.0, 1.0]
    assert holm(np.array([])).tolist() == []


def test_a_bootstrap_interval_equals_scipys_percentile_one() -> None:
    rows = _differences(80, 8)
    low, high = bootstrap(rows, samples=20_000)
    for i, row in enumerate(rows):
        other = stats.bootstrap(
            (row,), np.mean, method="percentile", n_resamples=20_000, rng=np.random.default_rng(1)
        ).confidence_interval
        assert (low[i], high[i]) == pytest.approx(tuple(other), abs=0.003)


def test_a_bootstrap_interval_of_equal_values_is_a_point() -> None:
    low, high = bootstrap(np.full((1, 7), 0.5), samples=100)
    assert (low[0], high[0]) == (0.5, 0.5)


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(BadInput, match="differences"):
        t_test(np.empty((2, 0)))
    with pytest.raises(BadInput, match="a level between 0 and 1"):
        bootstrap(np.ones((1, 3)), level=95)
    with pytest.raises(BadInput, match="1 or more samples"):
        randomisation(np.ones((1, 3)), samples=0)
