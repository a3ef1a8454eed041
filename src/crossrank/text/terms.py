"""From a piece of text to its index terms: the rules of words, numbers, norms and quantities."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

import Stemmer

from crossrank.text.compounds import CompoundSplitter
from crossrank.text.fold import clip, fold, strip_umlauts
from crossrank.text.language import (
    CERTAIN_STOP,
    ENGLISH_STOP,
    GERMAN_STOP,
    Language,
    word_set,
)
from crossrank.text.lex import Piece
from crossrank.text.numbers import NUMBER, plain, values
from crossrank.text.units import UNIT, find_unit
from crossrank.text.vocabulary import Vocabulary

_SEGMENT: Final = re.compile(r"[^\W_]+")
_RUN: Final = re.compile(r"[^\W\d_]+|\d+")
_SIGNED: Final = re.compile(rf"(?:(?:^|(?<=\s))(?P<minus>-))?(?P<number>{NUMBER})")
_UNIT_END: Final = re.compile(rf"\s?(?P<unit>{UNIT})$")
_ORDINAL: Final = re.compile(r"(\d+)(?:st|nd|rd|th)")
_NEGATED: Final = re.compile(r"\w+n't")
_THOUSANDS: Final = re.compile(r"\d{1,3}(?:\.\d{3})+|\d{1,3}(?:,\d{3})+")
_WRITTEN_ONLY: Final = re.compile(r"0\d+|\d+(?:\.\d+){2,}")
_BODY: Final = re.compile(r"[A-ZÖ]+")
_NO_SENSE: Final = word_set("zb eg ie dh ua")
_MAX_SEGMENTS: Final = 4
_MAX_DIGITS: Final = 24
_MAX_COMPOUND: Final = 50


class Words:
    """Index terms of single words: stems, and the stems of a compound's parts.

    `language=None` stems a word by the language in which the vocabulary has seen it, and both
    ways where it has not: the answer depends on the word alone, never on the text around it, so
    that a query and a document meet whatever was detected.
    """

    def __init__(self, language: Language | None, vocabulary: Vocabulary, compounds: bool) -> None:
        self._language = language
        self._vocabulary = vocabulary
        self._german = Stemmer.Stemmer("german").stemWord
        self._english = Stemmer.Stemmer("english").stemWord
        self._splitter = CompoundSplitter(vocabulary.parts, self._german) if compounds else None

    def stems(self, folded: str) -> tuple[str, ...]:
        """The stem of a folded word, or its two stems where its language is open."""
        german, english = self._languages(folded)
        if not english:
            return (clip(self._german(folded)),)
        flat = clip(self._english(strip_umlauts(folded)))
        if not german:
            return (flat,)
        return tuple(dict.fromkeys((clip(self._german(folded)), flat)))

    def parts(self, folded: str) -> tuple[str, ...]:
        """The stems of the parts of a German compound; empty for any other word."""
        if self._splitter is None or len(folded) > _MAX_COMPOUND or not self._languages(folded)[0]:
            return ()
        return tuple(dict.fromkeys(map(clip, self._splitter.stems(folded))))

    def _languages(self, folded: str) -> tuple[bool, bool]:
        if self._language is not None:
            return self._language == "de", self._language == "en"
        if folded in self._vocabulary.german:
            return True, False
        if folded in self._vocabulary.english:
            return False, True
        return True, True


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

    def of(self, piece: Piece) -> list[str]:
        """The terms of a piece, the most telling first, each at most once; may be empty."""
        rule = {
            "word": self._word,
            "number": self._number,
            "quantity": self._quantity,
            "date": self._date,
            "norm": self._norm,
            "law": self._law,
            "initials": self._initials,
        }[piece.kind]
        return [term for term in dict.fromkeys(rule(piece.text)) if term]

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
        return [*self._segment("".join(_SEGMENT.findall(text))), *self._word(max(text.split("'")))]

    def _segment(self, segment: str) -> list[str]:
        folded = fold(segment)
        if folded in self._stop:
            return []
        if folded.isalpha():
            return [*self._words.stems(folded), *self._words.parts(folded)]
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
        return [*exact, *loose, unit.word]

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

    def _initials(self, text: str) -> list[str]:
        joined = clip(fold(text.replace(".", "")))
        return [] if joined in _NO_SENSE else [joined]


def _code(digits: str) -> str:
    return digits if digits.startswith("0") and len(digits) > 1 else digits[:_MAX_DIGITS]
