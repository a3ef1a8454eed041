"""Picking the best of many scores, ties by position, and fitting candidates to a corpus."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from crossrank.errors import BadInput
from crossrank.types import Corpus, Floats, Search

MAX_DEPTH = 10_000
"""The deepest first stage: what a full-text or vector search returns for one query."""


def best(scores: Floats, depth: int) -> npt.NDArray[np.intp]:
    """The positions of the `depth` largest scores, best first, ties by position."""
    chosen: npt.NDArray[np.intp]
    if depth < len(scores):
        floor = np.partition(scores, len(scores) - depth)[len(scores) - depth]
        chosen = np.flatnonzero(scores >= floor)
    else:
        chosen = np.arange(len(scores))
    return chosen[np.lexsort((chosen, -scores[chosen]))][:depth]


def check_depth(depth: int) -> int:
    """The depth itself. Raises BadInput outside 1 to `MAX_DEPTH`."""
    if not 1 <= depth <= MAX_DEPTH:
        raise BadInput(f"a depth of 1 to {MAX_DEPTH} wanted, got {depth}")
    return depth


def check_corpus(given: Search, corpus: Corpus, name: str) -> None:
    """Raises BadInput when a question is not about the corpus that a stage was made for."""
    if given.corpus is not corpus:
        raise BadInput(
            f"{name} was made for another corpus: make the stage for the corpus of the search"
        )


def positions(rows: npt.NDArray[Any], wanted: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    """Where each of `wanted` is in the ascending `rows`; all of them must be there."""
    return np.searchsorted(rows, wanted)
