"""Normalisers: hand values, order, and lists that carry no spread."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossrank import MemoryCorpus, Queries, Ranking, Scale, Search
from crossrank.errors import BadInput
from crossrank.fuse import NORMALISERS, normalised

CORPUS = MemoryCorpus.of([""] * 50)


def ranking(*lists: list[float], scale: Scale = Scale.RAW) -> Ranking:
    search = Search(Queries.of([""] * len(lists)), CORPUS)
    return Ranking.of_lists(search, [range(len(each)) for each in lists], lists, scale)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("none", [4.0, 2.0, 0.0, -2.0]),
        ("min-max", [1.0, 2 / 3, 1 / 3, 0.0]),
        ("z-score", [3 / 5**0.5, 1 / 5**0.5, -1 / 5**0.5, -3 / 5**0.5]),
        ("dbsf", [0.5 + x / (6 * (20 / 3) ** 0.5) for x in (3, 1, -1, -3)]),
        ("sum", [6 / 12, 4 / 12, 2 / 12, 0.0]),
        ("max", [1.0, 0.5, 0.0, -0.5]),
        ("rank", [1.0, 0.75, 0.5, 0.25]),
        ("sigmoid", [1 / (1 + np.exp(-x)) for x in (4, 2, 0, -2)]),
    ],
)
def test_hand_values_do_not_depend_on_other_queries(name: str, wanted: list[float]) -> None:
    own = [4.0, 2.0, 0.0, -2.0]
    got = normalised(ranking([7.0, 1.0], own, [], [0.5]), name)
    np.testing.assert_allclose(got[2:6], wanted, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("none", 0.1),
        ("min-max", 1.0),
        ("z-score", 0.0),
        ("dbsf", 0.5),
        ("max", 1.0),
        ("sigmoid", 1 / (1 + np.exp(-0.1))),
    ],
)
@pytest.mark.parametrize("count", [1, 2, 7])
def test_lists_without_spread(name: str, wanted: float, count: int) -> None:
    got = normalised(ranking([0.1] * count), name)
    np.testing.assert_allclose(got, [wanted] * count, atol=1e-7)


def test_the_sum_of_a_list_without_spread_is_one() -> None:
    assert normalised(ranking([3.0] * 4), "sum").tolist() == [0.25] * 4


def test_max_of_logits_below_zero_keeps_their_order() -> None:
    assert normalised(ranking([-1.0, -2.0, -4.0]), "max").tolist() == [-0.25, -0.5, -1.0]
    assert normalised(ranking([0.0, 0.0]), "max").tolist() == [0.0, 0.0]


def test_sigmoid_is_for_logits() -> None:
    certain = ranking([0.9, 0.2], scale=Scale.CALIBRATED)
    np.testing.assert_allclose(normalised(certain, "sigmoid"), [0.9, 0.2], rtol=1e-6)
    extreme = normalised(ranking([1e4, -1e4], scale=Scale.LOGIT), "sigmoid")
    assert extreme.tolist() == [1.0, 0.0]
    with pytest.raises(BadInput, match=r"logits wanted for the sigmoid, got .* 'bm25'"):
        normalised(ranking([1.0], scale=Scale.BM25), "sigmoid")


def test_unknown_normalisers_are_told_what_is_known() -> None:
    with pytest.raises(BadInput, match=r"a normaliser \(none, min-max.*got 'zmuv'"):
        normalised(ranking([1.0]), "zmuv")


@pytest.mark.parametrize("name", NORMALISERS)
@given(lists=st.lists(st.lists(st.integers(-9, 9), max_size=6), min_size=1, max_size=4))
def test_every_normaliser_keeps_the_order(name: str, lists: list[list[int]]) -> None:
    given_ranking = ranking(*[[x / 2 for x in each] for each in lists])
    values = normalised(given_ranking, name)
    assert values.shape == given_ranking.scores.shape
    assert np.isfinite(values).all()
    for start, stop in zip(given_ranking.indptr[:-1], given_ranking.indptr[1:], strict=True):
        scores, own = given_ranking.scores[start:stop], values[start:stop]
        assert (np.diff(own) <= 1e-12).all()
        if name != "rank":  # ranks tell tied documents apart, by row
            assert (np.diff(own)[np.diff(scores) == 0] == 0).all()
