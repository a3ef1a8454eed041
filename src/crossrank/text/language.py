"""Which language a text is in: German, English or undecided, from its function words alone."""

from __future__ import annotations

import re
from typing import Final, Literal

Language = Literal["de", "en"]
"""A language that has an analysis of its own."""


def word_set(text: str) -> frozenset[str]:
    """The words of a text written with blanks between them."""
    return frozenset(text.split())


GERMAN_STOP: Final = word_set(
    """
    aber alle allem allen aller alles als also am an ander andere anderem anderen anderer anderes
    auch auf aus bei beim bin bis bist da dabei dadurch dafür dagegen daher damit danach dann daran
    darauf daraus darin darum das daß dass davon dazu dein deine deinem deinen deiner dem den denen
    denn der deren des deshalb dessen dich die dies diese diesem diesen dieser dieses dir doch dort
    du durch ein eine einem einen einer eines er es etwa etwas euch euer eure für gegen gibt hab
    habe haben hat hatte hatten hier hin ich ihm ihn ihnen ihr ihre ihrem ihren ihrer ihres im in
    indem ins ist ja jede jedem jeden jeder jedes jedoch jene jenem jenen jener jenes kann kannst
    können könnte mal man manche manchem manchen mancher manches mein meine meinem meinen meiner
    mich mir mit muss muß müssen musste nach noch nun nur ob oder sein seine seinem seinen seiner
    seines seit selbst sich sie sind so solche solchem solchen solcher solches soll sollen sollte
    sondern sonst sowie soweit um und uns unser unsere unserem unseren unserer unter usw vom von
    vor wann war waren warum was weg weil weiter welche welchem welchen welcher welches wenn wer
    werde werden wie wieder wird wo wurde wurden während würde würden zu zum zur zwar zwischen über
    """
)
"""German words left out of an index; negations are not among them."""

ENGLISH_STOP: Final = word_set(
    """
    a about after again all also am an and any are as at be because been before being between both
    but by can could did do does doing down during each few for from further had has have having he
    her here hers herself him himself his how i if in into is it its itself just me more most my
    myself of off on once only or other our ours ourselves out over own s same she should so some
    such t than that the their theirs them themselves then there these they this those through to
    too under until up us very was we were what when where which while who whom why will with
    would you your yours yourself
    """
)
"""English words left out of an index; negations are not among them."""

NEGATIONS: Final = word_set(
    "nicht kein keine keinem keinen keiner keines ohne nie niemals weder not no nor never "
    "without none"
)
"""Words that turn a meaning round: always indexed."""

_CONTENT_ELSEWHERE: Final = word_set(
    "die war man hat bin den weg mal sein was dies her also all over"
)
CERTAIN_STOP: Final = (GERMAN_STOP | ENGLISH_STOP) - _CONTENT_ELSEWHERE
"""Words that may be left out even where the language is unknown."""

_GERMAN_WORDS: Final = (GERMAN_STOP | word_set("nicht kein keine ohne")) - ENGLISH_STOP
_ENGLISH_WORDS: Final = (ENGLISH_STOP | word_set("not without no")) - GERMAN_STOP


GERMAN_SIGNS: Final = frozenset(
    form for word in _GERMAN_WORDS for form in (word, word.capitalize())
)
ENGLISH_SIGNS: Final = frozenset(
    form for word in _ENGLISH_WORDS for form in (word, word.capitalize())
)
"""Written forms that occur in one of the two languages only."""


LOOKED_AT: Final = 120
"""Pieces of a text that tell its language."""
UMLAUT: Final = "[äöüßÄÖÜ]"
_UMLAUT: Final = re.compile(UMLAUT)


def detect(chunks: list[str]) -> Language | None:
    """The language of a text given as its white-space separated pieces; `None` is undecided.

    Counts the distinct function words of either language among the first 120 pieces; one side
    must have twice the words of the other. Umlauts and `ß` decide where there are none.
    """
    seen = set(chunks[:LOOKED_AT])
    german, english = len(seen & GERMAN_SIGNS), len(seen & ENGLISH_SIGNS)
    umlauts = german == english == 0 and any(map(_UMLAUT.search, seen))
    return decide(german, english, umlauts)


def decide(german: int, english: int, umlauts: int) -> Language | None:
    """The language of a text with so many words of each language, and pieces with umlauts."""
    if german > 2 * english:
        return "de"
    if english > 2 * german:
        return "en"
    return "de" if german == english == 0 < umlauts else None
