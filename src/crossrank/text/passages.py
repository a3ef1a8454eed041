"""Overlapping passages of a long text: whole sentences, with their places kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from crossrank.errors import BadInput
from crossrank.text.sentences import sentences

_WORD = re.compile(r"\S+")

SIZE: Final = 180
OVERLAP: Final = 40


class Passage(NamedTuple):
    """A stretch of a text: `text[start:end]`."""

    start: int
    end: int


class _Sized(NamedTuple):
    start: int
    end: int
    size: int


def words(text: str) -> int:
    """The number of words: the default measure of a passage."""
    return len(text.split())


def passages(
    text: str,
    size: int = SIZE,
    overlap: int = OVERLAP,
    measure: Callable[[str], int] = words,
) -> list[Passage]:
    """Passages of whole sentences, in order, each of at most `size`, neighbours overlapping.

    `measure` counts what `size` and `overlap` are given in: words, or the tokens of a model. The
    sizes of sentences are added up. A sentence larger than `size` is cut between words; a word
    larger than that is a passage of its own. Neighbours share the sentences that fit into
    `overlap`. Every character but white space is in a passage; an empty text has none.
    """
    if size < 1 or not 0 <= overlap < size:
        raise BadInput(
            f"a size of 1 or more and a smaller overlap of 0 or more wanted, "
            f"got size={size} and overlap={overlap}"
        )
    units = [unit for span in sentences(text) for unit in _units(text, *span, size, measure)]
    return list(_windows(units, size, overlap))


def _windows(units: list[_Sized], size: int, overlap: int) -> Iterator[Passage]:
    first = 0
    while first < len(units):
        last, filled = first, units[first].size
        while last + 1 < len(units) and filled + units[last + 1].size <= size:
            last += 1
            filled += units[last].size
        yield Passage(units[first].start, units[last].end)
        if last + 1 == len(units):
            return
        first = _next_first(units, first, last, min(overlap, size - units[last + 1].size))


def _next_first(units: list[_Sized], first: int, last: int, room: int) -> int:
    """Where the window after first..last begins: with the sentences at its end that fit."""
    start, shared = last + 1, 0
    while start - 1 > first and shared + units[start - 1].size <= room:
        start -= 1
        shared += units[start].size
    return start


def _units(
    text: str, start: int, end: int, size: int, measure: Callable[[str], int]
) -> Iterator[_Sized]:
    """A sentence, or parts of it between words, with their sizes."""
    whole = measure(text[start:end])
    if whole <= size:
        yield _Sized(start, end, whole)
        return
    at, until, filled = start, start, 0
    for word in _WORD.finditer(text, start, end):
        longer = measure(text[at : word.end()])
        if longer > size and until > at:
            yield _Sized(at, until, filled)
            at, longer = word.start(), measure(word.group())
        until, filled = word.end(), longer
    yield _Sized(at, until, filled)
