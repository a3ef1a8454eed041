"""Where two texts contradict each other: the guard against near duplicates of another thing.

A cross-encoder reads `280 Liter` and `350 Liter` as almost the same words. These rules do not
learn; they compare facts, and every kind of difference lowers the log-odds of a duplicate by a
fixed amount (`PENALTY`), so that the effect can be stated and seen in the output.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final, Literal

from crossrank.tasks.duplicates.facts import Facts
from crossrank.text.fold import fold
from crossrank.text.language import CERTAIN_STOP, ENGLISH_STOP, GERMAN_STOP, NEGATIONS

Kind = Literal["quantity", "code", "number", "name", "negation"]

PENALTY: Final[dict[Kind, float]] = {
    "quantity": 3.0,
    "code": 3.0,
    "number": 2.5,
    "name": 2.5,
    "negation": 2.5,
}
"""What conflicts of each kind take off the log-odds; a kind counts once, however many there are."""

NEAR: Final = 0.6
"""Share of common words from which two texts are near duplicates, so that a word tells."""


_FUNCTION: Final = GERMAN_STOP | ENGLISH_STOP | NEGATIONS


@dataclass(frozen=True, slots=True)
class Conflict:
    """One contradiction: what the first text says, and what the second says in its place."""

    kind: Kind
    left: str
    right: str

    def __str__(self) -> str:
        """The conflict as people read it."""
        return f"{self.kind}: {self.left or '–'} ≠ {self.right or '–'}"


def conflicts(a: Facts, b: Facts) -> tuple[Conflict, ...]:
    """The contradictions between two texts.

    Quantities of one base unit and codes of one stem conflict when each side has a value that
    the other lacks (a value missing on one side only is no contradiction). Numbers, codes of
    different stems, names and negations say less, so they count only between near duplicates.
    """
    found = [*_differing("quantity", a.quantities, b.quantities)]
    found += _differing("code", a.codes, b.codes)
    if overlap(a, b) >= NEAR:
        if not any(each.kind == "code" for each in found):
            found += _apart("code", _all(a.codes), _all(b.codes))
        found += _apart("number", a.numbers, b.numbers)
        found += _apart("name", a.names, b.names) or list(_replaced(a, b))
        if (a.negations > 0) != (b.negations > 0):
            left, right = ("negated", "") if a.negations else ("", "negated")
            found.append(Conflict("negation", left, right))
    return tuple(found)


def penalty(found: tuple[Conflict, ...]) -> float:
    """What these conflicts take off the log-odds of a duplicate."""
    return sum(PENALTY[kind] for kind in {each.kind for each in found})


def overlap(a: Facts, b: Facts) -> float:
    """Share of the shorter text's words and facts that the other has too: 0 to 1."""
    left, right = _content(a), _content(b)
    return len(left & right) / max(min(len(left), len(right)), 1)


def _content(found: Facts) -> frozenset[str]:
    return frozenset(fold(token) for token in found.tokens) - CERTAIN_STOP


def _differing(
    kind: Kind, a: dict[str, frozenset[str]], b: dict[str, frozenset[str]]
) -> Iterator[Conflict]:
    for key in sorted(a.keys() & b.keys()):
        for each in _apart(kind, a[key], b[key]):
            unit = key if kind == "quantity" else ""
            yield Conflict(kind, f"{each.left} {unit}".strip(), f"{each.right} {unit}".strip())


def _apart(kind: Kind, a: frozenset[str], b: frozenset[str]) -> list[Conflict]:
    left, right = a - b, b - a
    if not (left and right):
        return []
    return [Conflict(kind, ", ".join(sorted(left)), ", ".join(sorted(right)))]


def _all(codes: dict[str, frozenset[str]]) -> frozenset[str]:
    return frozenset(code for whole in codes.values() for code in whole)


def _replaced(a: Facts, b: Facts) -> Iterator[Conflict]:
    """A capitalised word that stands where the other text has another one: two makers, likely."""
    matcher = SequenceMatcher(None, a.tokens, b.tokens, autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "replace" and i2 - i1 == j2 - j1 == 1:
            left, right = a.tokens[i1], b.tokens[j1]
            if _capital(left) and _capital(right) and not _akin(fold(left), fold(right)):
                yield Conflict("name", fold(left), fold(right))


def _capital(word: str) -> bool:
    return word[0].isupper() and fold(word) not in _FUNCTION


def _akin(a: str, b: str) -> bool:
    """Whether two words may be forms or compounds of one: they share a start or an end."""
    short = min(len(a), len(b))
    return a[: max(4, short // 2)] == b[: max(4, short // 2)] or (short >= 5 and a[-5:] == b[-5:])
