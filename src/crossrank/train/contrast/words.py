"""Nouns that know their articles, so that sentence templates stay grammatical.

A noun is written `Gefrierfach/n`: text, then m, f, n or p (plural) in German; in English
nothing, p, or u (uncountable). A third part gives a German dative that differs: `Räder/p/Rädern`.
Templates ask for forms by attribute: `{part.den}`, `{part.kein}`, `{part.ist}`, `{item.a}`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from crossrank.errors import BadInput

# German forms by gender; a form of the dative carries the dative of the noun.
_ARTICLES = {
    "der": ("der", "die", "das", "die"),
    "den": ("den", "die", "das", "die"),
    "ein": ("ein", "eine", "ein", ""),
    "einen": ("einen", "eine", "ein", ""),
    "kein": ("kein", "keine", "kein", "keine"),
    "keinen": ("keinen", "keine", "kein", "keine"),
    "dieser": ("dieser", "diese", "dieses", "diese"),
    "diesen": ("diesen", "diese", "dieses", "diese"),
    "welcher": ("welcher", "welche", "welches", "welche"),
    "welchen": ("welchen", "welche", "welches", "welche"),
    "dem": ("dem", "der", "dem", "den"),
    "einem": ("einem", "einer", "einem", ""),
    "diesem": ("diesem", "dieser", "diesem", "diesen"),
    "keinem": ("keinem", "keiner", "keinem", "keinen"),
    "zum": ("zum", "zur", "zum", "zu den"),
    "beim": ("beim", "bei der", "beim", "bei den"),
    "dat": ("", "", "", ""),
}
_DATIVE = {"dem", "einem", "diesem", "keinem", "zum", "beim", "dat"}
_PRONOUNS = {
    "er": ("er", "sie", "es", "sie"),
    "ihn": ("ihn", "sie", "es", "sie"),
    "rel": ("der", "die", "das", "die"),
    "relacc": ("den", "die", "das", "die"),
    "jener": ("der", "die", "das", "die"),
}
# Verbs by number: (singular, plural).
_VERBS = {
    "ist": ("ist", "sind"),
    "hat": ("hat", "haben"),
    "fehlt": ("fehlt", "fehlen"),
    "fällt": ("fällt", "fallen"),
    "wird": ("wird", "werden"),
    "liegt": ("liegt", "liegen"),
    "macht": ("macht", "machen"),
    "lässt": ("lässt", "lassen"),
    "gehört": ("gehört", "gehören"),
    "beträgt": ("beträgt", "betragen"),
    "überzeugt": ("überzeugt", "überzeugen"),
    "enttäuscht": ("enttäuscht", "enttäuschen"),
    "zählt": ("zählt", "zählen"),
    "bereitet": ("bereitet", "bereiten"),
    "is": ("is", "are"),
    "has": ("has", "have"),
    "comes": ("comes", "come"),
    "was": ("was", "were"),
    "makes": ("makes", "make"),
    "lets": ("lets", "let"),
}
_ENGLISH = {"the": "the", "this": "this", "no": "no", "which": "which"}
_GENDERS = "mfnp"
_WITH_DATIVE = re.compile(
    r"\b((?:von|mit|bei|zu|ab|seit)(?: mindestens| höchstens| maximal| rund)?"
    r" [\d.,]+ (?:Jahre|Monate|Tage))\b"
)


def dative(text: str) -> str:
    """The text with the dative of units after prepositions: `mit 24 Monaten Garantiezeit`."""
    return _WITH_DATIVE.sub(r"\1n", text)


@dataclass(frozen=True, slots=True)
class Noun:
    """A noun and the forms a template may ask of it."""

    text: str
    gender: str = ""
    dative: str = ""

    @classmethod
    def of(cls, written: str) -> Noun:
        """The noun written as `text/gender/dative`, the last two as needed."""
        text, *rest = written.split("/")
        return cls(text.strip(), *(part.strip() for part in rest))

    def __str__(self) -> str:
        return self.text

    def __getattr__(self, form: str) -> str:
        if form in _VERBS:
            return _VERBS[form][self.gender == "p"]
        if form in _PRONOUNS:
            return _PRONOUNS[form][_GENDERS.index(self.gender)]
        if form in _ARTICLES:
            return self._german(form)
        if form == "a":
            return self._with_a()
        if form in _ENGLISH:
            article = {"this": "these"}.get(form, form) if self.gender == "p" else form
            return f"{article} {self.text}"
        raise AttributeError(form)

    def _german(self, form: str) -> str:
        if self.gender not in _GENDERS or not self.gender:
            raise BadInput(f"a gender m, f, n or p wanted for {self.text!r}, got {self.gender!r}")
        text = (self.dative or self.text) if form in _DATIVE else self.text
        return f"{_ARTICLES[form][_GENDERS.index(self.gender)]} {text}".strip()

    def _with_a(self) -> str:
        if self.gender in ("p", "u"):
            return self.text
        return f"{'an' if self.text[0].lower() in 'aeio' else 'a'} {self.text}"
