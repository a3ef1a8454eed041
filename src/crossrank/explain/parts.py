"""The parts of a text that an explanation speaks about: words, or runs of words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from crossrank.errors import BadInput

_CHUNK: Final = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a text, `text[start:end]`."""

    start: int
    end: int


def words(text: str, most: int = 1 << 30) -> tuple[Part, ...]:
    """The words of a text, with the marks written to them; `most` runs of them if there are more.

    A mark that stands alone belongs to the word before it.
    """
    if most < 1:
        raise BadInput(f"at least one part wanted, got {most}")
    found: list[Part] = []
    for match in _CHUNK.finditer(text):
        alone = not any(letter.isalnum() for letter in match.group())
        start = found.pop().start if alone and found else match.start()
        found.append(Part(start, match.end()))
    if len(found) <= most:
        return tuple(found)
    bounds = np.linspace(0, len(found), most + 1).astype(int)
    runs = pairwise(bounds.tolist())
    return tuple(Part(found[low].start, found[high - 1].end) for low, high in runs)


def without(text: str, parts: Sequence[Part], kept: Sequence[bool], blank: str = "") -> str:
    """The text with the parts that are not kept replaced by `blank`, white space tidied."""
    pieces: list[str] = []
    at = 0
    for part, keep in zip(parts, kept, strict=True):
        pieces += [text[at : part.start], text[part.start : part.end] if keep else blank]
        at = part.end
    return " ".join("".join([*pieces, text[at:]]).split())
