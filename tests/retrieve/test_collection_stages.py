"""BM25 and dense stages over a real collection: equal to the exact ones, filters, candidates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import small_collection as small
from crossrank import MemoryCorpus, Queries, Ranking, Search
from crossrank.errors import BadInput, NotFound
from crossrank.retrieve import BM25, Dense, MemoryBM25, MemoryDense
from crossrank.store import Collection
from fakes import FakeEncoder

QUERIES = Queries.of(
    ["Kühlschrank 280 Liter", "freezer", "DIN 13277", "Labo 288", "zwei Zonen", "", "xylophone"]
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    return small.collection(tmp_path_factory.mktemp("retrieve") / "small")


@pytest.fixture
def search(made: Collection) -> Search:
    return Search(QUERIES, made.corpus())


def assert_same_but_corpus(a: Ranking, b: Ranking) -> None:
    assert a.indptr.tolist() == b.indptr.tolist()
    assert a.docs.tolist() == b.docs.tolist()
    np.testing.assert_allclose(a.scores, b.scores, rtol=1e-5)
    assert a.scale == b.scale


def test_bm25_is_the_exact_one(made: Collection, search: Search) -> None:
    exact = MemoryBM25(small.memory(), made.analyzer)
    assert_same_but_corpus(BM25(made)(search), exact(Search(QUERIES, exact.corpus)))


def test_dense_is_the_exact_one(made: Collection, search: Search) -> None:
    exact = MemoryDense(small.memory(), FakeEncoder(), depth=4)
    found = Dense(made, FakeEncoder(), depth=4)(search)
    assert_same_but_corpus(found, exact(Search(QUERIES, exact.corpus)))


def test_compounds_units_and_names_meet_in_the_collection(made: Collection, search: Search) -> None:
    answer = BM25(made)(search)
    found = [{f"d{row}" for row in docs} for docs, _ in answer]
    assert {"d0", "d1", "d2"} <= found[0]  # Kühlschrank, inside compounds
    assert found[1:4] == [{"d6", "d7"}, {"d0", "d1"}, {"d3"}]
    assert found[5:] == [set(), set()]


@pytest.mark.parametrize("where", ["price > 700", "price < 1000 AND id != 'd0'", None])
def test_filters_limit_searches_and_candidates(
    made: Collection, search: Search, where: str | None
) -> None:
    allowed = {
        row
        for row, price in enumerate(small.PRICES)
        if where is None or (price > 700 if ">" in where else price < 1000 and row != 0)
    }
    everything = Ranking.everything(search)
    for filtered, free in (
        (BM25(made, where=where), BM25(made)),
        (Dense(made, FakeEncoder(), where=where), Dense(made, FakeEncoder())),
    ):
        for given in (search, everything):
            whole, part = free(given), filtered(given)
            for (docs, _), (all_docs, _) in zip(part, whole, strict=True):
                assert docs.tolist() == [row for row in all_docs.tolist() if row in allowed]


def test_candidates_have_the_scores_they_have_in_a_search(made: Collection, search: Search) -> None:
    lists = [[0, 5, 9], [7], [1, 2, 3], [], [8, 4], [0], [1]]
    candidates = Ranking.of_lists(search, lists, [np.zeros(len(each)) for each in lists])
    for stage in (BM25(made), Dense(made, FakeEncoder())):
        free, bound = stage(search), stage(candidates)
        for (docs, scores), (all_docs, all_scores), mine in zip(bound, free, lists, strict=True):
            kept = [i for i, row in enumerate(all_docs.tolist()) if row in mine]
            assert docs.tolist() == all_docs[kept].tolist()
            np.testing.assert_allclose(scores, all_scores[kept], atol=1e-6)


def test_equal_documents_at_the_cut_are_taken_in_the_order_of_rows(tmp_path: Path) -> None:
    same = tuple(["cold fridge"] * 60 + ["warm lamp"] * 60)
    made = small.collection(tmp_path / "same", same)
    search = Search(Queries.of(["fridge", "lamp", "warm fridge"]), made.corpus())
    for deep, flat in (
        (BM25(made, 120), BM25(made, 7)),
        (Dense(made, FakeEncoder(), 120), Dense(made, FakeEncoder(), 7)),
    ):
        assert flat(search).docs.tolist() == deep(search).top(7).docs.tolist()
    assert BM25(made, 3)(search).docs.tolist() == [0, 1, 2, 60, 61, 62, 0, 1, 2]


def test_questions_about_another_corpus_are_refused(made: Collection, tmp_path: Path) -> None:
    other = small.collection(tmp_path / "other")
    for corpus in (MemoryCorpus.of(["fridge"]), other.corpus()):
        for stage in (BM25(made), Dense(made, FakeEncoder())):
            with pytest.raises(BadInput, match=r"collection\.corpus\(\)"):
                stage(Search(QUERIES, corpus))


def test_dense_says_how_to_get_vectors_that_are_not_there(made: Collection, search: Search) -> None:
    class Other(FakeEncoder):
        name = "another-model"

    with pytest.raises(NotFound, match=r"'another-model' wanted.*fake-letters-16.*--encoder"):
        Dense(made, Other())(search)


@pytest.mark.parametrize("depth", [0, 10_001])
def test_depths_that_no_engine_serves_are_refused(made: Collection, depth: int) -> None:
    with pytest.raises(BadInput, match="1 to 10000"):
        BM25(made, depth)
    with pytest.raises(BadInput, match="1 to 10000"):
        Dense(made, FakeEncoder(), depth)
