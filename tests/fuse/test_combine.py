"""Combinations: hand values, missing documents, determinism, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest

from crossrank import MemoryCorpus, Queries, Ranking, Scale, Search
from crossrank.errors import BadInput
from crossrank.fuse import METHODS, Combination, combine, fuse
from crossrank.types import Note

CORPUS = MemoryCorpus.of([""] * 9)
SEARCH = Search(Queries.of(["one", "two"]), CORPUS)


def ranking(first: dict[int, float], second: dict[int, float] | None = None) -> Ranking:
    lists = (first, second or {})
    return Ranking.of_lists(SEARCH, [list(x) for x in lists], [list(x.values()) for x in lists])


def scores(fused: Ranking, query: int = 0) -> dict[int, float]:
    rows, values = fused.query(query)
    return dict(zip(rows.tolist(), values.tolist(), strict=True))


A = ranking({0: 9.0, 1: 6.0, 2: 3.0}, {7: 1.0})
B = ranking({1: 0.5, 3: 0.25})


@pytest.mark.parametrize(
    ("method", "wanted"),
    [
        ("rrf", {0: 1 / 61, 1: 1 / 62 + 1 / 61, 2: 1 / 63, 3: 1 / 62}),
        ("isr", {0: 1.0, 1: 2 * 1.25, 2: 1 / 9, 3: 0.25}),
        ("log-isr", {0: 0.0, 1: math.log(2) * 1.25, 2: 0.0, 3: 0.0}),
        ("logn-isr", {0: math.log(1.01), 1: math.log(2.01) * 1.25,
                      2: math.log(1.01) / 9, 3: math.log(1.01) / 4}),
        ("borda", {0: 4 + 1.5, 1: 3 + 4, 2: 2 + 1.5, 3: 1 + 3}),
        ("sum", {0: 1.0, 1: 1.5, 2: 0.0, 3: 0.0}),
        ("mnz", {0: 1.0, 1: 3.0, 2: 0.0, 3: 0.0}),
        ("anz", {0: 1.0, 1: 0.75, 2: 0.0, 3: 0.0}),
        ("max", {0: 1.0, 1: 1.0, 2: 0.0, 3: 0.0}),
        ("min", {0: 1.0, 1: 0.5, 2: 0.0, 3: 0.0}),
        ("med", {0: 1.0, 1: 0.75, 2: 0.0, 3: 0.0}),
        ("dbsf", {0: 4 / 6, 1: 0.5 + 0.5 + 1 / math.sqrt(72), 2: 2 / 6,
                  3: 0.5 - 1 / math.sqrt(72)}),
    ],
)  # fmt: skip
def test_hand_values(method: str, wanted: dict[int, float]) -> None:
    fused = fuse([A, B], method)
    assert scores(fused) == pytest.approx(wanted, abs=1e-6)
    assert fused.scale is Scale.FUSED


@pytest.mark.parametrize("method", METHODS)
def test_a_query_that_only_one_list_answers(method: str) -> None:
    fused = fuse([A, B], method)
    assert list(scores(fused, 1)) == [7]
    empty = fuse([B, B], method)
    assert scores(empty, 1) == {}


@pytest.mark.parametrize(
    ("missing", "wanted"),
    [
        ("skip", {0: 3.0, 1: 2.0 + 0.5, 2: 1.0, 3: 0.25}),
        ("zero", {0: 3.0, 1: 2.0 + 0.5, 2: 1.0, 3: 0.25}),
        ("min", {0: 3.0 + 0.25, 1: 2.0 + 0.5, 2: 1.0 + 0.25, 3: 1.0 + 0.25}),
    ],
)
def test_missing_scores_of_a_weighted_sum(missing: str, wanted: dict[int, float]) -> None:
    fused = fuse([A, B], "sum", weights=(1 / 3, 1), normalise="none", missing=missing)
    assert scores(fused) == pytest.approx(wanted, abs=1e-6)
    assert scores(fused, 1) == pytest.approx({7: 1 / 3})  # B has nothing there: no gap to fill


def test_missing_counts_as_a_value_for_the_minimum_and_the_median_when_filled() -> None:
    assert scores(fuse([A, B], "min", missing="zero"))[0] == 0.0
    assert scores(fuse([A, B], "med", missing="zero"))[0] == 0.5


def test_weights_are_shares_of_each_list() -> None:
    assert scores(fuse([A, B], weights=(2, 1)))[1] == pytest.approx(2 / 62 + 1 / 61)
    only_b = fuse([A, B], "sum", weights=(0, 1))
    assert only_b.query(0)[0].tolist() == [1, 0, 2, 3]  # ties by row
    assert scores(fuse([A, B], "anz", weights=(3, 1)))[1] == pytest.approx((3 * 0.5 + 1) / 4)


def test_one_normaliser_for_each_list() -> None:
    fused = fuse([A, B], "sum", normalise=("none", "min-max"))
    assert scores(fused) == pytest.approx({0: 9.0, 1: 7.0, 2: 3.0, 3: 3.0})


def test_a_lone_document_keeps_its_score_where_nothing_is_normalised() -> None:
    lone = ranking({4: -3.25})
    assert scores(fuse([lone], "sum", normalise="none")) == {4: -3.25}
    among = ranking({4: -3.25, 5: 2.0})
    assert scores(fuse([among], "sum", normalise="none"))[4] == -3.25


def test_ties_go_by_row_and_order_of_the_lists_does_not_matter() -> None:
    x, y = ranking({5: 2.0, 3: 1.0}), ranking({3: 2.0, 5: 1.0})
    for method in METHODS:
        fused = fuse([x, y], method)
        assert fused.query(0)[0].tolist() == [3, 5]
        assert fuse([y, x], method).docs.tolist() == fused.docs.tolist()
        np.testing.assert_array_equal(fuse([y, x], method).scores, fused.scores)


def test_notes_of_all_lists_are_kept() -> None:
    noted = Ranking.of(A, A.indptr, A.docs, A.scores, notes=(Note("truncated", 2, "cut"),))
    assert fuse([noted, noted]).notes == (Note("truncated", 4, "cut"),)


def test_combine_takes_the_choice_as_one_value() -> None:
    how = Combination("sum", (0.3, 0.7), "z-score")
    other = fuse([A, B], "sum", weights=[0.3, 0.7], normalise="z-score")
    assert combine([A, B], how).scores.tolist() == other.scores.tolist()


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"method": "rff"}, "a method .*rrf.*got 'rff'"),
        ({"weights": (1.0,)}, "one weight for each of 2"),
        ({"weights": (-1.0, 1.0)}, "weights of 0 or more"),
        ({"weights": (0.0, 0.0)}, "at least one weight above 0"),
        ({"weights": (float("nan"), 1.0)}, "weights of 0 or more"),
        ({"k": -1.0}, "k of 0 or more"),
        ({"normalise": "z-score"}, "'rrf' looks at ranks only"),
        ({"missing": "min"}, "'rrf' looks at ranks only"),
        ({"method": "sum", "missing": "mean"}, "skip, zero, min wanted, got 'mean'"),
        ({"method": "sum", "normalise": "minmax"}, "a normaliser .*got 'minmax'"),
        ({"method": "sum", "normalise": ("none",)}, "one normaliser for each of 2"),
    ],
)
def test_what_makes_no_sense_is_refused(choice: dict[str, object], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        fuse([A, B], **choice)  # type: ignore[arg-type]


def test_rankings_of_other_queries_or_another_corpus_are_refused() -> None:
    elsewhere = Ranking.everything(Search(SEARCH.queries, MemoryCorpus.of(["x"])))
    others = Ranking.everything(Search(Queries.of(["one", "three"]), CORPUS))
    for wrong in (elsewhere, others):
        with pytest.raises(BadInput, match="same queries over one corpus"):
            fuse([A, wrong])
    with pytest.raises(BadInput, match="at least one ranking"):
        fuse([])
