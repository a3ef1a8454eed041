"""Index terms of single words: stems by language, and the stems of a compound's parts."""

from __future__ import annotations

from typing import Final

from crossrank.text.compounds import CompoundSplitter
from crossrank.text.fold import clip, strip_umlauts
from crossrank.text.language import Language
from crossrank.text.stem import stemmer
from crossrank.text.vocabulary import Vocabulary

_MAX_COMPOUND: Final = 80
_CACHE: Final = 400_000


class Words:
    """The terms of folded words, each computed once as long as there is room. Not thread safe.

    `language=None` stems a word by the language in which the vocabulary has seen it, and both
    ways where it has not: the answer depends on the word alone, never on the text around it, so
    that a query and a document meet whatever was detected.
    """

    def __init__(self, language: Language | None, vocabulary: Vocabulary, compounds: bool) -> None:
        self._language = language
        self._vocabulary = vocabulary
        self._german, self._english = stemmer("german"), stemmer("english")
        self._splitter = (
            CompoundSplitter(vocabulary.parts, self._german, vocabulary.not_last)
            if compounds
            else None
        )
        self._known: dict[str, tuple[str, ...]] = {}

    def terms(self, folded: str) -> tuple[str, ...]:
        """The stems of a folded word and of the parts it is made of, each once."""
        found = self._known.get(folded)
        if found is None:
            if len(self._known) >= _CACHE:
                self._known.clear()
            every = dict.fromkeys((*self.stems(folded), *self.parts(folded)))
            found = self._known[folded] = tuple(filter(None, every))
        return found

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
