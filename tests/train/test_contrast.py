"""The contrast generator: deterministic, graded by its rule, and apart from what is held out."""

from __future__ import annotations

import re
from collections import Counter
from itertools import islice
from random import Random

import pytest

from crossrank.errors import BadInput, NotFound
from crossrank.train.contrast import HELD_OUT, KINDS, LANGUAGES, Group, domains, generate
from crossrank.train.contrast.domain import domain, neighbours
from crossrank.train.contrast.items import Condition, Item, other_value, sample_item
from crossrank.train.contrast.lookup import lookup, lookup_kinds
from crossrank.train.contrast.matters import matter, matter_kinds
from crossrank.train.contrast.quantities import amount, between, date, number
from crossrank.train.contrast.render import render
from crossrank.train.contrast.words import Noun, dative

BOTH = pytest.mark.parametrize("language", LANGUAGES)


@pytest.fixture(scope="module")
def groups() -> list[Group]:
    return list(generate(domains(), LANGUAGES, 700, seed=3))


def test_the_same_seed_gives_the_same_groups(groups: list[Group]) -> None:
    assert list(islice(generate(domains(), LANGUAGES, 700, seed=3), 40)) == groups[:40]
    assert list(generate(domains(), LANGUAGES, 40, seed=4)) != groups[:40]


def test_domains_and_languages_come_evenly(groups: list[Group]) -> None:
    assert Counter(group.language for group in groups) == {"de": 350, "en": 350}
    counts = Counter(group.domain for group in groups)
    assert set(counts) == set(domains()) and max(counts.values()) - min(counts.values()) <= 2
    assert {group.kind for group in groups} == set(KINDS)


def test_every_group_can_be_ordered(groups: list[Group]) -> None:
    for group in groups:
        grades = Counter(grade for _, grade in group.candidates)
        assert set(grades) <= {0, 1, 2, 3} and grades[3] and grades[1] and grades[0], group
        assert 6 <= len(group.candidates) <= 15
        texts = [text for text, _ in group.candidates]
        assert len(set(texts)) == len(texts)


def test_a_domain_may_take_facts_of_another() -> None:
    names = ["ladders", "cameras"]
    plain, both = (list(generate(names, LANGUAGES, 300, 5, mix)) for mix in (0.0, 1.0))
    test_every_group_can_be_ordered(both)
    test_no_template_is_left_unfilled(both)
    makers = domain("cameras", "de").makers

    def strange(groups: list[Group]) -> int:
        """Texts on ladders that name a maker of cameras, but for the far one of each group."""
        return sum(
            any(maker in text for maker in makers)
            for group in groups
            for text, grade in group.candidates
            if group.domain == "ladders" and grade > 0
        )

    assert not strange(plain) and strange(both) > 20


def test_no_template_is_left_unfilled(groups: list[Group]) -> None:
    for group in groups:
        for text in (group.query, *(text for text, _ in group.candidates)):
            assert text and text == text.strip() and not re.search(r"[{}]|\bNone\b|  ", text), text


def test_there_are_enough_domains_and_four_are_held_out() -> None:
    assert len(domains()) >= 24
    assert len(HELD_OUT) == 4 and set(HELD_OUT) < set(domains())


def test_held_out_words_never_enter_other_groups() -> None:
    for name in domains():
        assert all((other in HELD_OUT) is (name in HELD_OUT) for other in neighbours(name))
    held = [maker for name in HELD_OUT for maker in domain(name, "de").makers]
    rest = [name for name in domains() if name not in HELD_OUT]
    for group in generate(rest, LANGUAGES, 300, seed=5):
        assert not any(maker in text for text, _ in group.candidates for maker in held)


@BOTH
@pytest.mark.parametrize("name", domains())
def test_each_domain_makes_every_kind_it_offers(name: str, language: str) -> None:
    chosen = domain(name, language)
    assert len(chosen.items) >= 4 and len(chosen.makers) >= 5 and len(chosen.topics) >= 3
    for kind in lookup_kinds(chosen):
        assert lookup(chosen, kind, Random(name)).kind == kind
    for kind in matter_kinds(chosen):
        assert matter(chosen, kind, Random(name)).kind == kind
    assert {*lookup_kinds(chosen), *matter_kinds(chosen)} >= {"negation", "sentiment", "how-what"}


@BOTH
@pytest.mark.parametrize("name", domains())
def test_each_fact_renders_in_each_wording(name: str, language: str) -> None:
    chosen = domain(name, language)
    for seed in range(25):
        rng = Random(seed)
        item = sample_item(chosen, rng, seed % len(chosen.items))
        text = render(chosen, item, list(item.facts), rng)
        assert "{" not in text and len(text) > 100


@BOTH
def test_links_of_chains_are_told_apart(language: str) -> None:
    """Three chains at least, so that texts of grade 0 share no link with the query's."""
    for name in domains():
        chains = domain(name, language).chains
        for triple in chains:
            assert any(not set(other) & set(triple) for other in chains), (name, triple)


