"""Which inputs run together: by length, so that little is padded, within a budget of tokens."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from crossrank.types import Offsets

Order = npt.NDArray[np.int64]


def batches(lengths: Offsets, budget: int) -> Iterator[Order]:
    """The indices of all inputs in groups, longest first.

    A group padded to its longest input has at most `budget` tokens, or is a single input.
    """
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        longest = max(int(lengths[order[start]]), 1)
        count = max(budget // longest, 1)
        yield order[start : start + count]
        start += count


def fair_budget(lengths: Offsets, workers: int, most: int, least: int = 256) -> int:
    """A budget that gives every worker a few groups of a small job, and is `most` for large ones.

    It depends on the lengths and the number of workers alone, so the same job runs in the same
    groups whoever asks for it.
    """
    share = -(-int(lengths.sum()) // (2 * workers))
    return min(most, max(share, least))
