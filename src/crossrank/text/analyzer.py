"""The analyser: text to index terms, the same way for documents and for queries."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final, Literal, NamedTuple

from crossrank.errors import BadInput
from crossrank.text.fold import normalise, simple_word
from crossrank.text.language import Language, detect
from crossrank.text.lex import Kind, Piece, glue, pieces, written
from crossrank.text.recent import Recent
from crossrank.text.stem import stemmer_version
from crossrank.text.terms import Terms
from crossrank.text.vocabulary import Vocabulary
from crossrank.text.words import Words

ANALYSIS_VERSION: Final = 1
"""Counts up whenever the same text would get other terms."""

CACHE_CHUNKS: Final = 400_000
"""White-space separated pieces whose terms an analyser keeps, per language."""

Setting = Literal["auto", "de", "en"]

_CHUNK = re.compile(r"\S+")
_PLAIN_WORD = re.compile(r"[^\W_]+")
_NAME_GAP = re.compile(r"[\s-]?")


class Token(NamedTuple):
    """A stretch of text, `text[start:end]`, and the terms it is indexed under."""

    start: int
    end: int
    terms: tuple[str, ...]


class _Cache(Recent):
    """Terms by chunk, computed when first asked for."""

    def __init__(self, compute: Callable[[str], str]) -> None:
        super().__init__()
        self.compute = compute

    def __missing__(self, chunk: str) -> str:
        self.age(CACHE_CHUNKS // 2)
        terms = self.again(chunk)
        if terms is None:
            terms = self[chunk] = self.compute(chunk)
        return terms


@dataclass(frozen=True)
class Analyzer:
    """Turns text into index terms: lower-case strings without white space.

    `language` is that of all texts, or "auto" to tell German from English by the text; a word
    gets the same terms in either case wherever it stands. `vocabulary` is learned from the
    collection with `VocabularyBuilder`; without one no compound is split. `compounds=False`
    leaves compounds whole; `quantities=False` knows no numbers, units, norms or names with
    hyphens, only words (with both off it is a plain stemmer with stop words). Immutable and
    thread safe.

    >>> Analyzer("de").query("280 Liter nach DIN 13277")
    ['280000ml', '280', 'liter', 'din13277', 'din', '13277']
    """

    language: Setting = "auto"
    vocabulary: Vocabulary = field(default_factory=Vocabulary, repr=False)
    compounds: bool = True
    quantities: bool = True
    _terms: dict[Language | None, Terms] = field(init=False, repr=False, compare=False)
    _caches: dict[Language | None, _Cache] = field(init=False, repr=False, compare=False)
    _lock: threading.Lock = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.language not in ("auto", "de", "en"):
            raise BadInput(f"language must be auto, de or en, came {self.language!r}")
        fixed: Language | None = None if self.language == "auto" else self.language
        words = Words(fixed, self.vocabulary, self.compounds)
        states: list[Language | None] = ["de", "en", None] if fixed is None else [fixed]
        terms = {state: Terms(words, state) for state in states}
        object.__setattr__(self, "_terms", terms)
        object.__setattr__(self, "_lock", threading.Lock())
        object.__setattr__(self, "_caches", {state: self._cache(terms[state]) for state in states})

    def __reduce__(self) -> tuple[type[Analyzer], tuple[Setting, Vocabulary, bool, bool]]:
        """A pickle holds the settings only, not the caches."""
        return Analyzer, (self.language, self.vocabulary, self.compounds, self.quantities)

    def document(self, text: str) -> str:
        """The terms of a document in text order, joined by blanks; empty if there are none."""
        chunks = self._glued(text).split()
        terms = map(self._caches[self._detect(chunks)].__getitem__, chunks)
        return " ".join(filter(None, terms))

    def documents(self, texts: Iterable[str]) -> list[str]:
        """`document` of each text; the order is kept."""
        return [self.document(text) for text in texts]

    def chunks(self, language: Language | None, chunks: Iterable[str]) -> list[str]:
        """The terms of single glued chunks in texts of a language of this analyser's; not kept."""
        compute = self._caches[language].compute
        return [compute(chunk) for chunk in chunks]

    def query(self, text: str) -> list[str]:
        """The terms a query is searched with, each once; empty if nothing is left of it.

        Beside the terms of a document with this text they hold the joined form of a word and
        the number after it, so that `labo 288` in small letters meets `LABO-288`.
        """
        terms: list[str] = []
        name, name_end = "", -1
        for token, piece in self._pieces(text):
            terms.extend(token.terms)
            follows = name and _NAME_GAP.fullmatch(text[name_end : token.start])
            if follows and piece.kind == "number" and token.terms:
                terms.append(name + token.terms[0])
            plain = piece.kind == "word" and piece.text.isascii() and piece.text.isalpha()
            name, name_end = piece.text.lower() if plain else "", token.end
        return list(dict.fromkeys(terms))

    def tokens(self, text: str) -> list[Token]:
        """The pieces of a document that have terms, with their places in `text`."""
        return [token for token, _ in self._pieces(text) if token.terms]

    def matches(self, text: str, terms: Collection[str]) -> list[Token]:
        """The `tokens` that have any of `terms`; fast where few have."""
        glued = self._glued(text)
        language = self._detect(glued.split())
        cache, wanted = self._caches[language], frozenset(terms)
        near = (
            match
            for match in _CHUNK.finditer(glued)
            if not wanted.isdisjoint(cache[match.group()].split())
        )
        found = (token for match in near for token, _ in self._chunk(match, language))
        return [token for token in found if not wanted.isdisjoint(token.terms)]

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form, to be stored with the collection it was used on."""
        return {
            "analysis": ANALYSIS_VERSION,
            "stemmer": stemmer_version(),
            "language": self.language,
            "compounds": self.compounds,
            "quantities": self.quantities,
            "vocabulary": self.vocabulary.to_dict(),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Analyzer:
        """The analyser that `to_dict` wrote; `BadInput` if this version would analyse otherwise."""
        found = (stored.get("analysis"), stored.get("stemmer"))
        if found != (ANALYSIS_VERSION, stemmer_version()):
            raise BadInput(
                f"wanted analysis {ANALYSIS_VERSION} with stemmer {stemmer_version()}, came "
                f"{found[0]} with {found[1]}: index the collection anew with this version"
            )
        try:
            return cls(
                stored["language"],
                Vocabulary.from_dict(stored["vocabulary"]),
                bool(stored["compounds"]),
                bool(stored["quantities"]),
            )
        except KeyError as error:
            raise BadInput(f"the stored analyser lacks {error}: index anew") from error

    def _glued(self, text: str) -> str:
        return glue(text) if self.quantities else text

    def _detect(self, chunks: list[str]) -> Language | None:
        return detect(chunks) if self.language == "auto" else self.language

    def _cache(self, terms: Terms) -> _Cache:
        def compute(chunk: str) -> str:
            simple = simple_word(chunk)
            with self._lock:
                if simple:
                    return " ".join(terms.word(simple))
                found = [terms.written(*each) for each in self._written(normalise(chunk))]
            return " ".join(chain.from_iterable(found))

        return _Cache(compute)

    def _written(self, chunk: str) -> list[tuple[Kind, str]]:
        if self.quantities:
            return written(chunk)
        return [("word", word) for word in _PLAIN_WORD.findall(chunk)]

    def _cut(self, chunk: str) -> Iterable[Piece]:
        if self.quantities:
            return pieces(chunk)
        return (
            Piece("word", match.group(), match.start(), match.end())
            for match in _PLAIN_WORD.finditer(chunk)
        )

    def _pieces(self, text: str) -> Iterable[tuple[Token, Piece]]:
        glued = self._glued(text)
        language = self._detect(glued.split())
        for match in _CHUNK.finditer(glued):
            yield from self._chunk(match, language)

    def _chunk(
        self, match: re.Match[str], language: Language | None
    ) -> Iterable[tuple[Token, Piece]]:
        chunk, at = match.group(), match.start()
        plain = normalise(chunk)
        for piece in self._cut(plain):
            if len(plain) == len(chunk):
                start, end = at + piece.start, at + piece.end
            else:
                start, end = at, match.end()
            with self._lock:
                found = tuple(self._terms[language].of(piece))
            yield Token(start, end, found), piece
