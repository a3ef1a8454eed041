"""BM25 and dense retrieval in memory: hand values, exactness, and what they refuse."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossrank import MemoryCorpus, Queries, Ranking, Scale, Search
from crossrank.errors import BadInput
from crossrank.retrieve import MemoryBM25, MemoryDense
from crossrank.retrieve.inverted import Inverted
from crossrank.retrieve.select import best
from crossrank.text import Analyzer
from fakes import FakeEncoder

PLAIN = Analyzer("en", compounds=False, quantities=False)
WORDS = ("cold", "fridge", "door", "shelf", "lamp")
texts = st.lists(st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join), min_size=1)


def bm25(query: list[str], documents: list[list[str]], k1: float, b: float) -> list[float]:
    """The formula, written out."""
    average = max(sum(map(len, documents)) / len(documents), 1e-9)
    scores = []
    for document in documents:
        counts, score = Counter(document), 0.0
        for term in dict.fromkeys(query):
            df = sum(term in each for each in documents)
            idf = math.log(1 + (len(documents) - df + 0.5) / (df + 0.5))
            norm = k1 * (1 - b + b * len(document) / average)
            if counts[term]:
                score += idf * (k1 + 1) * counts[term] / (counts[term] + norm)
        scores.append(score)
    return scores


@given(
    documents=texts,
    query=st.lists(st.sampled_from(WORDS), min_size=1, max_size=3),
    k1=st.floats(0, 3),
    b=st.floats(0, 1),
)
def test_scores_are_those_of_the_formula(
    documents: list[str], query: list[str], k1: float, b: float
) -> None:
    stage = MemoryBM25(MemoryCorpus.of(documents), PLAIN, k1=k1, b=b)
    analysed = [PLAIN.document(text).split() for text in documents]
    wanted = bm25(PLAIN.query(" ".join(query)), analysed, k1, b)
    np.testing.assert_allclose(stage.scores(PLAIN.query(" ".join(query))), wanted, rtol=1e-5)


def test_a_hand_computed_score() -> None:
    # N = 2, df = 1: idf = ln(1 + 1.5 / 1.5) = ln 2; lengths 1 and 3, average 2;
    # tf = 1: 2.2 / (1 + 1.2 * (0.25 + 0.75 * 1 / 2)) = 2.2 / 1.75
    stage = MemoryBM25(MemoryCorpus.of(["fridge", "cold lamp door"]), PLAIN)
    answer = stage(Search(Queries.of(["fridge"]), stage.corpus))
    assert answer.docs.tolist() == [0]
    assert answer.scale is Scale.BM25
    assert answer.scores[0] == pytest.approx(math.log(2) * 2.2 / 1.75, rel=1e-6)


@given(documents=texts, depth=st.integers(1, 6))
def test_a_depth_is_a_prefix_of_a_deeper_one(documents: list[str], depth: int) -> None:
    corpus = MemoryCorpus.of(documents)
    search = Search(Queries.of(["cold fridge", "lamp"]), corpus)
    for deep, flat in (
        (MemoryBM25(corpus, PLAIN, 100), MemoryBM25(corpus, PLAIN, depth)),
        (MemoryDense(corpus, FakeEncoder(), 100), MemoryDense(corpus, FakeEncoder(), depth)),
    ):
        whole, part = deep(search).top(depth), flat(search)
        assert part.docs.tolist() == whole.docs.tolist()
        np.testing.assert_array_equal(part.scores, whole.scores)


@given(documents=texts)
def test_all_documents_as_candidates_are_the_search_itself(documents: list[str]) -> None:
    corpus = MemoryCorpus.of(documents)
    search = Search(Queries.of(["cold fridge", "lamp door"]), corpus)
    for stage in (MemoryBM25(corpus, PLAIN), MemoryDense(corpus, FakeEncoder())):
        free, bound = stage(search), stage(Ranking.everything(search))
        assert bound.docs.tolist() == free.docs.tolist()
        np.testing.assert_array_equal(bound.scores, free.scores)


def test_dense_scores_are_the_inner_products_of_the_nearest() -> None:
    corpus = MemoryCorpus.of(["cold fridge", "lamp", "fridge door", "shelf"])
    encoder = FakeEncoder()
    answer = MemoryDense(corpus, encoder, 2)(Search(Queries.of(["fridge"]), corpus))
    products = encoder.encode_documents(corpus.texts(corpus.rows())) @ encoder.encode_queries(
        ["fridge"]
    ).T.reshape(-1)
    wanted = np.argsort(-products)[:2]
    assert answer.docs.tolist() == wanted.tolist()
    np.testing.assert_allclose(answer.scores, products[wanted], atol=1e-6)
    assert answer.scale is Scale.COSINE


@given(
    scores=st.lists(st.integers(0, 4).map(float), min_size=1, max_size=30),
    depth=st.integers(1, 10),
)
def test_best_is_a_stable_sort_cut_off(scores: list[float], depth: int) -> None:
    values = np.array(scores, dtype=np.float32)
    wanted = sorted(range(len(scores)), key=lambda i: (-scores[i], i))[:depth]
    assert best(values, depth).tolist() == wanted


@given(documents=texts)
def test_the_index_holds_every_count(documents: list[str]) -> None:
    index = Inverted.of(documents)
    assert index.lengths.tolist() == [len(each.split()) for each in documents]
    held = {}
    for term in index.terms:
        (part,) = index.postings([term])
        assert (np.diff(index.docs[part]) > 0).all()
        held |= {
            (int(d), term): int(n)
            for d, n in zip(index.docs[part], index.counts[part], strict=True)
        }
    wanted = {
        (d, t): n for d, each in enumerate(documents) for t, n in Counter(each.split()).items()
    }
    assert held == wanted


def test_documents_of_many_batches_are_numbered_through() -> None:
    index = Inverted.of(f"common d{i}" for i in range(20_000))
    (common,) = index.postings(["common"])
    (last,) = index.postings(["d19999"])
    assert index.docs[common].tolist() == list(range(20_000))
    assert index.docs[last].tolist() == [19_999]


def test_no_documents_and_no_queries_give_empty_answers() -> None:
    for corpus in (MemoryCorpus.of([]), MemoryCorpus.of(["", "   "])):
        stage = MemoryBM25(corpus, PLAIN)
        assert stage(Search(Queries.of(["fridge", ""]), corpus)).depths().tolist() == [0, 0]
        assert len(stage(Search(Queries.of([]), corpus))) == 0
    empty = MemoryCorpus.of([])
    dense = MemoryDense(empty, FakeEncoder())
    assert dense(Search(Queries.of(["fridge"]), empty)).depths().tolist() == [0]


def test_a_vocabulary_learned_from_the_corpus_splits_its_compounds() -> None:
    parts = ["Der Schrank", "Ein Schrank", "Das Labor", "Im Labor"]
    corpus = MemoryCorpus.of([*parts, "Laborschrank"])
    answer = MemoryBM25.learned(corpus, "de")(Search(Queries.of(["Schränke"]), corpus))
    assert sorted(answer.docs.tolist()) == [0, 1, 4]


def test_wrong_settings_and_foreign_corpora_are_refused() -> None:
    corpus = MemoryCorpus.of(["fridge"])
    for wrong in ({"depth": 0}, {"depth": 10_001}, {"k1": -0.1}, {"b": 1.1}):
        with pytest.raises(BadInput, match="wanted"):
            MemoryBM25(corpus, PLAIN, **wrong)  # type: ignore[arg-type]
    other = Search(Queries.of(["fridge"]), MemoryCorpus.of(["fridge"]))
    for stage in (MemoryBM25(corpus, PLAIN), MemoryDense(corpus, FakeEncoder())):
        with pytest.raises(BadInput, match="another corpus"):
            stage(other)
    with pytest.raises(BadInput, match="vectors of shape"):
        MemoryDense(corpus, FakeEncoder(), vectors=np.zeros((2, 16), np.float32))
