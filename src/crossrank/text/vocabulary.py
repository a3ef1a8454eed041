"""What an analyser learns from a collection: parts of German compounds, and words by language."""

from __future__ import annotations

import base64
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from crossrank.errors import BadInput
from crossrank.text.fold import fold, normalise, simple_word
from crossrank.text.language import Language, detect
from crossrank.text.lex import glue, written
from crossrank.text.parts import learn_parts

MIN_COUNT: Final = 2
"""Occurrences that make a word a possible part of compounds."""


@dataclass(frozen=True)
class Vocabulary:
    """The words of a collection as far as its analysis needs them.

    `parts`: German stem -> count, the possible parts of compounds; `not_last`: those of them that
    end no compound (*ent*: what stands before is mostly no word). `german`, `english`: folded
    words seen in texts of one language only; a word in neither set is stemmed both ways where the
    language is left open.
    """

    parts: Mapping[str, int] = field(default_factory=dict)
    german: frozenset[str] = frozenset()
    english: frozenset[str] = frozenset()
    not_last: frozenset[str] = frozenset()

    def to_dict(self) -> dict[str, str]:
        """JSON-able form: every part a string of compressed text."""
        return {
            "parts": _pack(" ".join(f"{part} {n}" for part, n in sorted(self.parts.items()))),
            "german": _pack(" ".join(sorted(self.german))),
            "english": _pack(" ".join(sorted(self.english))),
            "not_last": _pack(" ".join(sorted(self.not_last))),
        }

    @classmethod
    def from_dict(cls, packed: Mapping[str, Any]) -> Vocabulary:
        """The vocabulary that `to_dict` wrote; `BadInput` where the form is another one."""
        try:
            parts = _unpack(packed["parts"]).split()
            counts = dict(zip(parts[::2], map(int, parts[1::2]), strict=True))
            names = ("german", "english", "not_last")
            german, english, not_last = (frozenset(_unpack(packed[name]).split()) for name in names)
        except (KeyError, ValueError, TypeError, zlib.error) as error:
            raise BadInput(
                f"wanted a vocabulary with parts, german, english and not_last, came {error!r}: "
                "take the dictionary that Vocabulary.to_dict wrote"
            ) from error
        return cls(counts, german, english, not_last)


def _pack(text: str) -> str:
    return base64.b85encode(zlib.compress(text.encode(), 6)).decode()


def _unpack(packed: str) -> str:
    return zlib.decompress(base64.b85decode(packed)).decode()


class VocabularyBuilder:
    """Counts the words of texts in bounded memory and makes a `Vocabulary` of them.

    `limit` is the number of different written pieces kept per language; beyond it the rarest are
    dropped (lossy counting, Manku & Motwani, VLDB 2002). Not thread safe.
    """

    def __init__(self, limit: int = 1_500_000) -> None:
        if limit < 1000:
            raise BadInput(f"limit must be at least 1000 pieces, came {limit}: leave it out")
        self.limit = limit
        self._chunks: dict[Language | None, Counter[str]] = {
            "de": Counter(),
            "en": Counter(),
            None: Counter(),
        }

    def add(self, texts: Iterable[str], language: Language | None = None) -> None:
        """Count the words of `texts`, all of them in `language` or each in its own, detected."""
        for text in texts:
            chunks = (glue(text) if "-\n" in text else text).split()
            counts = self._chunks[language or detect(chunks)]
            counts.update(chunks)
            if len(counts) > self.limit:
                _prune(counts, self.limit // 2)

    def build(self, max_parts: int = 100_000, max_words: int = 200_000) -> Vocabulary:
        """The vocabulary of all texts so far; the most frequent parts and words are kept."""
        german = _words(self._chunks["de"])
        english = _words(self._chunks["en"])
        either = _words(self._chunks[None])
        parts, not_last = learn_parts(german + either)
        kept = dict(Counter(parts).most_common(max_parts))
        own_german, own_english = Counter[str](), Counter[str]()
        for word in german.keys() | english.keys():
            low = word.lower()
            own_german[low] += german[word]
            own_english[low] += english[word]
        return Vocabulary(
            kept,
            _mostly(own_german, own_english, max_words),
            _mostly(own_english, own_german, max_words),
            frozenset(not_last & kept.keys()),
        )


def _prune(counts: Counter[str], keep: int) -> None:
    floor = 1
    while len(counts) > keep:
        for chunk in [chunk for chunk, n in counts.items() if n <= floor]:
            del counts[chunk]
        floor *= 2


def _words(chunks: Counter[str]) -> Counter[str]:
    """Counts of words (folded but for a capital first letter) from counts of chunks."""
    words: Counter[str] = Counter()
    for chunk, count in chunks.items():
        simple = simple_word(chunk)
        if simple:
            words[simple if chunk.islower() else simple.capitalize()] += count
            continue
        for word in _words_in(chunk):
            folded = fold(word)
            words[folded.capitalize() if word[0].isupper() else folded] += count
    return words


def _words_in(chunk: str) -> Iterable[str]:
    """The words in a chunk as written, those with hyphens in their parts."""
    for kind, text in written(normalise(chunk)):
        if kind == "word":
            yield from (each for each in text.split("-") if each.isalpha())


def _mostly(own: Counter[str], other: Counter[str], limit: int) -> frozenset[str]:
    kept = ((word, n) for word, n in own.most_common(limit) if n >= MIN_COUNT)
    return frozenset(word for word, n in kept if n >= 20 * other[word])
