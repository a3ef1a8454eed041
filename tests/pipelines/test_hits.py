"""Results tell where each document stood in every stage."""

from __future__ import annotations

from crossrank import MemoryCorpus, Queries, Ranking, Scale, Search
from crossrank.pipelines.hits import hits
from crossrank.stage import Step, Trace

CORPUS = MemoryCorpus.of(list("abcdef"))
SEARCH = Search(Queries.of(["q", "r"]), CORPUS)


def _step(name: str, first: list[int], scale: Scale) -> Step:
    scores = [[float(-i) for i in range(len(first))], [0.0]]
    return Step(name, Ranking.of_lists(SEARCH, [first, [0]], scores, scale), 0.5)


def test_a_hit_knows_its_path_and_its_move() -> None:
    trace = Trace(
        (
            _step("bm25", [5, 1, 2], Scale.BM25),
            _step("dense", [2, 4], Scale.COSINE),
            _step("cross-encoder", [2, 5, 4], Scale.LOGIT),
        )
    )
    found = hits(trace, 0, 2)
    assert [hit.id for hit in found] == ["2", "5"]
    first, second = found
    assert [(p.stage, p.rank, p.score) for p in first.places] == [
        ("bm25", 3, -2.0),
        ("dense", 1, 0.0),
        ("cross-encoder", 1, 0.0),
    ]
    assert [(p.stage, p.rank) for p in second.places] == [("bm25", 1), ("cross-encoder", 2)]
    assert (first.moved, second.moved) == (0, -1)
    assert second.scale is Scale.LOGIT


def test_a_query_without_results_gives_none() -> None:
    empty = Ranking.of_lists(SEARCH, [[], []], [[], []])
    assert hits(Trace((Step("bm25", empty, 0.0),)), 1, 10) == ()
