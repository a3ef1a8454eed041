"""The analyser: golden terms, and the laws that make documents and queries meet."""

from __future__ import annotations

import json
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossrank.errors import BadInput
from crossrank.text import Analyzer, Vocabulary, VocabularyBuilder
from crossrank.text.analyzer import Setting
from crossrank.text.fold import MAX_TERM_BYTES, fold, normalise, simple_word
from crossrank.text.lex import pieces
from crossrank.text.terms import Terms
from crossrank.text.words import Words

CATALOGUE = (
    "Ein Kühlschrank für das Labor. Der Kühlschrank kühlt Medikamente und Proben.",
    "Schrank und Schränke, ein kühler Schrank. Das Medikament bleibt kühl, die Medikamente auch.",
    "Das Labor hat einen Laborkühlschrank und einen Medikamentenkühlschrank.",
    "Die Tür und die Türen. Das Glas. Eine Glastür, zwei Glastüren. Arbeit und Zeit.",
)


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    builder = VocabularyBuilder()
    builder.add(CATALOGUE * 2, "de")
    return builder.build()


@pytest.fixture(scope="module")
def german(vocabulary: Vocabulary) -> Analyzer:
    return Analyzer("de", vocabulary)


GOLDEN = {
    # volumes, and the same however written
    "280L": "280000ml 280 lit",
    "280 l": "280000ml 280 lit",
    "280 Liter": "280000ml 280 lit",
    "280-Liter-Gerät": "280000ml 280 lit gerat",
    "0,5 l": "500ml 0.5 lit",
    "500 ml": "500ml 500 ml",
    # temperatures
    "+2 °C": "2°c 2 grad",
    "2°C": "2°c 2 grad",
    "-20 °C": "-20°c 20 grad",
    "\u221220 °C": "-20°c 20 grad",
    "minus 20 Grad": "-20°c 20 grad",
    "+2 °C bis +8 °C": "2°c 2 grad 8°c 8 grad",
    "2–8 °C": "2°c 8°c 2 8 grad",
    # numbers
    "1.500,50": "1500.5",
    "1,500.50": "1500.5",
    "1.500": "1500",
    "3,5": "3.5",
    "007": "007",
    "192.168.0.1": "192.168.0.1",
    # prices, percent, sizes
    "1.299 €": "1299eur 1299 euro",
    "10 %": "10% 10 prozent",
    "10x15 cm": "100mm 150mm 10 15 cm",
    # norms, names, laws, dates
    "DIN 13277": "din13277 din 13277",
    "DIN13277": "din13277 din 13277",
    "DIN EN ISO 9001:2015": "din9001 en9001 iso9001 din en iso 9001 2015",
    "LABO-288": "labo288 labo 288",
    "LABO 288": "labo288 labo 288",
    "§ 14a BGB": "§14a 14a bgb",
    "3.5.2024": "2024-05-03 2024",
    "2024-05-03": "2024-05-03 2024",
    "C++": "c++ c",
    # spelling
    "Straße": "strass",
    "STRASSE": "strass",
    "Ärzte": "arzt",
    "Aerzte": "arzt",
    "E-Mail": "email mail",
    "Haus-\ntür": "haustur",
    "don't": "not",
    "O'Neill": "oneill neill",
    "z.B.": "",
    "der die das": "",
    "nicht ohne": "nicht ohn",
    "": "",
    " \n ": "",
}


@pytest.mark.parametrize(("text", "terms"), GOLDEN.items())
def test_golden_terms(text: str, terms: str) -> None:
    assert Analyzer("de").document(text) == terms


def test_a_lone_mark_between_three_digits_is_read_by_the_language() -> None:
    assert Analyzer("de").document("1.500 kg") == "1500000g 1500 kg"
    assert Analyzer("en").document("1.500 kg") == "1500g 1.5 kg"
    assert Analyzer("en").document("1,500 kg") == "1500000g 1500 kg"
    assert {"1500000g", "1500g"} <= set(Analyzer("auto").query("1.500 kg"))


def test_norms_that_differ_in_a_digit_share_only_their_body() -> None:
    one, other = (set(Analyzer("de").query(f"DIN {n}")) for n in (13277, 13271))
    assert one & other == {"din"}


def test_a_compound_is_found_by_its_parts_and_the_parts_by_the_compound(german: Analyzer) -> None:
    kühlschrank = set(german.query("Kühlschränke"))
    for compound in ("Medikamentenkühlschrank", "Laborkühlschrank", "Medikamentenkühlschränken"):
        assert kühlschrank <= set(german.document(compound).split())
        assert set(german.document("ein Kühlschrank").split()) & set(german.query(compound))
    assert "medikament" in german.document("Medikamentenkühlschrank").split()
    assert "schrank" in german.query("Laborkühlschrank")


def test_without_compounds_a_word_is_one_term(vocabulary: Vocabulary) -> None:
    plain = Analyzer("de", vocabulary, compounds=False)
    assert plain.document("Laborkühlschrank") == "laborkuhlschrank"


def test_without_quantities_there_are_only_words() -> None:
    plain = Analyzer("de", quantities=False)
    assert plain.document("280 Liter nach DIN 13277, LABO-288") == "280 lit din 13277 labo 288"


def test_small_letters_meet_a_name_with_a_number() -> None:
    analyzer = Analyzer("de")
    assert "labo288" in analyzer.query("labo 288")
    assert "labo288" in analyzer.query("Labo-288")
    assert "labo288" not in analyzer.query("labo und 288")


