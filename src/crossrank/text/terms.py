"""From a piece of text to its index terms: the rules of words, numbers, norms and quantities."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from crossrank.text.fold import GLUE, clip, fold, strip_umlauts
from crossrank.text.language import (
    CERTAIN_STOP,
    ENGLISH_STOP,
    GERMAN_STOP,
    Language,
    word_set,
)
from crossrank.text.lex import Kind, Piece
from crossrank.text.numbers import NUMBER, plain, values
from crossrank.text.units import SIGNS, UNIT, Unit, find_unit
from crossrank.text.words import Words

_SEGMENT: Final = re.compile(r"[^\W_]+")
_RUN: Final = re.compile(r"[^\W\d_]+|\d+")
_SIGNED: Final = re.compile(
    rf"(?:(?:^|(?<=\s))(?:(?P<minus>-|[Mm]inus\s)\s?))?(?P<number>{NUMBER})"
)
_UNIT_END: Final = re.compile(rf"[\s-]?(?P<unit>{UNIT})$")
_ORDINAL: Final = re.compile(r"(\d+)(?:st|nd|rd|th)")
_NEGATED: Final = re.compile(r"\w+n't")
_THOUSANDS: Final = re.compile(r"\d{1,3}(?:\.\d{3})+|\d{1,3}(?:,\d{3})+")
_WRITTEN_ONLY: Final = re.compile(r"0\d+|\d+(?:\.\d+){2,}")
_BODY: Final = re.compile(r"[A-ZÖ]+")
_NO_SENSE: Final = word_set("zb eg ie dh ua")
_MAX_SEGMENTS: Final = 4
_MAX_DIGITS: Final = 24
_CACHE: Final = 100_000
"""Written words whose terms are kept."""


def stop_words(language: Language | None) -> frozenset[str]:
    """The words left out of a text of this language."""
    if language is None:
        return CERTAIN_STOP
    return GERMAN_STOP if language == "de" else ENGLISH_STOP


class Terms:
    """The terms of pieces in texts of one language (`None`: undecided)."""

    def __init__(self, words: Words, language: Language | None) -> None:
        self._words = words
        self._language = language
        self._stop = stop_words(language)
        self._known: dict[str, list[str]] = {}
        self._rules: dict[Kind, Callable[[str], list[str]]] = {
            "word": self._word,
            "number": self._number,
            "quantity": self._quantity,
            "date": self._date,
            "norm": self._norm,
            "law": self._law,
            "initials": self._initials,
            "code": self._marked,
        }

    def of(self, piece: Piece) -> list[str]:
        """The terms of a piece, the most telling first, each at most once; may be empty."""
        return self.written(piece.kind, piece.text)

    def written(self, kind: Kind, text: str) -> list[str]:
        """The terms of a piece of this kind and text; those of words are kept."""
        if kind != "word":
            return self._told_apart(kind, text)
        known = self._known.get(text)
        if known is None:
            if len(self._known) >= _CACHE:
                self._known.clear()
            known = self._known[text] = self._told_apart(kind, text)
        return known

    def _told_apart(self, kind: Kind, text: str) -> list[str]:
        return [term for term in dict.fromkeys(self._rules[kind](text)) if term]

    def word(self, folded: str) -> tuple[str, ...]:
        """The terms of a folded word of letters alone: `of` without the search for its rule."""
        return () if folded in self._stop else self._words.terms(folded)

    def _word(self, text: str) -> list[str]:
        if "'" in text:
            return self._apostrophe(text)
        segments = _SEGMENT.findall(text)
        if len(segments) == 1:
            return self._segment(segments[0])
        terms: list[str] = []
        if len(segments) <= _MAX_SEGMENTS:
            whole = fold("".join(segments))
            terms.extend(self._words.stems(whole) if whole.isalpha() else [clip(whole)])
        for segment in segments:
            if len(segment) > 1 or segment.isdigit():
                terms.extend(self._segment(segment))
        return terms

    def _apostrophe(self, text: str) -> list[str]:
        if _NEGATED.fullmatch(text.lower()):
            return ["not"]
        head, *tails = text.split("'")
        if all(len(tail) <= 2 for tail in tails) and len(head) > 1:
            return self._word(head)
        return [
            *self._segment("".join(_SEGMENT.findall(text))),
            *self._word(max(text.split("'"), key=len)),
        ]

    def _segment(self, segment: str) -> list[str]:
        folded = fold(segment)
        if folded.isalpha():
            return [*self.word(folded)]
        if folded in self._stop:
            return []
        ordinal = _ORDINAL.fullmatch(folded)
        if ordinal:
            return [_code(ordinal.group(1))]
        runs = _RUN.findall(folded)
        parts = [run for run in runs if len(run) > 1 and run != folded]
        whole = [clip(folded)] if not folded.isdigit() else [_code(folded)]
        return [*whole, *(part if part.isdigit() else self._words.stems(part)[0] for part in parts)]

    def _number(self, text: str) -> list[str]:
        if len(text) > _MAX_DIGITS:
            return [clip(fold(text))]
        if _WRITTEN_ONLY.fullmatch(text) and not _THOUSANDS.fullmatch(text):
            return [fold(text)]
        return [plain(value) for value in values(text, self._language)]

    def _quantity(self, text: str) -> list[str]:
        found = _UNIT_END.search(text)
        numbers = text[: found.start()] if found else text
        if found is None or (found.group() == "s" and numbers.isdigit() and len(numbers) == 4):
            return self._number(numbers.rstrip("s"))
        unit = find_unit(found.group("unit"))
        exact: list[str] = []
        loose: list[str] = []
        for match in _SIGNED.finditer(numbers):
            if len(match.group("number")) > _MAX_DIGITS:
                loose.append(clip(match.group("number")))
                continue
            sign = Decimal(-1 if match.group("minus") else 1)
            for value in values(match.group("number"), self._language):
                exact.append(plain(sign * value * unit.factor) + unit.base)
                loose.append(plain(value))
        return [*exact, *loose, *self._unit(found.group("unit"), unit)]

    def _unit(self, written: str, unit: Unit) -> tuple[str, ...]:
        """The terms that the unit has as a word of its own; a sign counts as its word."""
        word = unit.word if written in SIGNS else fold(written.split()[0].split(GLUE)[0])
        return self._words.stems(word) if word.isalpha() else (word,)

    def _date(self, text: str) -> list[str]:
        if "." in text:
            day, month, year = text.split(".")
        else:
            year, month, day = text.split("-")
        return [f"{int(year):04d}-{int(month):02d}-{int(day):02d}", str(int(year))]

    def _norm(self, text: str) -> list[str]:
        bodies = [fold(body) for body in _BODY.findall(text)]
        number, _, year = fold(text[re.search(r"\d", text).start() :]).partition(":")  # type: ignore[union-attr]
        main = re.split(r"[.-]", number)[0]
        full = [strip_umlauts(body) + number for body in bodies]
        short = [strip_umlauts(body) + main for body in bodies]
        return [*full, *short, *map(strip_umlauts, bodies), main, *year.split(":")]

    def _law(self, text: str) -> list[str]:
        number = fold(text.lstrip("§ \t\n"))
        return ["§" + number, number]

    def _marked(self, text: str) -> list[str]:
        """A name that lives by its marks: `C++`, `C#`."""
        return [fold(text), *self._segment(text.rstrip("+#"))]

    def _initials(self, text: str) -> list[str]:
        joined = clip(fold(text.replace(".", "")))
        return [] if joined in _NO_SENSE else [joined]


def _code(digits: str) -> str:
    return digits if digits.startswith("0") and len(digits) > 1 else digits[:_MAX_DIGITS]
