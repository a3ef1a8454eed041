"""Compounds: the splitter on given parts, and what is learned from texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossrank.errors import BadInput
from crossrank.text import Vocabulary, VocabularyBuilder
from crossrank.text.compounds import CompoundSplitter
from crossrank.text.fold import strip_umlauts
from crossrank.text.stem import stemmer

STEM = stemmer("german")
WORDS = """
arbeit zeit gesetz kühl schrank labor medikament bund verfassung gericht tür glas rauch ent haus
kind garten ärzte kammer
"""
PARTS = {STEM(word): 30 for word in WORDS.split()}
SPLITTER = CompoundSplitter(PARTS, STEM)


@pytest.mark.parametrize(
    ("word", "parts"),
    {
        "kühlschrank": "kuhl schrank",
        "laborkühlschrank": "labor kuhlschrank kuhl schrank",
        "medikamentenkühlschränke": "medikament kuhlschrank kuhl schrank",
        "arbeitszeit": "arbeit zeit",
        "arbeitszeitgesetz": "arbeitszeit arbeit zeit gesetz",
        "kindergärten": "kind gart",
        "haustüren": "haus tur",
        "ärztekammer": "arzt kamm",
        "aerztekammer": "arzt kamm",
        "verfassung": "",
        "schrank": "",
        "computer": "",
        "kühlschrank1": "",
    }.items(),
)
def test_golden_splits(word: str, parts: str) -> None:
    known = CompoundSplitter({**PARTS, STEM("kühlschrank"): 3}, STEM)
    found = [part for part in known.stems(word) if part]
    assert found == parts.split()


def test_chains_are_split_where_no_two_parts_are_known() -> None:
    assert "gericht" in SPLITTER.stems("bundesverfassungsgericht")
    assert {"verfass", "bund"} <= set(SPLITTER.stems("bundesverfassungsgericht"))


def test_prefixes_begin_no_compound_and_suffixes_end_none() -> None:
    parts = {**PARTS, STEM("ver"): 99, STEM("heit"): 99, STEM("ung"): 99}
    splitter = CompoundSplitter(parts, STEM)
    assert splitter.split("vergericht") is None
    assert splitter.split("laborheit") is None
    assert splitter.split("gesetzrauch") == ("gesetz", "rauch")
    assert CompoundSplitter(parts, STEM, {"rauch"}).split("gesetzrauch") is None


@given(word=st.text(alphabet="abekszäöütr", max_size=30))
def test_a_split_takes_nothing_away(word: str) -> None:
    split = SPLITTER.split(word)
    assert split is None or "".join(split) == word


TEXTS = (
    "Der Schrank steht im Labor, die Schränke stehen in den Laboren.",
    "Laborkühlschrank, Medikamentenkühlschrank und Weinkühlschrank; der Wein, die Medikamente.",
    "Die Patienten, Studenten, Dozenten und Konsumenten sahen Enten. Eine Ente, zwei Enten.",
)


@pytest.fixture(scope="module")
def learned() -> Vocabulary:
    builder = VocabularyBuilder()
    builder.add(TEXTS * 3)
    return builder.build()


def test_parts_are_words_and_ends_that_never_stand_alone(learned: Vocabulary) -> None:
    assert {"schrank", "labor", "medikament", "kuhlschrank"} <= learned.parts.keys()
    assert "chrank" not in learned.parts


def test_an_end_that_follows_no_words_is_not_a_last_part(learned: Vocabulary) -> None:
    assert "ent" in learned.parts
    assert "ent" in learned.not_last
    assert "schrank" not in learned.not_last


def test_words_are_told_by_language() -> None:
    builder = VocabularyBuilder()
    builder.add(["Der Schrank ist in dem Haus und der Hof ist vor dem Haus"] * 2)
    builder.add(["The fridge is in the house and the yard is before the house"] * 2)
    vocabulary = builder.build()
    assert "schrank" in vocabulary.german
    assert "fridge" in vocabulary.english
    assert not vocabulary.german & vocabulary.english


def test_a_vocabulary_survives_storage(learned: Vocabulary) -> None:
    assert Vocabulary.from_dict(learned.to_dict()) == learned


def test_memory_is_bounded_and_frequent_words_stay() -> None:
    builder = VocabularyBuilder(limit=1000)
    builder.add((f"Schrank Labor wort{i}" for i in range(5000)), "de")
    assert sum(map(len, builder._chunks.values())) <= 1001
    assert {"schrank", "labor"} <= builder.build().parts.keys()
    with pytest.raises(BadInput, match="at least 1000"):
        VocabularyBuilder(limit=10)


def test_the_most_frequent_are_kept() -> None:
    builder = VocabularyBuilder()
    builder.add(["Schrank Schrank Schrank Labor Labor"] * 2, "de")
    assert builder.build(max_parts=1).parts == {"schrank": 6}


def test_umlauts_are_stripped_as_the_stemmer_does() -> None:
    assert strip_umlauts("äöüß") == "aouss"
