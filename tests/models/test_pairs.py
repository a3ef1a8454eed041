"""Joining tokens to inputs that fit: what is cut, what is not, and that windows leave nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossrank.errors import BadInput
from crossrank.models.batches import batches, fair_budget
from crossrank.models.pairs import Joiner, window_starts
from crossrank.models.template import Part, Template

# [9] query:0 [9] document:1 [9]
TEMPLATE = Template(
    (
        Part(-1, (9,), (0,)),
        Part(0, (), (0,)),
        Part(-1, (9,), (0,)),
        Part(1, (), (1,)),
        Part(-1, (9,), (1,)),
    )
)
LENGTHS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 90)), max_size=6)


def _ids(start: int, count: int) -> np.ndarray:
    return np.arange(start, start + count, dtype=np.int32)


@given(LENGTHS, st.integers(8, 50), st.sampled_from([0.2, 0.5, 0.75]))
def test_the_document_is_cut_first_and_the_query_only_to_its_share(
    lengths: list[tuple[int, int]], most: int, share: float
) -> None:
    joiner = Joiner(TEMPLATE, most, share)
    found = joiner.join([_ids(100, q) for q, _ in lengths], [_ids(300, d) for _, d in lengths])
    assert found.owner.tolist() == list(range(len(lengths)))
    for at, (q, d) in enumerate(lengths):
        ids = found.batch.ids[found.batch.offsets[at] : found.batch.offsets[at + 1]]
        query, document = ids[(ids >= 100) & (ids < 300)], ids[ids >= 300]
        assert len(ids) == min(q + d + 3, most)
        assert query.tolist() == _ids(100, len(query)).tolist()
        assert document.tolist() == _ids(300, len(document)).tolist()
        assert found.truncated[at] == (q + d + 3 > most)
        if len(query) < q:
            assert len(document) == min(d, joiner.room - int(joiner.room * share))


@given(st.integers(0, 60), st.integers(0, 400), st.integers(8, 50))
def test_windows_read_all_of_the_document_with_the_same_query(q: int, d: int, most: int) -> None:
    found = Joiner(TEMPLATE, most, windows=True).join([_ids(100, q)], [_ids(300, d)])
    parts = np.split(found.batch.ids, found.batch.offsets[1:-1])
    queries = {tuple(part[(part >= 100) & (part < 300)]) for part in parts}
    assert len(queries) == 1
    assert all(len(part) <= most for part in parts)
    assert sorted({int(i) for part in parts for i in part if i >= 300}) == _ids(300, d).tolist()
    assert found.truncated.tolist() == [len(next(iter(queries))) < q]
    assert set(found.owner.tolist()) == {0}


@given(st.integers(0, 500), st.integers(1, 60), st.integers(0, 59))
def test_window_starts_cover_evenly(length: int, size: int, overlap: int) -> None:
    overlap = min(overlap, size - 1)
    starts = window_starts(length, size, overlap)
    assert starts[0] == 0
    assert starts[-1] == max(length - size, 0)
    steps = np.diff(starts)
    assert (steps <= size - overlap).all()
    assert len(set(starts)) == len(starts)
    assert not len(steps) or steps.max() - steps.min() <= 1


def test_the_types_follow_the_template() -> None:
    found = Joiner(TEMPLATE, 20).join([_ids(100, 2)], [_ids(300, 3)])
    assert found.batch.types.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert found.batch.lengths().tolist() == [8]


@pytest.mark.parametrize(("length", "share"), [(6, 0.5), (20, 0.0), (20, 1.0)])
def test_bad_limits_are_refused(length: int, share: float) -> None:
    with pytest.raises(BadInput, match="wanted"):
        Joiner(TEMPLATE, length, share)


@given(st.lists(st.integers(0, 600), max_size=60), st.integers(1, 2000))
def test_batches_hold_every_input_once_within_the_budget(lengths: list[int], budget: int) -> None:
    found = list(batches(np.array(lengths, dtype=np.int64), budget))
    assert sorted(int(i) for group in found for i in group) == list(range(len(lengths)))
    longest = [max(lengths[i] for i in group) for group in found]
    assert longest == sorted(longest, reverse=True)
    for group, most in zip(found, longest, strict=True):
        assert len(group) == 1 or len(group) * max(most, 1) <= budget


def test_small_jobs_are_cut_into_shares_for_every_worker() -> None:
    lengths = np.full(20, 50)
    assert fair_budget(lengths, 1, 1024) == 500
    assert fair_budget(lengths, 64, 1024) == 256
    assert fair_budget(np.full(1000, 50), 2, 1024) == 1024
