"""The columnar core: construction, refusal of bad columns, and the operations on rankings."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossrank import MemoryCorpus, Queries, Ranking, Scale, Search
from crossrank.errors import BadInput, Error
from crossrank.types import Note, merge_notes

CORPUS = MemoryCorpus.of([f"text {i}" for i in range(12)])


@st.composite
def rankings(draw: st.DrawFn, queries: int | None = None) -> Ranking:
    count = draw(st.integers(0, 4)) if queries is None else queries
    rows = [draw(st.lists(st.integers(0, 11), unique=True)) for _ in range(count)]
    scores = [[draw(st.sampled_from([-1.5, 0.0, 0.25, 2.0])) for _ in each] for each in rows]
    return Ranking.of_lists(Search(Queries.of(["q"] * count), CORPUS), rows, scores, Scale.LOGIT)


def test_queries_refuse_repeated_ids() -> None:
    with pytest.raises(BadInput, match="'a'"):
        Queries(("a", "b", "a"), ("x", "y", "z"))


def test_corpus_finds_rows_and_marks_missing_ids() -> None:
    corpus = MemoryCorpus(["x", "ß"], ["one", "two"])
    assert corpus.find(["ß", "nope", "x"]).tolist() == [1, -1, 0]
    assert corpus.texts(np.array([1, 0], np.int32)) == ["two", "one"]


def test_corpus_refuses_repeated_ids() -> None:
    with pytest.raises(BadInput, match="repeated: 'a'"):
        MemoryCorpus(["a", "a"], ["one", "two"])


def test_ties_go_by_row() -> None:
    ranking = Ranking.of_lists(
        Search(Queries.of(["q"]), CORPUS), [[7, 3, 5, 1]], [[1.0, 2.0, 1.0, 2.0]]
    )
    assert ranking.docs.tolist() == [1, 3, 5, 7]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_scores_must_be_finite(bad: float) -> None:
    with pytest.raises(BadInput, match="finite"):
        Ranking.of_lists(Search(Queries.of(["q"]), CORPUS), [[1, 2]], [[0.0, bad]])


def test_a_document_ranked_twice_is_refused() -> None:
    with pytest.raises(BadInput, match="ranked twice for query '1'"):
        Ranking.of_lists(
            Search(Queries.of(["q", "r"]), CORPUS), [[1, 2], [2, 3, 2]], [[0, 0], [0, 1, 5]]
        )


@given(rankings(), st.integers(0, 13))
def test_top_is_an_exact_prefix(ranking: Ranking, depth: int) -> None:
    top = ranking.top(depth)
    for (docs, scores), (all_docs, all_scores) in zip(top, ranking, strict=True):
        assert docs.tolist() == all_docs[:depth].tolist()
        assert scores.tolist() == all_scores[:depth].tolist()


@given(rankings())
def test_sorted_with_ranks_from_one(ranking: Ranking) -> None:
    for index, (docs, scores) in enumerate(ranking):
        keys = list(zip((-scores).tolist(), docs.tolist(), strict=True))
        assert keys == sorted(keys)
        mine = ranking.ranks()[ranking.owners() == index]
        assert mine.tolist() == list(range(1, len(docs) + 1))


@given(st.integers(0, 3).flatmap(rankings), st.integers(1, 3).flatmap(rankings))
def test_concat_then_select_gives_the_parts(a: Ranking, b: Ranking) -> None:
    queries = Queries(tuple(f"b{i}" for i in range(len(b.queries))), b.queries.texts)
    renamed = Ranking(queries, b.corpus, b.indptr, b.docs, b.scores, b.scale)
    both = Ranking.concat([a, renamed])
    back = both.select(slice(len(a.queries), None))
    assert back.docs.tolist() == b.docs.tolist()
    assert back.scores.tolist() == b.scores.tolist()
    assert back.indptr.tolist() == b.indptr.tolist()
    assert both.queries.ids == (*a.queries.ids, *queries.ids)


def test_everything_ranks_every_document_for_every_query() -> None:
    ranking = Ranking.everything(Search(Queries.of(["a", "b"]), CORPUS))
    assert ranking.depths().tolist() == [12, 12]
    assert ranking.docs.tolist() == [*range(12), *range(12)]


def test_rescored_sorts_anew_and_says_the_scale() -> None:
    ranking = Ranking.of_lists(Search(Queries.of(["q"]), CORPUS), [[1, 2, 3]], [[3, 2, 1]])
    again = ranking.rescored([0.1, 0.2, 0.3], Scale.PROBABILITY, (Note("truncated", 1, "t"),))
    assert again.docs.tolist() == [3, 2, 1]
    assert again.scale is Scale.PROBABILITY
    assert again.notes == (Note("truncated", 1, "t"),)


def test_notes_of_one_kind_add_up() -> None:
    notes = merge_notes([(Note("a", 1, "x"),), (Note("a", 2, "x"), Note("b", 1, "y"))])
    assert notes == (Note("a", 3, "x"), Note("b", 1, "y"))


@pytest.mark.parametrize("error", [Error, BadInput])
def test_errors_are_caught_by_their_builtin(error: type[Error]) -> None:
    assert issubclass(error, Exception)
    with pytest.raises(ValueError, match="wanted"):
        Ranking.of_lists(Search(Queries.of(["q"]), CORPUS), [], []).top(-1)
