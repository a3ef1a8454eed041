"""Splitting German compounds by the words a collection knows.

After Koehn & Knight, "Empirical Methods for Compound Splitting" (EACL 2003): of all splits into
known parts the one with the largest geometric mean of the parts' counts. Unlike there a compound
that is frequent itself is split too, since the whole word stays in the index beside its parts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final

from crossrank.text.fold import strip_umlauts
from crossrank.text.language import word_set

MIN_PART: Final = 4
MIN_WORD: Final = 8
_MIN_LONG: Final = 14
_MIN_STEM: Final = 3
_HEAD: Final = 4
_SHORT_PART_COUNT: Final = 20
_CACHE: Final = 200_000
"""Answers of each kind that a splitter keeps."""

NOT_FIRST: Final = word_set(
    """
    ab an auf aus bei durch ein eine einer fort gegen hinter hin her los mit nach neben nieder über
    um unter ver vor weg wider wieder zer zu zurück zusammen zwischen be ge ent er miss un aller
    selbst weiter außer ausser inner all alle voll ant ur auf da hervor herbei heraus herein
    """
)
_NOT_LAST: Final = word_set(
    """
    heit keit schaft ung ungen lich isch bar los lose losen reich reiche sam haft tum ling nis
    chen lein ern eren ieren iert weise mal fach arm frei arten igen ende enden heiten keiten
    schaften chaft chaften haften innen erung erungen ierung ierungen nisse nissen linge lichen
    """
)


class _Memory(dict[str, int]):
    """Counts by written form, looked up once; emptied when full."""

    def __init__(self, look_up: Callable[[str], int]) -> None:
        super().__init__()
        self._look_up = look_up

    def __missing__(self, written: str) -> int:
        if len(self) >= _CACHE:
            self.clear()
        count = self[written] = self._look_up(written)
        return count


class CompoundSplitter:
    """Splits German words at the known parts; `parts` maps the stem of a part to its count.

    `not_last` are the stems among them that never end a compound; `stem` is the German stemmer. A
    linking element (s, n, en, es, er, e) needs no rule of its own where the stemmer takes it off
    as if it were an inflection; the s of *Arbeitszeit* after a stem that takes none is tried
    apart. Not thread safe.
    """

    def __init__(
        self,
        parts: Mapping[str, int],
        stem: Callable[[str], str],
        not_last: Collection[str] = frozenset(),
    ) -> None:
        self.parts, self.stem, self.not_last = parts, stem, not_last
        self._heads = frozenset(_heads(parts))
        self._first_counts = _Memory(self._first_count)
        self._last_counts = _Memory(self._last_count)
        self._stems_of_parts: dict[str, tuple[str, ...]] = {}

    def split(self, word: str) -> tuple[str, str] | None:
        """The two parts of a folded word, first part with its linking element, or `None`."""
        if len(word) < MIN_WORD or not word.isalpha():
            return None
        best, best_score = 0, 0
        for at in self._places(word):
            last_count = self._last_counts[word[at:]]
            if last_count:
                score = last_count * self._first_counts[word[:at]]  # the square of the mean
                if score > best_score:
                    best, best_score = at, score
        if not best and len(word) >= _MIN_LONG:
            best = self._place_of_many(word)
        return (word[:best], word[best:]) if best else None

    def stems(self, word: str) -> tuple[str, ...]:
        """The stems of all parts of a folded word, parts of parts included; empty if it has none.

        >>> CompoundSplitter(parts, stem).stems("medikamentenkühlschrank")  # doctest: +SKIP
        ('medikament', 'kuhlschrank', 'kuhl', 'schrank')
        """
        split = self.split(word)
        if split is None:
            return ()
        first, last = split
        return (
            self._first_stem(first),
            *self._stems_again(first),
            self.stem(last),
            *self._stems_again(last),
        )

    def first_known(self, first: str) -> bool:
        """Whether `first` may begin a compound."""
        return self._first_counts[first] > 0

    def may_begin_a_part(self, start: str) -> bool:
        """Whether a known part may start with these four letters; umlauts count as a, o, u.

        The stemmer leaves three letters at the least, and reads `ae oe ue` as umlauts.
        """
        return start in self._heads or "ae" in start or "oe" in start or "ue" in start

    def _place_of_many(self, word: str) -> int:
        """Where the last part of a word begins whose first part is an unknown compound itself."""
        for at in self._places(word):
            first = word[:at]
            if self._last_counts[word[at:]] and (
                self.split(first) or (first[-1] == "s" and self.split(first[:-1]))
            ):
                return at
        return 0

    def _places(self, word: str) -> list[int]:
        """Where a last part may begin: a known part starts with the same letters."""
        ends = range(3, len(word) - 2)
        if "ae" in word or "oe" in word or "ue" in word:
            return [*ends]
        flat, heads = strip_umlauts(word), self._heads
        return [at for at in ends if flat[at : at + _HEAD] in heads]

    def _stems_again(self, part: str) -> tuple[str, ...]:
        """`stems`, kept: the same parts come back in many compounds."""
        if len(part) < MIN_WORD:
            return ()
        found = self._stems_of_parts.get(part)
        if found is None:
            if len(self._stems_of_parts) >= _CACHE:
                self._stems_of_parts.clear()
            found = self._stems_of_parts[part] = self.stems(part)
        return found

    def _first_count(self, first: str) -> int:
        return 0 if first in NOT_FIRST else self._count(first, self._first_stem(first))

    def _last_count(self, last: str) -> int:
        if last in _NOT_LAST:
            return 0
        stem = self.stem(last)
        return 0 if stem in self.not_last else self._count(last, stem)

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


def _heads(parts: Mapping[str, int]) -> Iterator[str]:
    """The first four letters with which a part may stand in a word."""
    letters = {letter for part in parts for letter in part} | set("abcdefghijklmnopqrstuvwxyz")
    for part in parts:
        if len(part) <= _MIN_STEM:
            yield part
            yield from (part + letter for letter in letters)
        else:
            yield part[:_HEAD]
