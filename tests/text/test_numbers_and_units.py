"""Written numbers as exact values, and every unit of the table."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossrank.text import Analyzer
from crossrank.text.language import Language, detect
from crossrank.text.numbers import plain, values
from crossrank.text.units import SIGNS, WORDS, find_unit


@pytest.mark.parametrize(
    ("written", "language", "wanted"),
    [
        ("1.500,50", None, ["1500.5"]),
        ("1,500.50", None, ["1500.5"]),
        ("1.500", "de", ["1500"]),
        ("1.500", "en", ["1.5"]),
        ("1,500", "de", ["1.5"]),
        ("1,500", "en", ["1500"]),
        ("1.500", None, ["1500", "1.5"]),
        ("0,500", "en", ["0.5"]),
        ("1.000.000", "en", ["1000000"]),
        ("1'000'000", None, ["1000000"]),
        ("3,14", "en", ["3.14"]),
        ("12345.678", "de", ["12345.678"]),
    ],
)
def test_values(written: str, language: Language | None, wanted: list[str]) -> None:
    assert [plain(value) for value in values(written, language)] == wanted


@given(number=st.decimals(0, 9_999_999, places=2))
def test_both_ways_of_writing_a_number_are_one_value(number: Decimal) -> None:
    english = f"{number:,.2f}"
    german = english.replace(",", "_").replace(".", ",").replace("_", ".")
    if "." in german:  # two different marks: no language is needed
        assert values(german, None) == values(english, None) == (number,)
    assert values(german, "de")[0] == values(english, "en")[0] == number


@given(number=st.decimals(-1000, 1000, places=3))
def test_plain_numbers_have_no_exponent_and_no_trailing_zeros(number: Decimal) -> None:
    text = plain(number)
    assert Decimal(text) == number
    assert "e" not in text.lower()
    assert not ("." in text and text.endswith(("0", ".")))


@pytest.mark.parametrize("written", sorted({*SIGNS, *WORDS}))
def test_every_unit_gives_the_exact_value_in_its_base(written: str) -> None:
    unit = find_unit(written)
    exact = plain(7 * unit.factor) + unit.base
    assert exact in Analyzer("de").document(f"genau 7 {written} groß").split()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("500 g", "0,5 kg"),
        ("2 m", "200 cm"),
        ("1 h", "60 Minuten"),
        ("1 GB", "1000 MB"),
        ("0.5 l", "500 ml"),
        ("2 years", "24 months"),
    ],
)
def test_equal_quantities_share_their_exact_term(one: str, other: str) -> None:
    analyzer = Analyzer("auto")
    assert analyzer.query(one)[0] == analyzer.query(other)[0]


def test_a_unit_is_also_the_word_it_is() -> None:
    analyzer = Analyzer("de")
    assert set(analyzer.query("Liter")) <= set(analyzer.document("280 l").split())
    assert set(analyzer.query("Jahre")) <= set(analyzer.document("5 Jahre").split())
    assert Analyzer("en").query("years")[0] in Analyzer("en").document("5 years").split()


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Der Schrank ist in dem Haus", "de"),
        ("The fridge is in the house", "en"),
        ("Kühlschränke", "de"),
        ("Lorem ipsum", None),
        ("", None),
    ],
)
def test_language_by_function_words(text: str, language: Language | None) -> None:
    assert detect(text.split()) == language
