"""Conditions of a query: what is read of it, what a text says on them, what the stage does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossrank import MemoryCorpus, Queries, Ranking, Scale, Search
from crossrank.errors import BadInput
from crossrank.rerank.conditions import Conditions, Verdict, read, stated, verdicts, wanted
from crossrank.rerank.conditions.stage import OPEN, VIOLATED
from crossrank.rerank.conditions.tokens import tokens
from crossrank.types import Floats


def only(query: str, text: str) -> str:
    """The verdict of a text on the only condition of a query."""
    asked = wanted(query)
    assert len(asked.conditions) == 1, asked.conditions
    return str(verdicts(asked, read(text))[0])


@pytest.mark.parametrize(
    ("text", "base", "low", "high"),
    [
        ("280L", "ml", 280_000, 280_000),
        ("0,28 m³", "ml", 280_000, 280_000),
        ("+2 bis +8 °C", "°c", 2, 8),
        ("-30 to 50°C", "°c", -30, 50),
        ("1.500,50 €", "eur", 1500.5, 1500.5),
        ("1.299,– €", "eur", 1299, 1299),
        ("€7.90 to €9.00", "eur", 7.9, 9),
        ("£1,650", "gbp", 1650, 1650),
        ('16"', "mm", 406.4, 406.4),
        ("250kw", "w", 250_000, 250_000),
        ("25 L/day", "ml/", 25_000, 25_000),
        ("36 Monate", "monat", 36, 36),
    ],
)
def test_a_quantity_is_read_in_its_base_unit(text: str, base: str, low: float, high: float) -> None:
    (found,) = [token for token in tokens(f"{text}, 5") if token.kind == "quantity"]
    assert (found.base, found.low, found.high) == pytest.approx((base, low, high))


@pytest.mark.parametrize(
    "text", ["9. Mai 2017", "May 9, 2017", "9 May 2017", "09.05.2017", "2017-05-09"]
)
def test_a_date_is_one_day_however_it_is_written(text: str) -> None:
    (found,) = [token for token in tokens(f"Stand: {text}") if token.kind == "date"]
    assert found.low == date(2017, 5, 9).toordinal()


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("VO (EG) Nr. 852/2004", "eu852/2004"),
        ("Verordnung (EG) 852/2004", "eu852/2004"),
        ("EU 1935/2004", "eu1935/2004"),
        ("Regulation (EU) 2017/745", "eu2017/745"),
        ("Richtlinie 2006/42/EG", "eu2006/42"),
        ("2006/42/EC", "eu2006/42"),
        ("UN ECE R100", "ecer100"),
        ("ECE-R 117", "ecer117"),
        ("UN 38.3", "38.3"),
    ],
)
def test_acts_of_the_union_and_its_neighbours_are_norms(text: str, key: str) -> None:
    found = [token.key for token in tokens(f"Geprüft nach {text}, 5 mm") if token.kind == "norm"]
    assert found == [key]


@pytest.mark.parametrize("text", ["1/2 Zoll", "10/2019", "Kapitel EU", "24/7", "EG 12 m²"])
def test_other_numbers_with_a_slash_are_no_acts(text: str) -> None:
    assert not [token for token in tokens(f"Mit {text}, neu") if token.kind == "norm"]


def test_sides_of_a_thing_are_quantities_of_their_own() -> None:
    found = [token.low for token in tokens("135 x 200 x 58 cm") if token.kind == "quantity"]
    assert found == [1350, 2000, 580]


def test_a_date_that_does_not_exist_is_none() -> None:
    assert not [token for token in tokens("am 31.02.2020") if token.kind == "date"]


@pytest.mark.parametrize(
    ("query", "bound", "low", "high"),
    [
        ("Koffer mindestens 60 Liter", "min", 60_000, 60_000),
        ("Koffer nicht mehr als 60 Liter", "max", 60_000, 60_000),
        ("suitcase no less than 60 litres", "min", 60_000, 60_000),
        ("suitcase under 60 litres", "max", 60_000, 60_000),
        ("suitcase with 60 litres or more", "min", 60_000, 60_000),
        ("Koffer zwischen 60 und 75 Liter", "between", 60_000, 75_000),
        ("Koffer 60 Liter", "is", 60_000, 60_000),
    ],
)
def test_a_bound_is_read_with_its_value(query: str, bound: str, low: float, high: float) -> None:
    (found,) = wanted(query).conditions
    assert (found.kind, found.bound, found.low, found.high) == ("quantity", bound, low, high)


@pytest.mark.parametrize(
    ("query", "thing", "conditions"),
    [
        (
            "Laborkühlschrank 280 L nach DIN 13277 ohne Gefrierfach",
            "Laborkühlschrank",
            ["280 L", "DIN 13277", "ohne Gefrierfach"],
        ),
        (
            "I am looking for a jacket without a hood.",
            "I am looking for a jacket",
            ["without a hood"],
        ),
        (
            "Gibt es einen Sessel, der keine Armlehnen hat?",
            "Gibt es einen Sessel",
            ["keine Armlehnen hat"],
        ),
        ("rasenmäher nicht für hanglagen", "rasenmäher", ["nicht für hanglagen"]),
        ("jacke mit kapuze", "jacke mit kapuze", ["mit kapuze"]),  # its meaning helps a model
        ("Rollator von Gehwerk Süd", "Rollator", ["Gehwerk Süd"]),  # names do not
        ("laser printer model HL-L2350DW", "laser printer", ["HL-L2350DW"]),
    ],
)
def test_a_query_is_a_thing_and_its_conditions(
    query: str, thing: str, conditions: list[str]
) -> None:
    found = wanted(query)
    assert [each.text for each in found.conditions] == conditions
    assert found.thing.rstrip("?,. ") == thing


@pytest.mark.parametrize(
    "query",
    [
        "wie koche ich Nudeln ohne Salz",
        "how many litres are in a gallon",
        "Warum darf man Aspirin nicht mit Alkohol nehmen?",
        "HDAC4 increases chondrocyte hypertrophy without NKX2.",
        "10% of all deaths happen in newborns aged less than 6 months.",
        "Der Bezug lässt sich nicht abnehmen.",
        "Lob für den Akku beim Laptop ohne Lüfter",
        "reasons for tinnitus without noise",
        "who sang the theme song without music in 1989",
        "Für wen spielte Torwart Kahn 1998?",
        "in welchem jahr sank das schiff ohne besatzung",
        "The treaty of Westphalia 1648 ended which war?",
        "",
        "???",
    ],
)
def test_a_question_after_knowledge_and_a_statement_have_no_conditions(query: str) -> None:
    assert wanted(query).conditions == ()
    assert wanted(query).thing == query


def test_a_wish_is_softer_than_a_condition() -> None:
    hard, soft = wanted("Zelt unter 3 kg, möglichst mit Vorraum").conditions
    assert (hard.soft, soft.soft) == (False, True)


@pytest.mark.parametrize(
    ("query", "text", "verdict"),
    [
        ("Kühlschrank 280 Liter", "Der Schrank fasst 0,28 m³.", "met"),
        ("Kühlschrank 280 Liter", "Nutzinhalt: 250 l", "violated"),
        ("Kühlschrank 280 Liter", "Farbe: weiß", "open"),
        ("tent under 3 kg", "It weighs 2,400 g.", "met"),
        ("tent under 3 kg", "Weight: 3.2 kg", "violated"),
        ("Schrank Höhe 200 cm", "180 cm hoch, 2 m breit", "violated"),
        ("Schrank Höhe 200 cm", "Maße: 135 x 200 x 58 cm", "met"),
        ("garden hose 50 ft", 'Brass fittings 3/4", 9-pattern nozzle', "open"),  # far too small
        ("Jacke unter 100 Euro", "Statt 129 € jetzt nur 89 €.", "met"),
        ("Jacke unter 100 Euro", "119,00 €, Pflegemittel ab 9 €", "violated"),
        ("Kühlschrank nach DIN 13277", "Geprüft nach DIN EN 13277:2022.", "met"),
        ("Kühlschrank nach DIN 13277", "Entspricht DIN 13271.", "violated"),
        ("Leiter nach EN 131", "EN 131-2", "met"),
        ("Leiter nach EN 131-1", "EN 131-2", "violated"),
        ("manufacturer ISO 13485 certified", "We are not ISO 13485 certified.", "violated"),
        ("Frist nach § 14 BGB", "Es gilt § 15 BGB.", "violated"),
        ("Rad Tour 200", "Das Rad Tour 290 ist neu.", "violated"),
        ("toner hl-l2350dw", "Für HL-L2310D, HL-L2350DW, HL-L2370DN.", "met"),
        ("toner hl-l2350dw", "Nicht kompatibel mit dem HL-L2350DW.", "violated"),
        ("Bett vom Hersteller Malmo", "Hersteller ist Holmsen.", "violated"),
        ("Bett vom Hersteller Malmo", "Malmo Bett, Kiefer", "met"),
        ("VW Caddy ab 2018", "Erstzulassung 2016", "violated"),
        ("VW Caddy ab 2018", "EZ 03/2019", "met"),
        ("Bericht neuer als 01.06.2020", "Stand: 4. April 2024", "met"),
        ("Bericht neuer als 01.06.2020", "Published on May 9, 2017", "violated"),
        ("jacke ohne kapuze", "Die Kapuze fehlt hier nicht.", "violated"),
        ("jacke ohne kapuze", "Auf eine Kapuze wurde verzichtet.", "met"),
        ("jacke ohne kapuze", "Kapuze: nein", "met"),
        ("jacke ohne kapuze", "Kapuze: –", "met"),
        ("jacke mit kapuze", "Ohne Reflektoren, mit Kapuze.", "met"),
        ("jacke mit kapuze", "Die Kapuze gehört nicht dazu.", "violated"),
        ("jacket without a hood", "It does not do without a hood.", "violated"),
        ("jacket without a hood", "You will look for a hood in vain.", "met"),
        ("Getränk ohne Alkohol", "Dieses Bier ist alkoholfrei.", "met"),
        ("Zelt ohne Versandkosten", "Lieferung ohne Aufpreis.", "open"),
        ("Mäher für Hanglagen", "Achtung: keinesfalls für Hanglagen.", "violated"),
        ("Kühlschrank 280 Liter", "250 l. Das Schwestermodell fasst 280 l.", "violated"),
    ],
)
def test_a_text_meets_a_condition_violates_it_or_leaves_it_open(
    query: str, text: str, verdict: str
) -> None:
    assert only(query, text) == verdict


PIECES = (
    *("280 l", "−5 °C", "1.500,–", "€", "DIN", "EN 131-1", "§ 14", "31.02.2020", "9. Mai", "2018"),
    *("ohne", "nicht", "kein", "mit", "without", "not", "no.", "0 %", "Kapuze", "A1-B2/C3", "Tour"),
    *(
        "x",
        "bis",
        "zwischen",
        "und",
        "or more",
        ":",
        "–",
        ",",
        ".",
        "\n",
        "5th",
        "laktosefrei",
        "²",
    ),
)
TEXTS_OF_PIECES = st.lists(st.sampled_from(PIECES) | st.text(max_size=6), max_size=14).map(" ".join)


@given(query=TEXTS_OF_PIECES, text=TEXTS_OF_PIECES)
@settings(deadline=None)
def test_any_text_can_be_read(query: str, text: str) -> None:
    asked = wanted(query)
    assert len(stated(asked, text)) == len(asked.conditions)
    assert bool(asked.thing) == bool(query)
    for token in tokens(text):
        assert text[token.start : token.end] == token.text
        assert np.isfinite([token.low, token.high]).all()


@pytest.mark.parametrize("piece", ["1 x ", "EN ", "mit a ", "- ", "1 bis ", "a-", "nicht "])
def test_a_long_text_without_an_end_is_read_in_linear_steps(piece: str) -> None:
    assert all(len(clause.tokens) <= 120 for clause in read(piece * 4000).clauses)


class Things:
    """Scores how many words of the query a document has; counts what it is asked."""

    scale = Scale.LOGIT

    def __init__(self) -> None:
        self.asked: list[str] = []

    def score_texts(self, queries: Sequence[str], documents: Sequence[str]) -> Floats:
        self.asked += queries
        pairs = zip(queries, documents, strict=True)
        return np.array([len(set(q.split()) & set(d.split())) for q, d in pairs], dtype=np.float32)


TEXTS = ["Jacke mit Kapuze", "Jacke ohne Kapuze", "Jacke", "Hose ohne Kapuze"]


def candidates(*queries: str) -> Ranking:
    search = Search(Queries.of(queries), MemoryCorpus.of(TEXTS))
    lists = [range(len(TEXTS))] * len(queries)
    return Ranking.of_lists(search, lists, [[3, 2, 1, 0]] * len(queries), Scale.LOGIT)


def test_the_stage_lowers_what_violates_and_keeps_another_thing_low() -> None:
    found = Conditions(Things())(candidates("Jacke ohne Kapuze"))
    assert found.query(0)[0].tolist() == [1, 2, 0, 3]
    assert found.scale is Scale.FUSED
    assert [(note.kind, note.count) for note in found.notes] == [("conditions", 1)]


def test_a_query_without_conditions_keeps_its_order_and_is_not_scored_again() -> None:
    scorer = Things()
    found = Conditions(scorer)(candidates("Jacke", "was ist eine Jacke"))
    assert [docs.tolist() for docs, _ in found] == [[0, 1, 2, 3]] * 2
    assert scorer.asked == []
    assert found.notes == ()


def test_only_the_thing_is_scored_again() -> None:
    scorer = Things()
    Conditions(scorer)(candidates("Jacke ohne Kapuze", "Jacke"))
    assert set(scorer.asked) == {"Jacke"}
    assert len(scorer.asked) == len(TEXTS)


def test_a_name_that_only_rules_read_brings_its_texts_before_those_without_it() -> None:
    texts = ["Rollator blau", "Rollator grün, Hersteller: Rollwell", "Rollator der Marke Gehwerk"]
    search = Search(Queries.of(["Rollator von Gehwerk"]), MemoryCorpus.of(texts))
    given = Ranking.of_lists(search, [range(3)], [[1, 1, 1]], Scale.LOGIT)
    # open before violated, and both after met, though all three are the wanted thing
    assert Conditions(Things())(given).query(0)[0].tolist() == [2, 0, 1]


def test_what_a_condition_costs_is_counted_in_standard_deviations() -> None:
    given = candidates("Jacke mit Kapuze")  # a feature: the thing is not told apart
    free, half = Conditions(), Conditions(strength=0.5)
    z = np.array([3, 2, 1, 0.0])
    z = (z - z.mean()) / z.std()
    lost = np.array([0, VIOLATED, 0, VIOLATED])
    for stage in (free, half):
        scores = dict(zip(*map(np.ndarray.tolist, stage(given).query(0)), strict=True))
        expected = z - stage.strength * lost
        assert [scores[row] for row in range(4)] == pytest.approx(expected.tolist(), abs=1e-6)
    assert 0 < OPEN < VIOLATED


@pytest.mark.parametrize(("depth", "strength"), [(0, 1.0), (10, 0.0), (10, 11.0)])
def test_settings_that_make_no_sense_are_refused(depth: int, strength: float) -> None:
    with pytest.raises(BadInput, match="wanted, got"):
        Conditions(depth=depth, strength=strength)


def test_verdicts_read_as_words() -> None:
    assert [str(each) for each in Verdict] == ["met", "violated", "open"]


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("Kochkurs, geprüft nach Verordnung (EG) Nr. 852/2004.", "met"),
        ("Kochkurs nach Verordnung (EG) Nr. 853/2004.", "violated"),
        ("Kochkurs. Die Küche arbeitet nach DIN 10524.", "open"),
    ],
)
def test_an_act_is_held_against_acts_alone(text: str, verdict: str) -> None:
    assert only("Kochkurs nach VO (EG) 852/2004", text) == verdict


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("Mixer, made by Pfannenwerk.", "violated"),
        ("Ein Mixer. Er stammt von Pfannenwerk.", "violated"),
        ("Blender from the house of Pfannenwerk.", "violated"),
        ("Blender, made by hand.", "open"),
        ("Blender, sold by May 2020.", "open"),
        ("Ein Mixer, von Hand gefertigt.", "open"),
        ("Ein Mixer, verkauft von Privat.", "open"),
        ("Blender, made by Mahlgut.", "met"),
    ],
)
def test_a_verb_of_making_names_the_maker(text: str, verdict: str) -> None:
    assert only("blender brand Mahlgut", text) == verdict


def test_the_name_of_a_model_and_of_a_measure_are_no_feature() -> None:
    guitar = wanted("Klassikgitarre für Linkshänder Concerto 970")
    assert [each.text for each in guitar.conditions] == ["970", "für Linkshänder"]
    assert [each.kind for each in wanted("Tonne mit Volumen 770 L").conditions] == ["quantity"]
    assert [each.kind for each in wanted("Wechselrichter mit Stand 5.2.2024").conditions] == [
        "quantity"
    ]