def test_a_changed_fact_changes_nothing_else() -> None:
    chosen = domain("bicycles", "en")
    item = sample_item(chosen, Random(1), 0)
    keys = ["maker", "n0", "p0"]
    other = item.having("p0", not item.facts["p0"])
    for seed in range(30):
        mine = render(chosen, item, keys, Random(seed))
        theirs = render(chosen, other, keys, Random(seed))
        assert mine != theirs
        same = set(re.split(r"[.;|·\n,] ?", mine)) & set(re.split(r"[.;|·\n,] ?", theirs))
        assert len(same) >= 1


def test_a_text_of_another_value_is_another_value() -> None:
    chosen = domain("printers", "de")
    item = sample_item(chosen, Random(2), 0)
    for key, value in item.facts.items():
        for seed in range(20):
            assert other_value(chosen, key, value, Random(seed)) != value


@pytest.mark.parametrize(
    ("condition", "value", "met"),
    [
        (Condition("n0", "is", 280), 280, True),
        (Condition("n0", "is", 280), 260, False),
        (Condition("n0", "min", 280), 280, True),
        (Condition("n0", "min", 280), 279, False),
        (Condition("n0", "max", 280), 281, False),
        (Condition("n0", "between", 100, 200), 150, True),
        (Condition("n0", "between", 100, 200), 201, False),
        (Condition("date", "min", "2021-05-01"), "2021-05-02", True),
        (Condition("date", "max", "2021-05-01"), "2021-05-02", False),
        (Condition("p0", "is", False), True, False),
    ],
)
def test_conditions_hold_as_stated(
    condition: Condition, value: float | str | bool, met: bool
) -> None:
    assert condition.holds(Item(0, {condition.key: value})) is met


def _ways(language: str, value: float, unit: str) -> set[str]:
    return {amount(value, unit, language, Random(seed)) for seed in range(300)}


def test_amounts_come_in_many_exact_notations() -> None:
    german = _ways("de", 280, "l")
    assert {"280 l", "280 Liter", "280L", "0,28 m³"} <= german
    assert {"1.500,50 €", "1500,50 Euro"} <= _ways("de", 1500.5, "eur")
    assert {"€1,500.50", "1500.50 euros"} <= _ways("en", 1500.5, "eur")
    assert "1 Jahr" in _ways("de", 12, "months") and "1 Jahre" not in _ways("de", 12, "months")
    assert not any("Woche" in text for text in _ways("de", 10, "days"))


def test_ranges_numbers_and_dates_are_written_as_people_do() -> None:
    ranges = {between((2, 8), "c", "de", Random(seed)) for seed in range(300)}
    assert {"2 °C bis 8 °C", "2-8 °C", "+2 bis +8 °C"} <= ranges
    assert {number(1234.5, "de", Random(s)) for s in range(20)} == {"1.234,5", "1234,5"}
    days = {date("2024-03-12", "de", Random(seed)) for seed in range(60)}
    assert days == {"12.03.2024", "12.3.2024", "12. März 2024"}


def test_nouns_know_their_forms() -> None:
    tray, feet = Noun.of("Schale/f"), Noun.of("Füße/p/Füßen")
    assert (tray.der, tray.einem, tray.keinen) == ("die Schale", "einer Schale", "keine Schale")
    assert (feet.dat, feet.den, feet.ist) == ("Füßen", "die Füße", "sind")
    assert (Noun.of("oven").a, Noun.of("feet/p").a, Noun.of("feet/p").this) == (
        *("an oven", "feet", "these feet"),
    )
    with pytest.raises(BadInput, match="a gender m, f, n or p wanted for 'Schale'"):
        _ = Noun.of("Schale").der


def test_units_after_a_preposition_are_in_the_dative() -> None:
    assert dative("mit 24 Monate Garantiezeit") == "mit 24 Monaten Garantiezeit"
    assert dative("eine Frist von mindestens 3 Jahre") == "eine Frist von mindestens 3 Jahren"
    assert dative("bis 24 Monate, mit 24 Monaten, mit 1 Jahr") == (
        "bis 24 Monate, mit 24 Monaten, mit 1 Jahr"
    )


def test_wrong_arguments_say_what_was_wanted() -> None:
    with pytest.raises(BadInput, match="languages"):
        next(generate(domains(), ["fr"], 1, seed=1))
    with pytest.raises(BadInput, match="wanted"):
        next(generate([], ["de"], 1, seed=1))
    with pytest.raises(BadInput, match="a share from 0 to 1 wanted"):
        next(generate(domains(), ["de"], 1, seed=1, mix=1.5))
    with pytest.raises(NotFound, match="no domain 'spoons'"):
        next(generate(["spoons"], ["de"], 1, seed=1))
