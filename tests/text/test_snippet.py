"""Snippets: the right stretch, on word bounds, with what matches highlighted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossrank.errors import BadInput
from crossrank.text import Analyzer, VocabularyBuilder
from crossrank.text.snippet import Snippet, snippet

FILLER = "Unsere Geräte stehen in vielen Häusern. "
TARGET = "Der Laborkühlschrank LABO-288 fasst 280 Liter und erfüllt DIN 13277. "
TEXT = FILLER * 12 + TARGET + "Ein anderer Absatz folgt. " + FILLER * 12


@pytest.fixture(scope="module")
def analyzer() -> Analyzer:
    builder = VocabularyBuilder()
    builder.add(["Kühlschrank Schrank Labor kühl Gerät Haus"] * 3, "de")
    return Analyzer("de", builder.build())


def highlighted(found: Snippet) -> list[str]:
    return [found.text[start:end] for start, end in found.highlights]


def test_the_stretch_with_most_of_the_query_is_shown_from_its_sentence(analyzer: Analyzer) -> None:
    found = snippet("Kühlschrank 280l nach DIN 13277", TEXT, analyzer, 120)
    assert found.text.startswith("… Der Laborkühlschrank LABO-288")
    assert found.text.endswith("…")
    assert highlighted(found) == ["Laborkühlschrank", "280 Liter", "DIN 13277"]
    assert "[Laborkühlschrank] LABO-288 fasst [280 Liter]" in found.marked()


def test_a_rare_word_counts_more_than_a_frequent_one(analyzer: Analyzer) -> None:
    found = snippet("Geräte Absatz", TEXT, analyzer, 60)
    assert "Absatz" in highlighted(found)


def test_without_a_match_it_is_the_beginning(analyzer: Analyzer) -> None:
    found = snippet("Xylophon", "  " + TEXT, analyzer, 60)
    assert found.text == "Unsere Geräte stehen in vielen Häusern. Unsere Geräte …"
    assert found.highlights == ()


def test_a_short_text_is_shown_whole_on_one_line(analyzer: Analyzer) -> None:
    found = snippet("Labor", "Ein  Labor\n\nund ein\tLabor", analyzer)
    assert found.text == "Ein Labor und ein Labor"
    assert highlighted(found) == ["Labor", "Labor"]
    assert snippet("Labor", "", analyzer) == Snippet("")


def test_english_words_match_by_their_stems() -> None:
    text = "Nothing here at all. " * 20 + "The freezers are cooling two samples."
    found = snippet("freezer cool sample", text, Analyzer("en"), 80)
    assert highlighted(found) == ["freezers", "cooling", "samples"]


def test_a_word_longer_than_the_width_is_cut(analyzer: Analyzer) -> None:
    found = snippet("x", "y" * 500, analyzer, 50)
    assert len(found.text) <= 50
    assert found.text.startswith("yyy")


WORDS = [
    "Kühlschrank",
    "Laborkühlschrank",
    "280",
    "Liter",
    "und",
    "Satz.",
    "\n\n",
    "DIN",
    "13277",
    "x",
]


@given(
    text=st.one_of(
        st.text(max_size=300), st.lists(st.sampled_from(WORDS), max_size=120).map(" ".join)
    ),
    query=st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join),
    width=st.integers(20, 200),
)
def test_laws_of_snippets(analyzer: Analyzer, text: str, query: str, width: int) -> None:
    found = snippet(query, text, analyzer, width)
    assert len(found.text) <= width
    assert "\n" not in found.text
    bare = found.text.removeprefix("… ").removesuffix(" …")
    assert bare in " ".join(text.split())
    last = 0
    for start, end in found.highlights:
        assert last <= start < end <= len(found.text)
        last = end
    if set(analyzer.query(query)) & set(analyzer.document(text).split()):
        assert found.highlights
    else:
        assert not found.highlights


def test_a_width_too_small_to_show_anything_is_refused(analyzer: Analyzer) -> None:
    with pytest.raises(BadInput, match="20 or more"):
        snippet("x", "y", analyzer, 10)