def test_a_query_has_each_term_once_and_a_document_each_time() -> None:
    analyzer = Analyzer("en")
    assert analyzer.query("fridge Fridge fridges") == ["fridg"]
    assert analyzer.document("fridge Fridge fridges") == "fridg fridg fridg"


def test_auto_tells_the_language_of_stop_words_by_the_text() -> None:
    auto = Analyzer("auto")
    assert "was" not in auto.document("the man was in the house and he was not there").split()
    assert "die" not in auto.document("das ist die Tür, und die ist nicht zu").split()


LANGUAGES: tuple[Setting, ...] = ("auto", "de", "en")
written = st.one_of(
    st.text(max_size=60),
    st.lists(
        st.sampled_from(
            [*filter(None, GOLDEN), "Laborkühlschrank", "the", "und", "ﬁne", "don’t", "(siehe"]
        ),
        max_size=8,
    ).map(" ".join),
)


@given(text=written, language=st.sampled_from(LANGUAGES))
def test_a_query_has_all_terms_of_a_document_with_its_text(text: str, language: Setting) -> None:
    analyzer = Analyzer(language)
    assert set(analyzer.document(text).split()) <= set(analyzer.query(text))


@given(text=written, language=st.sampled_from(LANGUAGES))
def test_tokens_lie_in_the_text_in_order_and_have_the_terms_of_the_document(
    text: str, language: Setting
) -> None:
    analyzer = Analyzer(language)
    tokens = analyzer.tokens(text)
    assert [term for t in tokens for term in t.terms] == analyzer.document(text).split()
    for token in tokens:
        assert 0 <= token.start < token.end <= len(text)
        assert token.terms
        assert not any(term.isspace() or not term for term in token.terms)
    assert [t.start for t in tokens] == sorted(t.start for t in tokens)


@given(text=written)
def test_terms_are_short_enough_for_a_full_text_engine(text: str) -> None:
    for term in Analyzer("auto").query(text):
        assert 0 < len(term.encode()) <= 2 * MAX_TERM_BYTES
        assert not any(char.isspace() for char in term)


@given(text=written, wanted=st.lists(st.sampled_from(["280", "lit", "din", "email"]), max_size=2))
def test_matches_are_the_tokens_with_a_wanted_term(text: str, wanted: list[str]) -> None:
    analyzer = Analyzer("de")
    every = [t for t in analyzer.tokens(text) if set(t.terms) & set(wanted)]
    assert analyzer.matches(text, wanted) == every


def test_a_token_is_what_was_written(german: Analyzer) -> None:
    text = "Ein Laborkühlschrank, 280 Liter, nach DIN 13277."
    shown = [text[t.start : t.end] for t in german.tokens(text)]
    assert shown == ["Laborkühlschrank", "280 Liter", "DIN 13277"]


marks = st.text(alphabet="(„“»[*`_\"')”«].,;:!?", max_size=3)
letters = st.text(alphabet="abcxyzABCÄÖÜäöüß", min_size=1, max_size=12)


@given(before=marks, word=letters, after=marks, language=st.sampled_from(["de", "en"]))
def test_the_quick_way_for_simple_words_is_the_general_one(
    before: str, word: str, after: str, language: Setting
) -> None:
    chunk = before + word + after
    simple = simple_word(chunk)
    if simple:
        assert simple == fold(word)
        terms = Terms(Words(language, Vocabulary(), True), language)  # type: ignore[arg-type]
        general = [term for piece in pieces(normalise(chunk)) for term in terms.of(piece)]
        assert list(terms.word(simple)) == general


def test_sixteen_threads_get_the_terms_of_one(vocabulary: Vocabulary) -> None:
    texts = [f"{text} Gerät{i} {i},5 l" for i in range(60) for text in CATALOGUE]
    alone = Analyzer("auto", vocabulary).documents(texts)
    shared = Analyzer("auto", vocabulary)
    with ThreadPoolExecutor(16) as pool:
        parts = list(pool.map(shared.documents, [texts] * 16))
    assert all(part == alone for part in parts)


def test_a_full_cache_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"Wort{i} Tür und Türen" for i in range(20)]
    whole = Analyzer("de").documents(texts)
    monkeypatch.setattr("crossrank.text.analyzer.CACHE_CHUNKS", 5)
    monkeypatch.setattr("crossrank.text.words._CACHE", 3)
    assert Analyzer("de").documents(texts) == whole


def test_an_analyser_survives_json_and_pickle(german: Analyzer) -> None:
    text = "Medikamentenkühlschrank, 280 l, DIN 13277"
    for again in (
        Analyzer.from_dict(json.loads(json.dumps(german.to_dict()))),
        pickle.loads(pickle.dumps(german)),
    ):
        assert again == german
        assert again.document(text) == german.document(text)


def test_stored_analysers_of_other_versions_are_refused(german: Analyzer) -> None:
    with pytest.raises(BadInput, match="index the collection anew"):
        Analyzer.from_dict({**german.to_dict(), "analysis": 0})
    with pytest.raises(BadInput, match="lacks"):
        Analyzer.from_dict({k: v for k, v in german.to_dict().items() if k != "language"})
    with pytest.raises(BadInput, match=r"Vocabulary\.to_dict"):
        Vocabulary.from_dict({"parts": "?"})
    with pytest.raises(BadInput, match="auto, de or en"):
        Analyzer("fr")  # type: ignore[arg-type]


@given(text=st.text(max_size=40))
@settings(max_examples=300)
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)
