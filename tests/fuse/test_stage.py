"""`Fuse` as a stage: it runs its stages on one question and shows what each of them did."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from crossrank import Cut, Everything, Fuse, MemoryCorpus, Pipeline, Queries, Ranking, Search
from crossrank.errors import BadInput
from crossrank.fuse import fuse
from crossrank.stage import Composite, Step

CORPUS = MemoryCorpus.of([f"text {i}" for i in range(6)])
SEARCH = Search(Queries.of(["a", "b"]), CORPUS)


@dataclass(frozen=True)
class Favour:
    """Ranks the documents by distance from one row."""

    row: int

    @property
    def name(self) -> str:
        return f"favour {self.row}"

    def __call__(self, given: Search, /) -> Ranking:
        ranking = given if isinstance(given, Ranking) else Ranking.everything(given)
        return ranking.rescored(-abs(ranking.docs - self.row), ranking.scale)


def test_it_is_the_fusion_of_what_its_stages_give() -> None:
    fused = Fuse(Favour(0), Favour(2), weights=(1, 3), depth=4)(SEARCH)
    wanted = fuse([Favour(0)(SEARCH), Favour(2)(SEARCH)], weights=(1, 3)).top(4)
    assert fused.docs.tolist() == wanted.docs.tolist()
    assert fused.scores.tolist() == wanted.scores.tolist()
    assert fused.depths().tolist() == [4, 4]


def test_inner_steps_appear_in_the_trace_of_a_pipeline_and_are_watched() -> None:
    hybrid = Fuse(Pipeline(Favour(1), Cut(5)), Favour(4), method="sum", name="hybrid")
    assert isinstance(hybrid, Composite)
    seen: list[Step] = []
    trace = Pipeline(hybrid, Cut(2)).trace(SEARCH, seen.append)
    names = ["favour 1", "cut 5", "favour 4", "hybrid", "cut 2"]
    assert [step.name for step in trace.steps] == names
    assert [step.name for step in seen] == names
    assert trace.ranking.docs.tolist() == trace.steps[3].ranking.top(2).docs.tolist()
    assert trace.seconds == pytest.approx(sum(step.seconds for step in trace.steps))


def test_given_candidates_it_stays_inside_them() -> None:
    candidates = Ranking.of_lists(SEARCH, [[5, 1], [3]], [[1.0, 0.5], [1.0]])
    fused = Fuse(Everything(), Favour(0))(candidates)
    assert [sorted(docs.tolist()) for docs, _ in fused] == [[1, 5], [3]]


def test_settings_are_checked_when_it_is_made() -> None:
    with pytest.raises(BadInput, match="two or more stages"):
        Fuse(Favour(0))
    with pytest.raises(BadInput, match="one weight for each of 2 stages"):
        Fuse(Favour(0), Favour(1), weights=(1,))
    with pytest.raises(BadInput, match="a depth of 1 or more"):
        Fuse(Favour(0), Favour(1), depth=0)
    with pytest.raises(BadInput, match="one normaliser for each of 2"):
        Fuse(Favour(0), Favour(1), method="sum", normalise=("none",) * 3)
    assert Fuse(Favour(0), Favour(1)).name == "fuse rrf"
