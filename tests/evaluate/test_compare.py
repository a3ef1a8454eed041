"""Comparisons: who won where, against whom, and what is reported."""

from __future__ import annotations

import json

import numpy as np
import pytest

from crossrank import MemoryCorpus, Queries, Ranking, Scale, Search
from crossrank.errors import BadInput, NotFound
from crossrank.evaluate import P, evaluate, nDCG
from crossrank.evaluate.compare import Settings, compare
from crossrank.evaluate.significance import holm

CORPUS = MemoryCorpus.of([""] * 6)
QUERIES = Queries.of(["a", "b", "c", "d"])
SEARCH = Search(QUERIES, CORPUS)
FAST = Settings(samples=1000, resamples=200)
QRELS = Ranking.of_lists(SEARCH, [[0], [1], [2], [3]], [[1.0]] * 4, Scale.GRADE)


def run(*places: int) -> Ranking:
    """For each query its relevant document at that place (from 0) among three."""
    docs = []
    for relevant, place in enumerate(places):
        others = [row for row in range(6) if row != relevant]
        docs.append([*others[:place], relevant, *others[place:2]])
    return Ranking.of_lists(SEARCH, docs, [[3.0, 2.0, 1.0]] * len(places))


RUNS = {"base": run(1, 1, 1, 1), "better": run(0, 0, 1, 2), "best": run(0, 0, 0, 0)}


def test_wins_ties_losses_and_the_mean_difference() -> None:
    found = compare(RUNS, QRELS, [nDCG @ 10], settings=FAST)
    pair = found.pairs[0]
    assert (pair.run, pair.against) == ("better", "base")
    assert (pair.wins, pair.ties, pair.losses) == (2, 1, 1)
    gain = evaluate(RUNS["better"], QRELS, [nDCG @ 10]).mean(nDCG @ 10)
    assert pair.difference == pytest.approx(gain - 1 / np.log2(3))
    assert pair.interval[0] <= pair.difference <= pair.interval[1]


def test_the_queries_that_moved_most_come_first() -> None:
    found = compare(RUNS, QRELS, [nDCG @ 10], settings=FAST)
    moved = found.moved(found.pairs[0])
    assert [each.query for each in moved] == ["0", "1", "3"]
    assert moved[0].change == pytest.approx(1 - 1 / np.log2(3))
    assert moved[2].change == pytest.approx(0.5 - 1 / np.log2(3))
    assert len(found.moved(found.pairs[0], 1)) == 1


def test_holm_covers_the_pairs_of_one_measure() -> None:
    found = compare(RUNS, QRELS, [nDCG @ 10, P @ 1], baseline="all", settings=FAST)
    for measure in found.measures:
        pairs = [pair for pair in found.pairs if pair.measure == measure]
        assert [(p.run, p.against) for p in pairs] == [
            ("better", "base"), ("best", "base"), ("best", "better"),
        ]  # fmt: skip
        expected = holm(np.array([pair.p.t for pair in pairs]))
        assert [pair.holm.t for pair in pairs] == expected.tolist()


def test_another_baseline_and_one_that_is_no_run() -> None:
    found = compare(RUNS, QRELS, [nDCG @ 10], baseline="best", settings=FAST)
    assert {pair.against for pair in found.pairs} == {"best"}
    assert found.pairs[0].difference < 0
    with pytest.raises(NotFound, match=r"a baseline among base, better, best .* 'worst'"):
        compare(RUNS, QRELS, [nDCG @ 10], baseline="worst")
    with pytest.raises(BadInput, match="at least one run"):
        compare({}, QRELS)


def test_one_run_has_intervals_and_nothing_to_test() -> None:
    found = compare({"base": RUNS["base"]}, QRELS, [nDCG @ 10], settings=FAST)
    assert found.pairs == ()
    low, high = found.intervals["base"][nDCG @ 10]
    assert low == pytest.approx(high) == pytest.approx(1 / np.log2(3))


def test_a_judged_query_that_a_run_lacks_counts_as_lost() -> None:
    short = Ranking.of_lists(Search(QUERIES[:3], CORPUS), [[0], [1], [2]], [[1.0]] * 3)
    found = compare({"base": RUNS["base"], "short": short}, QRELS, [nDCG @ 10], settings=FAST)
    assert (found.pairs[0].wins, found.pairs[0].losses) == (3, 1)


def test_the_json_form_is_json_and_names_everything() -> None:
    found = compare(RUNS, QRELS, [nDCG @ 10, P @ 1], settings=FAST)
    plain = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert plain["queries"] == 4
    assert plain["runs"]["best"]["P@1"] == {"mean": 1.0, "interval": [1.0, 1.0]}
    assert plain["pairs"][0]["measure"] == "nDCG@10"
    assert set(plain["pairs"][0]["holm"]) == {"t", "wilcoxon", "randomisation"}
    assert plain["pairs"][0]["moved"][0]["query"] == "0"
