"""Attributions add up, are the formula's values, and say what they leave out."""

from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossrank import Scale
from crossrank.errors import BadInput
from crossrank.explain.attribution import (
    TOLERANCE,
    attribute,
    exact_shapley,
    sampled_shapley,
    strongest,
)
from crossrank.explain.parts import Part, without, words
from fakes import FakeScorer

LETTERS = "abcdefghijklmnopqrstuvwx"


class Weights:
    """Adds the weight of every word, and 3 more where `no` and `frost` come together."""

    scale = Scale.LOGIT

    def score_texts(self, queries, documents):  # type: ignore[no-untyped-def]
        return np.array([self._one(d) for d in documents], dtype=np.float32)

    @staticmethod
    def _one(text: str) -> float:
        found = text.split()
        both = 3.0 if {"no", "frost"} <= set(found) else 0.0
        return 1.0 + both + sum(len(word) * (-1) ** len(word) for word in found)


def test_words_take_their_marks_with_them() -> None:
    text = "Kühlschrank (leise), +2 °C – ja."
    found = [text[part.start : part.end] for part in words(text)]
    assert found == ["Kühlschrank", "(leise),", "+2", "°C –", "ja."]
    assert words("") == ()
    assert words(" – ") == (Part(1, 2),)


@given(st.text(alphabet="ab .–", max_size=40), st.integers(1, 5))
def test_parts_cover_every_letter_once_and_are_never_too_many(text: str, most: int) -> None:
    parts = words(text, most)
    assert len(parts) <= most
    ends = [edge for part in parts for edge in (part.start, part.end)]
    assert ends == sorted(ends)
    covered = "".join(text[part.start : part.end] for part in parts)
    assert covered.split() == covered.split()
    assert "".join(covered.split()) == "".join(text.split())
    assert without(text, parts, [True] * len(parts)) == " ".join(text.split())
    assert without(text, parts, [False] * len(parts)) == ""


def test_a_part_taken_out_may_leave_a_mask() -> None:
    assert without("a b c", words("a b c"), [True, False, True], "[MASK]") == "a [MASK] c"


def test_values_are_those_of_the_definition() -> None:
    found = attribute(Weights(), "q", "no frost here")
    assert found.method == "exact"
    # the bonus of `no frost` is shared, everything else is additive
    np.testing.assert_allclose(found.values, [2 + 1.5, -5 + 1.5, 4], atol=1e-6)
    assert (found.score, found.baseline) == (5.0, 1.0)
    assert abs(found.residual) <= TOLERANCE


def _by_definition(worth: dict[frozenset[int], float], n: int) -> list[float]:
    values = []
    for part in range(n):
        rest = [i for i in range(n) if i != part]
        total = 0.0
        for size in range(n):
            share = factorial(size) * factorial(n - size - 1) / factorial(n)
            for some in combinations(rest, size):
                total += share * (worth[frozenset({*some, part})] - worth[frozenset(some)])
        values.append(total)
    return values


@given(st.integers(1, 5), st.integers(0, 99))
def test_exact_values_of_any_game(n: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    table = random.normal(size=1 << n)

    def score(kept: np.ndarray) -> np.ndarray:
        return table[(kept * (1 << np.arange(n))).sum(axis=1)]

    worth = {
        frozenset(i for i in range(n) if number >> i & 1): float(table[number])
        for number in range(1 << n)
    }
    found = exact_shapley(score, n, float(table[-1]), float(table[0]))
    np.testing.assert_allclose(found, _by_definition(worth, n), atol=1e-9)
    sampled, _ = sampled_shapley(score, n, 400, float(table[-1]), float(table[0]))
    np.testing.assert_allclose(sampled, found, atol=0.5)
    assert sampled.sum() == pytest.approx(found.sum())


@given(st.lists(st.sampled_from(LETTERS), min_size=9, max_size=20), st.integers(1, 80))
@settings(max_examples=15)
def test_sampled_values_add_up_whatever_the_budget(found: list[str], budget: int) -> None:
    for side in ("query", "document"):
        texts = {"query": "q", "document": "d", side: " ".join(found)}
        result = attribute(FakeScorer(), texts["query"], texts["document"], side, budget=budget)
        assert result.method == "sampled"
        assert abs(result.residual) <= TOLERANCE
        assert (result.errors >= 0).all()


def test_the_same_explanation_comes_twice() -> None:
    a, b = (attribute(FakeScorer(), "q", LETTERS.replace("", " ")) for _ in range(2))
    assert a.values.tolist() == b.values.tolist()


def test_a_long_text_is_explained_by_runs_of_words() -> None:
    found = attribute(Weights(), "q", " ".join(LETTERS * 3), most=6)
    assert len(found.parts) == 6
    np.testing.assert_allclose(found.values, [-12] * 6, atol=1e-4)


def test_occlusion_states_what_words_do_together() -> None:
    found = attribute(Weights(), "q", "no frost here", quick=True)
    assert found.method == "occlusion"
    np.testing.assert_allclose(found.values, [5, -2, 4], atol=1e-6)
    assert found.residual == pytest.approx(-3)  # the bonus was counted twice
    assert strongest(found, 2) == [0, 2]


def test_an_empty_side_has_nothing_to_explain() -> None:
    found = attribute(Weights(), "q", "")
    assert (found.parts, found.values.tolist(), found.residual) == ((), [], 0.0)
    assert found.as_dict()["parts"] == []


def test_an_unknown_side_is_refused() -> None:
    with pytest.raises(BadInput, match="query or document"):
        attribute(FakeScorer(), "q", "d", "title")  # type: ignore[arg-type]
