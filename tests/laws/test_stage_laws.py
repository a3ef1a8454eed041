"""The laws every stage obeys, whatever it does. A new stage adds one line to STAGES."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossrank import Cut, Everything, Fuse, MemoryCorpus, Pipeline, Queries, Ranking, Search
from crossrank.fuse.learned import LearnedFuse
from crossrank.io.document import Document
from crossrank.rerank import AdaptiveRerank, Rerank
from crossrank.rerank.conditions import Conditions
from crossrank.retrieve import BM25, Dense, MemoryBM25, MemoryDense
from crossrank.retrieve.late import LateInteraction, PolyEncoder
from crossrank.stage import Stage, trace_in_batches
from crossrank.store import Collection
from crossrank.text import Analyzer
from fakes import FakeEncoder, FakeScorer, FakeTokens
from tiny_fusion import tiny_learned

WORDS = (
    *("kühlschrank", "labor", "280 Liter", "ohne Gefrierfach", "Gefrierfach"),
    *("fridge", "DIN 13277", "warm"),
)
TEXTS = [f"{WORDS[i % 8]} {WORDS[(i * 3 + 1) % 8]} {i}" for i in range(20)]
CORPUS = MemoryCorpus([f"d{i}" for i in range(20)], TEXTS)


@cache
def _collection() -> Collection:
    made = Collection.create(Stored.folder / "laws", "de")
    documents = zip(CORPUS.ids(CORPUS.rows()), TEXTS, strict=True)
    made.add([Document(name, text) for name, text in documents], [FakeEncoder()])
    return made


class Stored:
    """A stage over a collection of the same documents, as a stage over CORPUS."""

    folder: ClassVar[Path]

    def __init__(self, make: Callable[[Collection], Stage[Ranking]]) -> None:
        self.stage = make(_collection())
        self.name = self.stage.name

    def __call__(self, given: Ranking, /) -> Ranking:
        stored = _collection().corpus()
        assert stored.ids(stored.rows()) == CORPUS.ids(CORPUS.rows())
        return replace(self.stage(replace(given, corpus=stored)), corpus=given.corpus)


# Stages that re-rank candidates. (name -> factory)
STAGES: dict[str, Callable[[], Stage[Ranking]]] = {
    "cut": lambda: Cut(3),
    "everything": Everything,
    "late interaction": lambda: LateInteraction(FakeTokens(), 6),
    "poly-encoder": lambda: PolyEncoder(FakeTokens(), FakeEncoder(), 4, 6),
    "learned fusion": lambda: LearnedFuse(Everything(), Cut(4), model=tiny_learned(), depth=5),
    "pipeline": lambda: Pipeline(Everything(), Cut(7), Cut(2)),
    "bm25": lambda: Stored(lambda made: BM25(made, depth=5)),
    "dense": lambda: Stored(lambda made: Dense(made, FakeEncoder(), depth=5)),
    "bm25 in memory": lambda: MemoryBM25(CORPUS, Analyzer("de"), depth=5),
    "dense in memory": lambda: MemoryDense(CORPUS, FakeEncoder(), depth=5),
    "fuse ranks": lambda: Fuse(Everything(), Cut(4), depth=5),
    "fuse scores": lambda: Fuse(
        Everything(), Cut(2), method="sum", normalise="z-score", weights=(1, 2)
    ),
    "rerank": lambda: Rerank(FakeScorer(), depth=5),
    "rerank with the incoming ranking": lambda: Rerank(FakeScorer(), depth=5, weight=0.6),
    "conditions": lambda: Conditions(FakeScorer(), depth=5),
    "adaptive rerank": lambda: AdaptiveRerank(FakeScorer(), k=2, depth=6, block=2, patience=1),
}


@st.composite
def candidates(draw: st.DrawFn, prefix: str = "") -> Ranking:
    count = draw(st.integers(1, 3))
    texts = draw(st.lists(st.sampled_from(WORDS), min_size=count, max_size=count))
    rows = [draw(st.lists(st.integers(0, 19), unique=True, max_size=8)) for _ in range(count)]
    scores = [[draw(st.integers(-3, 3)) / 2 for _ in each] for each in rows]
    queries = Queries(tuple(f"{prefix}{i}" for i in range(count)), tuple(texts))
    return Ranking.of_lists(Search(queries, CORPUS), rows, scores)


def assert_same(a: Ranking, b: Ranking) -> None:
    assert a.queries == b.queries
    assert a.indptr.tolist() == b.indptr.tolist()
    assert a.docs.tolist() == b.docs.tolist()
    np.testing.assert_allclose(a.scores, b.scores, rtol=0, atol=1e-6)
    assert a.scale == b.scale


def assert_lawful(ranking: Ranking) -> None:
    assert np.isfinite(ranking.scores).all()
    for docs, scores in ranking:
        keys = list(zip((-scores).tolist(), docs.tolist(), strict=True))
        assert keys == sorted(keys)
        assert len(set(docs.tolist())) == len(docs)


@pytest.fixture(params=STAGES, scope="module")
def stage(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Stage[Ranking]:
    Stored.folder = tmp_path_factory.getbasetemp()
    return STAGES[request.param]()


@given(asked=candidates())
def test_the_answer_is_lawful_and_inside_the_candidates(
    stage: Stage[Ranking], asked: Ranking
) -> None:
    answer = stage(asked)
    assert answer.queries == asked.queries
    assert answer.corpus is asked.corpus
    assert_lawful(answer)
    for (docs, _), (allowed, _) in zip(answer, asked, strict=True):
        assert set(docs.tolist()) <= set(allowed.tolist())


@given(a=candidates("a"), b=candidates("b"))
def test_queries_do_not_influence_each_other(stage: Stage[Ranking], a: Ranking, b: Ranking) -> None:
    assert_same(stage(Ranking.concat([a, b])), Ranking.concat([stage(a), stage(b)]))


@given(asked=candidates())
@settings(max_examples=25)
def test_a_stage_gives_the_same_answer_twice(stage: Stage[Ranking], asked: Ranking) -> None:
    assert_same(stage(asked), stage(asked))


def test_a_pipeline_is_its_stages_in_order_and_traces_each() -> None:
    search = Search(Queries.of(["ohne Gefrierfach", "warm"]), CORPUS)
    pipeline = Pipeline(Pipeline(Everything(), Cut(9)), Cut(4))
    trace = pipeline.trace(search)
    assert [step.name for step in trace.steps] == ["all", "cut 9", "cut 4"]
    assert [step.ranking.depths().tolist() for step in trace.steps] == [[20, 20], [9, 9], [4, 4]]
    assert_same(trace.ranking, pipeline(search))
    assert trace.seconds == pytest.approx(sum(step.seconds for step in trace.steps))


@given(asked=candidates(), size=st.integers(1, 4))
def test_batches_of_queries_give_the_trace_of_one_run(asked: Ranking, size: int) -> None:
    pipeline = Pipeline(Everything(), Cut(4))
    told: list[int] = []
    whole, parts = pipeline.trace(asked), trace_in_batches(pipeline, asked, size, told.append)
    assert [step.name for step in parts.steps] == [step.name for step in whole.steps]
    for a, b in zip(whole.steps, parts.steps, strict=True):
        assert_same(a.ranking, b.ranking)
    assert told[-1] == len(asked.queries)
    assert told == sorted(told)
