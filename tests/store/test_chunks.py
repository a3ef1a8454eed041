"""Texts as columns: the same chunks, languages and terms as text by text."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crossrank.store import analysis
from crossrank.store.analysis import Analysis
from crossrank.store.chunks import LANGUAGES, cut, glued, languages, together
from crossrank.text.analyzer import Analyzer, Setting
from crossrank.text.fold import normalise
from crossrank.text.language import detect
from crossrank.text.lex import glue, pieces, written

_FRAGMENTS = (
    *("280", "l", "Liter", " ", "\n", "\t", "\u00a0", "\u2009", "\x1c", "-\n", "-\n  ", "bis", "x"),
    *("und", "oder", "Haus", "tür", "DIN", "EN", "ISO", "9001:2015", "§", "§§", "14a", "minus"),
    *("Minus", "°C", "+", "-", "−", "20", "3,5", "1.500", "kg", "A4", "AB", "Ä9", "\u0663", "５"),
    *("Grad Celsius", "US-Dollar", "C++", "z.B.", "3.5.2024", "(", ")", ",", "the", "of", "\0"),
)
some_text = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    st.lists(st.sampled_from(_FRAGMENTS), max_size=14).map("".join),
    st.lists(st.sampled_from(_FRAGMENTS), max_size=14).map(" ".join),
)
some_texts = st.lists(some_text, max_size=5)


@given(texts=some_texts)
@example(texts=["DIN EN ISO 9001, 5 bis 10 - 20 kg, Haus-\ntür, minus 5 °C, § 14 und AB 3"])
def test_glued_is_glue_of_each(texts: list[str]) -> None:
    assert glued(pa.array(texts, pa.string())).to_pylist() == [glue(text) for text in texts]


@given(texts=some_texts, quantities=st.booleans())
def test_cut_and_together_are_split_and_join(texts: list[str], quantities: bool) -> None:
    found = cut(pa.array(texts, pa.string()), quantities)
    wanted = [(glue(text) if quantities else text).split() for text in texts]
    chunks = found.distinct.to_pylist()
    assert together(found, chunks, found.codes).to_pylist() == [" ".join(each) for each in wanted]
    assert [LANGUAGES[n] for n in languages(found)] == [detect(each) for each in wanted]


@given(text=some_text)
def test_the_fast_way_to_pieces_is_the_slow_one(text: str) -> None:
    for chunk in map(normalise, glue(text).split()):
        assert written(chunk) == [(piece.kind, piece.text) for piece in pieces(chunk)]


@given(texts=some_texts, language=st.sampled_from(["auto", "de", "en"]), quantities=st.booleans())
def test_terms_are_those_of_the_analyser(
    texts: list[str], language: Setting, quantities: bool
) -> None:
    analyzer = Analyzer(language, quantities=quantities)
    with Analysis(analyzer, workers=1) as alone:
        [(_, terms)] = alone.of([(0, pa.array(texts, pa.string()))])
    slow = [" ".join(t for token in analyzer.tokens(x) for t in token.terms) for x in texts]
    assert terms.to_pylist() == slow


def test_chunks_that_were_forgotten_get_the_same_terms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analysis, "KEPT", 3)
    analyzer = Analyzer("auto")
    texts = [f"Wort{n % 7} und Türen, the house number {n % 5} kg" for n in range(40)]
    with Analysis(analyzer, workers=1) as alone:
        batches = [(n, pa.array(texts[n : n + 4])) for n in range(0, 40, 4)]
        found = [terms for _, part in alone.of(batches) for terms in part.to_pylist()]
    assert found == analyzer.documents(texts)


def test_white_space_is_that_of_python() -> None:
    every = [chr(code) for code in range(0x110000) if not 0xD800 <= code <= 0xDFFF]
    found = cut(pa.array([f"a{char}b" for char in every]), quantities=False)
    parted = (found.offsets[1:] - found.offsets[:-1]).tolist()
    assert [n == 2 for n in parted] == [bool(re.fullmatch(r"\s", char)) for char in every]
