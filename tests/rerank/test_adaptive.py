"""Adaptive depth: when it stops, what that costs, and that it never stops too early to be whole."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossrank import MemoryCorpus, Queries, Ranking, Scale, Search
from crossrank.errors import BadInput
from crossrank.rerank import AdaptiveRerank, Rerank, choose_patience
from crossrank.rerank.adaptive import stop_depth
from crossrank.types import Floats


class Numbers:
    """The score of a document is the number it holds."""

    scale = Scale.LOGIT

    def score_texts(self, queries: Sequence[str], documents: Sequence[str]) -> Floats:
        return np.array([float(each) for each in documents], dtype=np.float32)


def ranking(*lists: Sequence[float]) -> Ranking:
    """Queries whose candidates, in this order, have these scores."""
    flat = [value for values in lists for value in values]
    search = Search(Queries.of([""] * len(lists)), MemoryCorpus.of([str(v) for v in flat]))
    rows = iter(range(len(flat)))
    docs = [[next(rows) for _ in values] for values in lists]
    return Ranking.of_lists(search, docs, [-np.arange(len(values)) for values in lists])


def test_it_stops_after_quiet_blocks_and_says_how_much_it_left() -> None:
    easy, hard = [9, 8, 1, 1, 1, 1, 1, 1], [1, 2, 3, 4, 5, 6, 7, 8]
    found = AdaptiveRerank(Numbers(), k=2, block=2, patience=2)(ranking(easy, hard))
    assert found.depths().tolist() == [6, 8]
    assert [(note.kind, note.count) for note in found.notes] == [("skipped", 2)]
    assert found.query(1)[1].tolist() == [8, 7, 6, 5, 4, 3, 2, 1]


@given(
    st.lists(st.lists(st.integers(0, 9), max_size=12), min_size=1, max_size=4),
    st.integers(1, 4),
    st.integers(1, 5),
    st.integers(1, 3),
)
def test_what_is_scored_is_a_prefix_and_ordered_as_in_full(
    lists: list[list[int]], k: int, block: int, patience: int
) -> None:
    asked = ranking(*lists)
    found = AdaptiveRerank(Numbers(), k=k, depth=10, block=block, patience=patience)(asked)
    for at, depth in enumerate(found.depths().tolist()):
        full = Rerank(Numbers(), depth=max(depth, 1))(asked.select(slice(at, at + 1)))
        assert found.query(at)[0].tolist() == full.docs[:depth].tolist()
        assert depth == min(
            stop_depth(np.array(lists[at][:10], np.float32), k, block, patience),
            len(lists[at][:10]),
        )


@given(st.lists(st.integers(0, 9), min_size=1, max_size=20), st.integers(1, 4), st.integers(1, 5))
def test_endless_patience_is_full_depth(scores: list[int], k: int, block: int) -> None:
    assert stop_depth(np.array(scores, np.float32), k, block, len(scores) + 1) > len(scores)


def test_patience_is_chosen_by_what_it_loses_on_a_sample() -> None:
    late = [5, 4, 1, 1, 1, 1, 9, 1, 1, 1]  # the best one comes after two quiet blocks
    sample = ranking(late, [9, 8, 1, 1, 1, 1, 1, 1, 1, 1])
    loose = choose_patience(Numbers(), sample, k=2, block=2, keep=0.7)
    assert (loose.patience, loose.kept, loose.scored) == (1, 0.75, 0.4)
    strict = choose_patience(Numbers(), sample, k=2, block=2, keep=1.0)
    assert (strict.patience, strict.kept, strict.scored) == (3, 1.0, 0.9)
    run = AdaptiveRerank(Numbers(), k=2, block=2, patience=strict.patience)(sample)
    assert len(run.docs) / len(sample.docs) == strict.scored


def test_no_sample_and_bad_sizes_are_refused() -> None:
    with pytest.raises(BadInput, match="sample queries"):
        choose_patience(Numbers(), ranking([]))
    with pytest.raises(BadInput, match="a block of 1 or more"):
        AdaptiveRerank(Numbers(), block=0)
