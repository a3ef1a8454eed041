"""Passages: whole sentences, bounded sizes, overlaps, and nothing lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossrank.errors import BadInput
from crossrank.text.passages import Passage, passages, words
from crossrank.text.sentences import sentences

TEXT = "Eins zwei drei. Vier fünf. Sechs sieben acht neun. Zehn. Elf zwölf dreizehn."


def shown(text: str, found: list[Passage]) -> list[str]:
    return [text[start:end] for start, end in found]


def test_passages_are_whole_sentences_that_fit() -> None:
    assert shown(TEXT, passages(TEXT, 5, 0)) == [
        "Eins zwei drei. Vier fünf.",
        "Sechs sieben acht neun. Zehn.",
        "Elf zwölf dreizehn.",
    ]


def test_neighbours_share_what_fits_into_the_overlap() -> None:
    assert shown(TEXT, passages(TEXT, 6, 2)) == [
        "Eins zwei drei. Vier fünf.",
        "Vier fünf. Sechs sieben acht neun.",
        "Zehn. Elf zwölf dreizehn.",
    ]


def test_a_text_that_fits_is_one_passage_and_an_empty_one_none() -> None:
    assert passages(TEXT, 100) == [Passage(0, len(TEXT))]
    assert passages(" \n ") == []


def test_a_long_sentence_is_cut_between_words() -> None:
    text = "eins zwei drei vier fünf"
    assert shown(text, passages(text, 2, 0)) == ["eins zwei", "drei vier", "fünf"]
    assert shown(text, passages(text, 7, 0, len)) == ["eins", "zwei", "drei", "vier", "fünf"]


texts = st.one_of(
    st.text(max_size=120),
    st.lists(
        st.sampled_from(["Ein Satz.", "Noch einer!", "wort", "z. B.", "\n\n"]), max_size=40
    ).map(" ".join),
)


@given(text=texts, size=st.integers(1, 12), share=st.floats(0, 0.99))
def test_laws_of_passages(text: str, size: int, share: float) -> None:
    overlap = int(size * share)
    found = passages(text, size, overlap)
    assert sum(len(text[s:e].split()) for s, e in sentences(text)) == len(text.split())
    last_start, last_end = -1, 0
    for start, end in found:
        assert last_start < start < end <= len(text)
        assert end > last_end
        assert not text[last_end:start].strip()  # nothing between two passages
        assert words(text[start:end]) <= size
        if start < last_end:
            assert words(text[start:last_end]) <= overlap
        last_start, last_end = start, end
    assert not text[last_end:].strip()


def test_sizes_that_make_no_sense_are_refused() -> None:
    for size, overlap in ((0, 0), (5, 5), (5, -1)):
        with pytest.raises(BadInput, match="smaller overlap"):
            passages(TEXT, size, overlap)
