"""The re-ranking stage: what it keeps, what it scores, what it tells."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from crossrank import MemoryCorpus, Queries, Ranking, Scale, Search
from crossrank.errors import BadInput
from crossrank.rerank import Rerank
from crossrank.rerank.stage import z_scores
from crossrank.types import Floats, Note

CORPUS = MemoryCorpus.of(["aaaa", "bb", "c", "ddd"])


class Lengths:
    """Scores a pair by the length of the document; counts what it is asked, and takes notes."""

    scale = Scale.LOGIT

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def score_texts(self, queries: Sequence[str], documents: Sequence[str]) -> Floats:
        self.asked += zip(queries, documents, strict=True)
        return np.array([len(each) for each in documents], dtype=np.float32)


class NotingLengths(Lengths):
    def score_noted(self, queries: Sequence[str], documents: Sequence[str]) -> NotingLengths:
        self.values = self.score_texts(queries, documents)
        return self

    def notes(self) -> tuple[Note, ...]:
        return (Note("truncated", 1, "pairs were cut"),)


def ranking(*lists: Sequence[int]) -> Ranking:
    search = Search(Queries.of([f"q{i}" for i in range(len(lists))]), CORPUS)
    return Ranking.of_lists(search, lists, [-np.arange(len(rows)) for rows in lists], Scale.BM25)


def test_the_head_is_sorted_by_the_scorer_and_the_rest_is_dropped() -> None:
    scorer = Lengths()
    found = Rerank(scorer, depth=2)(ranking([2, 1, 0], [3], []))
    assert [docs.tolist() for docs, _ in found] == [[1, 2], [3], []]
    assert found.scores.tolist() == [2, 1, 3]
    assert found.scale is Scale.LOGIT
    assert sorted(scorer.asked) == [("q0", "bb"), ("q0", "c"), ("q1", "ddd")]


def test_a_weight_mixes_both_rankings_in_standard_deviations_of_the_query() -> None:
    found = Rerank(Lengths(), weight=0.25)(ranking([2, 1, 0]))  # lengths 1, 2, 4; scores 0, -1, -2
    lengths, given = np.array([1, 2, 4.0]), np.array([0, -1, -2.0])
    z = [(x - x.mean()) / x.std() for x in (lengths, given)]
    wanted = 0.25 * z[0] + 0.75 * z[1]
    assert found.docs.tolist() == [2, 1, 0]
    np.testing.assert_allclose(found.scores, np.sort(wanted)[::-1], atol=1e-6)
    assert found.scale is Scale.FUSED


def test_a_trace_shows_the_scorer_alone_before_the_blend() -> None:
    given = ranking([2, 1, 0])
    watched: list[str] = []
    steps = (
        Rerank(Lengths(), weight=0.25).trace(given, lambda step: watched.append(step.name)).steps
    )
    assert watched == [step.name for step in steps] == ["cross-encoder", "blend 0.25"]
    alone = Rerank(Lengths())(given)
    assert steps[0].ranking.scale == alone.scale
    assert steps[0].ranking.scores.tolist() == alone.scores.tolist()
    mixed = Rerank(Lengths(), weight=0.25)(given)
    assert steps[1].ranking.scale is Scale.FUSED
    assert steps[1].ranking.scores.tolist() == mixed.scores.tolist()
    assert len(Rerank(Lengths()).trace(given).steps) == 1


def test_weight_one_keeps_the_score_of_a_lone_document() -> None:
    assert Rerank(Lengths())(ranking([0])).scores.tolist() == [4]
    assert Rerank(Lengths(), weight=0.5)(ranking([0])).scores.tolist() == [0]


def test_notes_of_the_scorer_reach_the_ranking() -> None:
    found = Rerank(NotingLengths())(ranking([2, 1, 0]))
    assert found.notes == (Note("truncated", 1, "pairs were cut"),)


def test_equal_values_have_z_scores_of_zero_even_when_their_mean_is_inexact() -> None:
    values = np.array([0.1, 0.1, 0.1, 5.0, 7.0], dtype=np.float32)
    found = z_scores(values, np.array([0, 0, 0, 1, 1]), 3)
    assert found.tolist() == [0, 0, 0, -1, 1]


@pytest.mark.parametrize(("depth", "weight"), [(0, 1.0), (5, 0.0), (5, 1.5)])
def test_bad_settings_are_refused(depth: int, weight: float) -> None:
    with pytest.raises(BadInput, match="wanted, got"):
        Rerank(Lengths(), depth=depth, weight=weight)


def test_a_question_without_candidates_is_refused() -> None:
    with pytest.raises(BadInput, match="put a stage before"):
        Rerank(Lengths())(Search(Queries.of(["q"]), CORPUS))  # type: ignore[arg-type]
