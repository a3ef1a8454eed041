"""Splits go by query, and what leaks from one to the other is found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossrank.errors import BadInput
from crossrank.train.leaks import jaccard, leaks, near
from crossrank.train.split import folded, split
from crossrank.types import MemoryCorpus, Queries, Ranking, Scale, Search


def data(queries: Sequence[str], documents: Sequence[str] = ("x", "y")) -> Ranking:
    search = Search(Queries.of(queries), MemoryCorpus.of(documents))
    rows = np.arange(len(documents))
    return Ranking.of_lists(search, [rows] * len(queries), [rows % 2] * len(queries), Scale.GRADE)


def test_shares_are_about_what_was_asked() -> None:
    whole = data([f"query {i}" for i in range(2000)])
    parts = split(whole, {"train": 0.8, "dev": 0.1, "test": 0.1}, seed=3)
    sizes = {name: len(part.queries) for name, part in parts.items()}
    assert sum(sizes.values()) == 2000
    assert abs(sizes["train"] - 1600) < 80
    assert abs(sizes["dev"] - 200) < 50
    assert all((part.depths() == 2).all() for part in parts.values())


@given(st.lists(st.text("aB -ß", min_size=1, max_size=6), max_size=30), st.integers(0, 5))
def test_respellings_of_a_query_fall_on_one_side(texts: list[str], seed: int) -> None:
    parts = split(data(texts), {"train": 0.5, "dev": 0.5}, seed)
    sides = [{folded(text) for text in part.queries.texts} for part in parts.values()]
    assert not sides[0] & sides[1]


def test_adding_queries_moves_none() -> None:
    few, many = data([f"q{i}" for i in range(50)]), data([f"q{i}" for i in range(90)])
    shares = {"train": 0.7, "dev": 0.3}
    before = split(few, shares)["dev"].queries.texts
    assert set(before) <= set(split(many, shares)["dev"].queries.texts)


@pytest.mark.parametrize("shares", [{}, {"a": 0.5}, {"a": 1.5, "b": -0.5}])
def test_shares_that_make_no_sense_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(BadInput, match="shares"):
        split(data(["q"]), shares)


LAW = "Der Mieter kann verlangen, dass die Wohnung in vertragsgemäßem Zustand übergeben wird"


def test_same_and_near_queries_are_found() -> None:
    train = data(["Was kostet ein Kühlschrank?", LAW, "how do magnets work"])
    dev = data(["was kostet ein KÜHLSCHRANK", LAW + ".", LAW.replace("kann", "darf"), "else"])
    found = leaks(train, dev)
    assert [leak.same for leak in found.queries] == [True, True, False]
    assert 0.8 <= found.queries[2].similarity < 1
    assert found.queries[2].first == LAW
    assert not found.documents
    assert "2 the same" in str(found)


def test_documents_are_compared_where_asked() -> None:
    train, dev = data(["a"], [LAW, "unrelated text"]), data(["b"], ["other words", LAW.upper()])
    assert not leaks(train, dev)
    assert [leak.second for leak in leaks(train, dev, documents=True).documents] == [LAW.upper()]


def test_nearly_all_near_pairs_are_found_and_no_far_ones() -> None:
    draw = np.random.default_rng(5)
    words = [f"wort{i}" for i in range(3000)]
    texts = [" ".join(draw.choice(words, 30)) for _ in range(300)]
    changed = [text.replace(text.split()[7], "anders") for text in texts]
    found = near(texts, changed)
    assert len(found) >= 297
    assert not near(texts, [" ".join(draw.choice(words, 30)) for _ in range(300)])


def test_jaccard_of_sets() -> None:
    first, second = np.array([1, 2, 3], np.uint64), np.array([2, 3, 4], np.uint64)
    assert jaccard(first, second) == 0.5
