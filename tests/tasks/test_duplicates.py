"""Duplicates: candidates are exact, facts guard, clusters keep their law, memory stays bounded."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossrank import MemoryCorpus, Scale
from crossrank.errors import BadInput
from crossrank.retrieve.inverted import Inverted
from crossrank.tasks.duplicates import Decision, Judge, Options, calibrate_duplicates
from crossrank.tasks.duplicates import find_duplicates as find
from crossrank.tasks.duplicates import neighbours as candidate_search
from crossrank.tasks.duplicates.clusters import clusters, components, missing_pairs
from crossrank.tasks.duplicates.conflicts import PENALTY, conflicts, penalty
from crossrank.tasks.duplicates.decision import penalties, score_both
from crossrank.tasks.duplicates.facts import facts
from crossrank.tasks.duplicates.neighbours import lexical, nearest, pairs_of
from crossrank.tasks.labelled import LabelledPairs
from crossrank.text.analyzer import Analyzer
from fakes import FakeEncoder
from tasks.standins import SharedWords

DECISION = Decision(0.8, 2.0, -1.0, Scale.LOGIT, FakeEncoder.name)
JUDGE = Judge(SharedWords(), FakeEncoder(), DECISION)


def _kinds(a: str, b: str) -> set[str]:
    return {each.kind for each in conflicts(facts(a), facts(b))}


@pytest.mark.parametrize(
    ("a", "b", "kinds"),
    [
        ("Laborkühlschrank 280 Liter", "Laborkühlschrank, 0,28 m³ Inhalt", set()),
        ("Laborkühlschrank 280 Liter", "Laborkühlschrank 350 l", {"quantity"}),
        ("Kühlschrank LABO-288", "Kühlschrank LABO 288", set()),
        ("Kühlschrank LABO-288", "Kühlschrank LABO-340", {"code"}),
        ("Schrank nach DIN 13277:2022", "Schrank nach DIN 13277", set()),
        ("Schrank nach DIN 13277", "Schrank nach DIN 58345", {"code"}),
        ("Bosch Kühlschrank, sehr leise", "Siemens Kühlschrank, sehr leise", {"name"}),
        ("Leise, Hersteller: Kirsch", "Leise, Hersteller: Liebherr", {"name"}),
        ("The Bosch fridge is silent", "The Siemens fridge is silent", {"name"}),
        ("How can I help people?", "What can I do to help people?", set()),
        ("Schrank mit Gefrierfach", "Schrank ohne Gefrierfach", {"negation"}),
        ("Kühlgerät, sehr leise im Betrieb", "Kühlschrank, sehr leise im Betrieb", set()),
        ("Es gibt 5 Betten im Raum", "Es gibt 14 Betten im Raum", {"number"}),
        ("Es gibt 5 Betten im Raum", "Im Raum gibt es Betten", set()),
        ("Was ist SARS-CoV-2?", "Was ist COVID-19?", set()),
    ],
)
def test_conflicts_are_those_a_person_sees(a: str, b: str, kinds: set[str]) -> None:
    assert _kinds(a, b) == kinds
    assert _kinds(b, a) == kinds


def test_a_known_maker_need_not_look_like_a_name() -> None:
    makers = frozenset({"haier", "miele"})
    a, b = facts("waschmaschine von haier, leise", makers), facts("waschmaschine von miele, leise")
    assert not conflicts(facts("waschmaschine haier"), facts("waschmaschine miele"))
    b = facts("waschmaschine von miele, leise", makers)
    assert [str(each) for each in conflicts(a, b)] == ["name: haier ≠ miele"]


def test_a_penalty_counts_each_kind_once() -> None:
    found = conflicts(facts("280 Liter, 60 cm breit"), facts("350 Liter, 55 cm breit"))
    assert len(found) == 2
    assert penalty(found) == PENALTY["quantity"]
    assert penalties(["280 l"], ["281 l"]).tolist() == [PENALTY["quantity"]]


@pytest.mark.parametrize(("n", "k"), [(1, 1), (7, 3), (40, 5)])
def test_nearest_is_exact_in_any_tiling(n: int, k: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidate_search, "_BLOCK", 4)
    monkeypatch.setattr(candidate_search, "_TILE", 6)
    vectors = np.random.default_rng(n).normal(size=(n, 8)).astype(np.float32)
    scores = vectors @ vectors.T
    np.fill_diagonal(scores, -np.inf)
    told: list[int] = []
    found = nearest(vectors, k, told.append)
    wanted = np.argsort(-scores, axis=1)[:, : min(k, n - 1)]
    assert found[:, : n - 1].tolist() == wanted.tolist()
    assert (found[:, n - 1 :] == -1).all()
    assert told[-1] >= n


def test_lexical_candidates_share_rare_terms() -> None:
    texts = ["alpha beta common", "alpha beta other", "gamma delta common", "delta gamma x", "y z"]
    found = lexical(Inverted.of(texts), 2)
    assert found[:, 0].tolist() == [1, 0, 3, 2, -1]


def test_pairs_are_unordered_and_unique() -> None:
    a = np.array([[1, 2], [0, -1], [0, 1]], dtype=np.int32)
    b = np.array([[-1], [2], [1]], dtype=np.int32)
    assert pairs_of(a, b).tolist() == [[0, 1], [0, 2], [1, 2]]
    assert pairs_of().shape == (0, 2)


pair_lists = st.dictionaries(
    st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(lambda pair: pair[0] < pair[1]),
    st.floats(0, 1),
    max_size=30,
)


@given(pair_lists)
def test_complete_clusters_are_cliques_inside_single_ones(
    found: dict[tuple[int, int], float],
) -> None:
    complete, single = clusters(found, 0.5, "complete"), clusters(found, 0.5, "single")
    for group in complete:
        assert len(group) > 1
        assert all(found.get((a, b), 0) >= 0.5 for a in group for b in group if a < b)
        assert any(set(group) <= set(chain) for chain in single)
    assert sum(len(g) for g in complete) == len({i for g in complete for i in g})
    assert single == components(pair for pair, p in found.items() if p >= 0.5)


def test_a_vague_text_does_not_join_what_contradicts() -> None:
    found = {(0, 1): 0.9, (1, 2): 0.8, (0, 2): 0.1}
    assert clusters(found, 0.5, "single") == [[0, 1, 2]]
    assert clusters(found, 0.5, "complete") == [[0, 1]]
    with pytest.raises(BadInput, match="complete or single"):
        clusters(found, 0.5, "average")  # type: ignore[arg-type]


def test_missing_pairs_are_those_inside_chains() -> None:
    found = {(0, 1): 0.9, (1, 2): 0.8, (4, 5): 0.1}
    assert missing_pairs(found, 0.5, 50) == [(0, 2)]
    assert missing_pairs(found, 0.5, 2) == []


def test_both_orders_make_a_score_symmetric() -> None:
    left, right = ["a b c", "a"], ["a", "a b c d"]
    scorer = SharedWords()
    assert score_both(scorer, left, right).tolist() == score_both(scorer, right, left).tolist()


CATALOGUE = MemoryCorpus(
    ["kirsch", "kirsch again", "liebherr", "copy", "other size", "washer"],
    [
        "Kirsch Laborkühlschrank nach DIN 13277 mit 280 Liter Inhalt, leise",
        "Laborkühlschrank Kirsch nach DIN 13277 mit 280 l Inhalt, sehr leise",
        "Liebherr Laborkühlschrank nach DIN 13277 mit 280 Liter Inhalt, leise",
        "kirsch Laborkühlschrank  nach DIN 13277 mit 280 Liter Inhalt, leise",
        "Kirsch Laborkühlschrank nach DIN 13277 mit 350 Liter Inhalt, leise",
        "Waschmaschine für Krankenhäuser",
    ],
)


def test_near_duplicates_of_another_maker_or_size_come_out_lower() -> None:
    found = find(CATALOGUE, JUDGE, Analyzer("de"), Options(names=frozenset({"kirsch", "liebherr"})))
    p = {(each.left, each.right): each.probability for each in found.pairs}
    assert p[0, 1] > 0.9
    assert p[0, 2] < 0.5
    assert p[0, 4] < 0.5
    assert found.exact == ((0, 3),)
    assert found.clusters == ((0, 1, 3),)
    worst = next(each for each in found.pairs if (each.left, each.right) == (0, 4))
    assert [str(each) for each in worst.conflicts] == ["quantity: 280000 ml ≠ 350000 ml"]
    assert found.above(0.9) == tuple(each for each in found.pairs if each.probability >= 0.9)


def test_pairs_over_the_limit_are_counted_not_hidden() -> None:
    told: list[tuple[str, int, int]] = []
    found = find(
        CATALOGUE,
        JUDGE,
        Analyzer("de"),
        Options(most=2, link="single"),
        watch=lambda *what: told.append(what),
    )
    assert len(found.pairs) == 2
    assert found.left_out == found.candidates - 2 > 0
    assert [each.cosine for each in found.pairs]
    assert {what for what, _, _ in told} == {
        "reading",
        "encoding",
        "comparing vectors",
        "comparing terms",
        "scoring pairs",
    }


def test_vectors_may_be_given() -> None:
    vectors = FakeEncoder().encode_documents(CATALOGUE.texts(CATALOGUE.rows()))
    a, b = (
        find(CATALOGUE, JUDGE, Analyzer("de"), vectors=given and vectors.copy())
        for given in (None, True)
    )
    assert a == b


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_texts_have_no_duplicates(count: int) -> None:
    found = find(MemoryCorpus.of(["a b"] * count), JUDGE, Analyzer("de"))
    assert (found.pairs, found.exact, found.clusters) == ((), (), ())


def test_a_decision_for_another_model_is_refused() -> None:
    with pytest.raises(BadInput, match="--for duplicate"):
        Judge(SharedWords(), FakeEncoder(), Decision(1, 1, 0, Scale.COSINE, FakeEncoder.name))
    with pytest.raises(BadInput, match="vectors of 'e5'"):
        Judge(SharedWords(), FakeEncoder(), Decision(1, 1, 0, Scale.LOGIT, "e5"))


def _labelled(n: int = 120) -> LabelledPairs:
    random = np.random.default_rng(5)
    letters = [a + b for a in "aeiou" for b in "bcdfghkl"]
    left, right, labels = [], [], []
    for i in range(n):
        a = list(random.choice(letters, 8, replace=False))
        same = i % 2 == 0
        b = [*a[:6], "extra"] if same else a[:2] + list(random.choice(letters, 6, replace=False))
        left.append(" ".join(a))
        right.append(" ".join(b))
        labels.append(float(same))
    return LabelledPairs(tuple(left), tuple(right), np.array(labels), tuple(left))


def test_the_decision_is_calibrated_on_pairs_and_kept_as_json() -> None:
    report = calibrate_duplicates(_labelled(), SharedWords(), FakeEncoder(), "made up")
    assert report.after.log_loss < report.before.log_loss
    assert report.decision.score > 0
    assert report.decision.cosine >= 0
    assert Decision.from_dict(report.decision.as_dict()) == report.decision
    with pytest.raises(BadInput, match="written by crossrank"):
        Decision.from_dict({"score": 1})


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("Cool box, €339. New.", "eur", "339"),
        ("Cool box for €1,299.50 only", "eur", "1299.5"),
        ("Cool box (EUR 339)", "eur", "339"),
        ("Cool box, $339", "usd", "339"),
    ],
)
def test_money_may_stand_before_its_number(text: str, unit: str, value: str) -> None:
    assert facts(text).quantities == {unit: frozenset({value})}


def test_a_number_after_money_is_none() -> None:
    assert facts("1290 EUR 12 Stück").quantities == {"eur": frozenset({"1290"})}
