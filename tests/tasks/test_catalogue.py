"""The guards on the catalogue that ships: the same product twice, and its look-alikes."""

from __future__ import annotations

import json
from importlib import resources

import pytest

from crossrank.tasks.duplicates.conflicts import conflicts
from crossrank.tasks.duplicates.facts import facts

ASSETS = resources.files("crossrank").joinpath("assets", "demo")
ROWS = {
    row["_id"]: row
    for row in map(json.loads, ASSETS.joinpath("corpus.jsonl").read_text("utf-8").splitlines())
}
TEXTS = {name: f"{row['title']}\n{row['text']}" for name, row in ROWS.items()}
MAKERS = frozenset(row["maker"].casefold() for row in ROWS.values() if row.get("maker"))
QUERIES = {
    row["_id"]: row["kind"]
    for row in map(json.loads, ASSETS.joinpath("queries.jsonl").read_text("utf-8").splitlines())
}


def _grades() -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for line in ASSETS.joinpath("qrels", "test.tsv").read_text("utf-8").splitlines()[1:]:
        query, document, grade = line.split("\t")
        found.setdefault(query, {})[document] = int(grade)
    return {query: grades for query, grades in found.items() if QUERIES[query] == "duplicate"}


def _kinds(a: str, b: str, ignored: frozenset[str] = frozenset()) -> set[str]:
    left, right = (facts(TEXTS[name], MAKERS, ignored) for name in (a, b))
    return {each.kind for each in conflicts(left, right)}


@pytest.mark.parametrize("query", _grades())
def test_the_same_product_agrees_and_look_alikes_contradict(query: str) -> None:
    grades = _grades()[query]
    same = sorted(name for name, grade in grades.items() if grade == 3)
    others = [name for name, grade in grades.items() if 0 < grade < 3]
    products = [n for n in others if any(letter.isdigit() for letter in ROWS[n]["text"])]
    assert len(same) == 2
    assert _kinds(*same) == set()
    assert products
    for other in products:
        assert _kinds(same[0], other), other


def test_prices_may_be_left_out() -> None:
    assert _kinds("de001", "de022") == {"quantity"}
    assert "quantity" not in _kinds("de001", "de022", frozenset({"eur"}))
