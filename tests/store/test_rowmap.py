"""Rows and Lance row ids map to each other whatever was deleted."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from crossrank.store.rowmap import RowMap

places = st.sets(st.integers(0, 40) | st.integers(1 << 32, (1 << 32) + 40), max_size=60)


@given(places)
def test_rows_are_ranks_of_places(chosen: set[int]) -> None:
    ordered = np.array(sorted(chosen), dtype=np.uint64)
    shuffled = np.random.default_rng(len(ordered)).permutation(ordered)
    made = RowMap.of(shuffled)
    rows = np.arange(len(ordered), dtype=np.int32)
    assert len(made) == len(ordered)
    np.testing.assert_array_equal(made.places(rows), ordered)
    np.testing.assert_array_equal(made.rows(ordered), rows)
    np.testing.assert_array_equal(made.rows(made.places(rows[::-1])), rows[::-1])


def test_neighbours_take_no_memory() -> None:
    made = RowMap.of(np.arange(100_000, dtype=np.uint64))
    assert len(made._first_row) == 1
