"""Splitting German compounds by the words a collection knows.

After Koehn & Knight, "Empirical Methods for Compound Splitting" (EACL 2003): of all splits into
known parts the one with the largest geometric mean of the parts' counts. Unlike there a compound
that is frequent itself is split too, since the whole word stays in the index beside its parts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from crossrank.text.language import word_set

MIN_PART: Final = 4
MIN_WORD: Final = 8
_SHORT_PART_COUNT: Final = 20

_NOT_FIRST: Final = word_set(
    """
    ab an auf aus bei durch ein eine einer fort gegen hinter hin her los mit nach neben nieder über
    um unter ver vor weg wider wieder zer zu zurück zusammen zwischen be ge ent er miss un aller
    selbst weiter außer ausser inner all alle voll haupt
    """
)
_NOT_LAST: Final = word_set(
    """
    heit keit schaft ung ungen lich isch bar los lose losen reich reiche sam haft tum ling nis
    chen lein ern eren ieren iert weise mal fach wert arm frei arten igen ende enden
    """
)


@dataclass(frozen=True)
class CompoundSplitter:
    """Splits German words at the known parts; `parts` maps the stem of a part to its count.

    `stem` is the German stemmer. A linking element (s, n, en, es, er, e) needs no rule of its
    own where the stemmer takes it off as if it were an inflection; the s of *Arbeitszeit* after
    a stem that takes none is tried apart.
    """

    parts: Mapping[str, int]
    stem: Callable[[str], str]

    def split(self, word: str) -> tuple[str, str] | None:
        """The two parts of a folded word, first part with its linking element, or `None`."""
        if len(word) < MIN_WORD or not word.isalpha():
            return None
        best, best_score = None, 0.0
        for at in range(3, len(word) - 2):
            score = self._score(word[:at], word[at:])
            if score > best_score:
                best, best_score = at, score
        return None if best is None else (word[:best], word[best:])

    def stems(self, word: str) -> list[str]:
        """The stems of all parts of a folded word, parts of parts included; empty if it has none.

        >>> CompoundSplitter(parts, stem).stems("medikamentenkühlschrank")  # doctest: +SKIP
        ['medikament', 'kuhlschrank', 'kuhl', 'schrank']
        """
        split = self.split(word)
        if split is None:
            return []
        first, last = split
        return [
            self._first_stem(first),
            *self.stems(first),
            self.stem(last),
            *self.stems(last),
        ]

    def _score(self, first: str, last: str) -> float:
        if first in _NOT_FIRST or last in _NOT_LAST:
            return 0.0
        last_count = self._count(last, self.stem(last))
        if not last_count:
            return 0.0
        first_count = self._count(first, self._first_stem(first))
        return math.sqrt(first_count * last_count)

    def _first_stem(self, first: str) -> str:
        stem = self.stem(first)
        if stem not in self.parts and first.endswith("s"):
            return self.stem(first[:-1])
        return stem

    def _count(self, written: str, stem: str) -> int:
        count = self.parts.get(stem, 0)
        if len(written) < MIN_PART and count < _SHORT_PART_COUNT:
            return 0
        return count

    def first_known(self, first: str) -> bool:
        """Whether `first` may begin a compound."""
        return first not in _NOT_FIRST and self._count(first, self._first_stem(first)) > 0
