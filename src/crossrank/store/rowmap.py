"""From the int32 row of a document to the place where Lance keeps it, for one pinned version.

Lance names a place by a 64-bit row id: the fragment (one data file) in the upper half, the
position in it in the lower one. In a pinned version these never change. The row of a document is
the rank of its row id among those of all documents that are not deleted: 0 to len - 1, in the
order of storage. Rows mean the same for all readers of a version, and nothing in another version.
"""

from __future__ import annotations

from typing import Self

import numpy as np
import numpy.typing as npt

from crossrank.types import Rows

Places = npt.NDArray[np.uint64]
"""Lance row ids."""


class RowMap:
    """Rows and places as runs of neighbours: 20 bytes for each run, few without deletions."""

    __slots__ = ("_first_place", "_first_row", "_length")

    def __init__(self, first_place: Places, first_row: npt.NDArray[np.int64], length: int) -> None:
        self._first_place, self._first_row, self._length = first_place, first_row, length

    @classmethod
    def of(cls, places: Places) -> Self:
        """The map of all places of a version, in any order."""
        ordered = np.sort(places)
        starts = np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - np.uint64(2)) != 1)
        return cls(ordered[starts], starts.astype(np.int64), len(ordered))

    def __len__(self) -> int:
        return self._length

    def places(self, rows: Rows) -> Places:
        """The place of each row; the rows must be there."""
        wanted = rows.astype(np.int64)
        run = np.searchsorted(self._first_row, wanted, side="right") - 1
        return self._first_place[run] + (wanted - self._first_row[run]).astype(np.uint64)

    def rows(self, places: Places) -> Rows:
        """The row of each place; the places must be there."""
        run = np.searchsorted(self._first_place, places, side="right") - 1
        inside = (places - self._first_place[run]).astype(np.int64)
        return (self._first_row[run] + inside).astype(np.int32)
