"""Folding of written forms: what differs only in how it was typed becomes one string.

Unicode NFKC and case folding (Unicode Standard, chapter 3.13), typographic dashes and quotation
marks, invisible characters and combining marks. German umlauts survive folding, since the
German stemmer needs them; `strip_umlauts` takes the last step.
"""

from __future__ import annotations

import re
import unicodedata

MAX_TERM_BYTES = 39
"""Longest term in UTF-8 bytes: full-text engines drop longer ones (Lance and tantivy at 40)."""

JOINER = "\ue001"
"""Stands for a character that glues its neighbours to one word: a hyphen at a line end."""

GLUE = "\ue000"
"""Stands for white space inside one expression, such as the blank of `280 Liter`."""

_INVISIBLE = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\ufeff\u180e" + JOINER
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
_APOSTROPHES = "\u2018\u2019\u201b\u02bc\u0060\u00b4\u2032"
_TYPOGRAPHY = {
    **dict.fromkeys(map(ord, _INVISIBLE)),
    **dict.fromkeys(map(ord, _DASHES), "-"),
    **dict.fromkeys(map(ord, _APOSTROPHES), "'"),
    ord(GLUE): " ",
    ord("\u2033"): '"',
    ord("\u201d"): '"',
    ord("\u00d7"): "x",
    ord("\u00ba"): "\u00b0",
}
_UMLAUT = "\u0308"
_GERMAN = re.compile("[\x00-_a-~äöüÄÖÜß§]*")
"""Text that is normal as it is, which spares most German words the long way."""
_UNUSABLE = re.compile(r"[\W_]+")


def normalise(text: str) -> str:
    """The text in NFKC with plain dashes and apostrophes and nothing invisible; case is kept."""
    if text.isascii() or _GERMAN.fullmatch(text):
        return text
    if GLUE in text and _GERMAN.fullmatch(glued := text.replace(GLUE, " ")):
        return glued
    return unicodedata.normalize("NFKC", text.translate(_TYPOGRAPHY)).translate(_TYPOGRAPHY)


def fold(word: str) -> str:
    """One word in lower case without marks, `ä ö ü` kept and `ß` written `ss`.

    Folding a folded word changes nothing.
    """
    if word.isascii():
        return word.lower()
    if _GERMAN.fullmatch(word):
        return word.lower().replace("ß", "ss")
    folded = _fold_once(word)
    for _ in range(4):
        again = _fold_once(folded)
        if again == folded:
            break
        folded = again
    return folded


def _fold_once(word: str) -> str:
    cased = unicodedata.normalize("NFKC", word.translate(_TYPOGRAPHY)).casefold()
    kept: list[str] = []
    for char in unicodedata.normalize("NFD", cased):
        if not unicodedata.combining(char):
            kept.append(char)
        elif char == _UMLAUT and kept and kept[-1] in "aou":
            kept[-1] = {"a": "ä", "o": "ö", "u": "ü"}[kept[-1]]
    return unicodedata.normalize("NFKC", "".join(kept))


_SIMPLE = re.compile("[(„“»\\[*`_\"']{0,3}([A-Za-zäöüÄÖÜß]+)[)”“«\\]*`_\"'.,;:!?]{0,4}")


def simple_word(chunk: str) -> str:
    """The folded word in a chunk that is nothing but a German or English word and its marks.

    Empty for any other chunk. It is the common case, and many times faster than the general one:
    the answer is that of `fold` for the only word in it.
    """
    found = _SIMPLE.fullmatch(chunk)
    return found[1].lower().replace("ß", "ss") if found else ""


_PLAIN = str.maketrans({"ä": "a", "ö": "o", "ü": "u", "ß": "ss"})


def strip_umlauts(word: str) -> str:
    """The folded word with `a o u` for `ä ö ü`."""
    return word if word.isascii() else word.translate(_PLAIN)


def clip(term: str) -> str:
    """The term without white space and punctuation, cut to `MAX_TERM_BYTES` of UTF-8."""
    if not term.isalnum():
        term = _UNUSABLE.sub("", term)
    if len(term) * 4 <= MAX_TERM_BYTES or len(term.encode()) <= MAX_TERM_BYTES:
        return term
    return term.encode()[:MAX_TERM_BYTES].decode(errors="ignore")
