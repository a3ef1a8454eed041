"""Sentence bounds: golden cases in both languages, and that nothing is ever lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossrank.errors import BadInput
from crossrank.text.sentences import sentences

# A bar stands where a sentence ends and another one begins.
GOLDEN = (
    "Das ist ein Satz.|Das ist noch einer!|Ist es so?|Ja.",
    "Am 3. Mai kam er.|Am 4. ging er.",
    "Die 2. Auflage erschien am 12. Januar 2020.|Sie war vergriffen.",
    "Er wurde 30.|Sie blieb 20.",
    "Nach § 5 Abs. 2 Nr. 3 BGB gilt das.|Art. 4 bleibt.",
    "Das gilt z. B. für Dr. Alt und Prof. Neu.|Andere nicht.",
    "Er kostet ca. 3,5 Mio. Euro bzw. 1.500,50 Dollar.|Das ist viel.",
    "Äpfel, Birnen usw. Obst ist gesund.",
    "Äpfel, Birnen usw.|Das ist Obst.",
    "Vitamin C. ist wichtig.",
    "Sie nahm Vitamin C.|Es half.",
    "J. R. R. Tolkien schrieb es.|J. S. Bach nicht.",
    "Mr. Smith and Mrs. Jones met Dr. No at 5 p.m.|The meeting was short.",
    "See Fig. 2 and Refs. 3 to 5.|The effect (p = 0.05) is small.",
    "Smith et al. (2010) found it, i.e. the effect.|Others did not, e.g. Jones.",
    "The U.S. government agreed.|He lives in the U.S.|The end.",
    "So do I.|Then he left.",
    "Warum?|„Weil es so ist.“|Er ging.",
    "»Nein!« sagte er.|Dann schwieg er …|Sie auch.",
    "Version 1.2.3 is out.|Visit example.com today.",
    "1. Öffnen Sie die Tür.|2. Schließen Sie sie.",
    "a) Erstens.|b) Zweitens.",
    "Titel ohne Punkt\n|Der Text beginnt hier.",
    "Eine Überschrift\n\n|ein Absatz in kleinen Buchstaben\n\n|und noch einer",
    "Liste:\n|- eins\n|- zwei\n|* drei",
    "Kurz...|Dann weiter.",
    "Wait... what?|Yes!",
    "Keine Satzzeichen hier",
)
WRAPPED = (
    "Dieser Absatz ist nach etwa siebzig Zeichen umbrochen, so wie es viele\n"
    "Programme tun, und hat deshalb mehr Zeilen als Sätze."
)


@pytest.mark.parametrize("marked", [*GOLDEN, WRAPPED])
def test_golden_bounds(marked: str) -> None:
    wanted = [part.strip() for part in marked.split("|")]
    text = " ".join(wanted) if "\n" not in marked else marked.replace("|", "")
    assert [text[start:end] for start, end in sentences(text)] == wanted


texts = st.one_of(
    st.text(max_size=200),
    st.lists(
        st.sampled_from(
            [*GOLDEN, "z.", "B.", "3.", "Mai", "\n", "\n\n", "Dr.", "x" * 50, "(", "…"]
        ),
        max_size=12,
    ).map(" ".join),
)


@given(text=texts, longest=st.integers(1, 300))
def test_every_character_but_white_space_is_in_one_sentence(text: str, longest: int) -> None:
    spans = sentences(text, longest)
    last = 0
    for start, end in spans:
        assert last <= start < end <= len(text)
        assert not text[last:start].strip()
        assert text[start:end] == text[start:end].strip()
        assert end - start <= longest
        last = end
    assert not text[last:].strip()


def test_long_sentences_are_split_where_it_hurts_least() -> None:
    text = "eins zwei drei; vier fünf sechs, sieben acht neun zehn elf zwölf"
    parts = [text[s:e] for s, e in sentences(text, 30)]
    assert parts == ["eins zwei drei; vier fünf", "sechs, sieben acht neun zehn", "elf zwölf"]
    text = "eins zwei drei vier fünf; sechs sieben acht neun"
    assert next(text[s:e] for s, e in sentences(text, 40)) == "eins zwei drei vier fünf;"
    assert all(len(part) <= 30 for part in parts)
    assert [e - s for s, e in sentences("x" * 95, 30)] == [30, 30, 30, 5]


def test_a_sentence_without_end_takes_no_forever() -> None:
    assert len(sentences("wort " * 100_000)) > 500
    assert len(sentences("z.B." * 20_000)) > 50


def test_a_longest_of_nothing_is_refused() -> None:
    with pytest.raises(BadInput, match="1 or more"):
        sentences("text", 0)
