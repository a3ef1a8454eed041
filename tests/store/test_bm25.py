"""Scores of a collection are those of BM25 computed by hand, over exactly our terms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from crossrank.errors import BadInput
from crossrank.io.document import Document
from crossrank.store import Collection, Snapshot
from crossrank.store.write import writer

WORDS = (
    '+2°C a\'b c:d "q" AND OR NOT * ? ~ ^2 (x) [y] {z} \\ / Groß ÄÖ §5 w~1 field:w ' + "x" * 39
).split()
RARE = [f"w{number}" for number in range(40)]


def _terms(rng: np.random.Generator) -> list[str]:
    chances = 1 / np.arange(2, 2 + len(WORDS) + len(RARE))
    size = int(rng.integers(1, 40))
    return rng.choice([*WORDS, *RARE], size, p=chances / chances.sum()).tolist()


def _reference(documents: Sequence[Sequence[str]], query: Sequence[str]) -> np.ndarray:
    """Okapi BM25 with k1 = 1.2, b = 0.75 and idf = ln(1 + (N - n + 0.5) / (n + 0.5))."""
    lengths = np.array([len(each) for each in documents])
    scores = np.zeros(len(documents))
    for term in dict.fromkeys(query):
        counts = np.array([each.count(term) for each in documents])
        found = int((counts > 0).sum())
        idf = math.log(1 + (len(documents) - found + 0.5) / (found + 0.5))
        norm = counts + 1.2 * (0.25 + 0.75 * lengths / lengths.mean())
        scores += idf * counts * 2.2 / norm
    return scores


def _with_terms(folder: Path, terms: Sequence[Sequence[str]]) -> Collection:
    """A collection whose terms are given, not analysed."""
    made = Collection.create(folder / "collection")
    made.add(Document(f"d{i}", " ".join(each), fields={"n": i}) for i, each in enumerate(terms))
    with writer(made.path, 0) as writing:
        for i, each in enumerate(terms):
            values = {"_terms": " ".join(each)}
            writing.table.update(where=f"id = 'd{i}'", values=values)
        writing.optimise(0, lambda what, total: lambda count: None)
    return made


@pytest.fixture(scope="module")
def terms() -> list[list[str]]:
    rng = np.random.default_rng(7)
    return [_terms(rng) for _ in range(60)]


@pytest.fixture(scope="module")
def snapshot(terms: list[list[str]], tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return _with_terms(tmp_path_factory.mktemp("bm25"), terms).corpus()


QUERIES = [[word] for word in WORDS] + [["w1", "w2", "AND"], ["c:d", "c:d", "w0"], list(RARE)]


def test_scores_are_bm25(snapshot: Snapshot, terms: list[list[str]]) -> None:
    ids = snapshot.ids(snapshot.rows())
    ordered = [terms[int(name[1:])] for name in ids]
    for query, (rows, scores) in zip(QUERIES, snapshot.search_terms(QUERIES, 10_000), strict=True):
        wanted = _reference(ordered, query)
        assert set(rows.tolist()) == set(np.flatnonzero(wanted).tolist()), query
        np.testing.assert_allclose(scores, wanted[rows], rtol=1e-5, atol=1e-6)
        assert (np.diff(scores) <= 0).all()
        assert (np.diff(rows)[np.diff(scores) == 0] > 0).all()


def test_fewer_are_the_first_of_more(snapshot: Snapshot) -> None:
    query = [["w1", "+2°C", "a'b"]]
    [(rows, scores)] = snapshot.search_terms(query, 100)
    [(few, few_scores)] = snapshot.search_terms(query, 5)
    np.testing.assert_array_equal(few_scores, scores[:5])
    assert set(few.tolist()) <= set(rows[scores >= scores[4]].tolist())


def test_a_query_of_unknown_or_no_terms_finds_nothing(snapshot: Snapshot) -> None:
    for rows, scores in snapshot.search_terms([[], ["nirgends"], [""]], 10):
        assert len(rows) == len(scores) == 0
    assert snapshot.search_terms([], 10) == []


def test_filters_and_candidates_limit_what_is_found_and_leave_scores(snapshot: Snapshot) -> None:
    query = ["+2°C", "w1"]
    [(rows, scores)] = snapshot.search_terms([query], 100)
    by_row = dict(zip(rows.tolist(), scores.tolist(), strict=True))
    numbers = {row: int(snapshot.ids(np.array([row]))[0][1:]) for row in by_row}
    [(found, found_scores)] = snapshot.search_terms([query], 100, "n >= 20 AND n < 40")
    assert found.tolist() == [row for row in rows.tolist() if 20 <= numbers[row] < 40]
    assert len(found) > 0
    np.testing.assert_allclose(found_scores, [by_row[row] for row in found.tolist()], rtol=1e-6)
    within = [rows[::2], rows[:0]]
    (some, some_scores), (none, _) = snapshot.search_terms([query, query], 100, within=within)
    assert some.tolist() == rows[::2].tolist() and len(none) == 0
    np.testing.assert_allclose(some_scores, scores[::2], rtol=1e-6)


@pytest.mark.parametrize(
    ("where", "complaint"),
    [
        ("m < 3", "No field named m"),
        ("n < < 3", "Expected"),
        ("n < 3; DROP TABLE x", "Expected"),
        ("n", "boolean"),
        ("nope(n) > 1", "nope"),
    ],
)
def test_bad_filters_name_the_columns(snapshot: Snapshot, where: str, complaint: str) -> None:
    with pytest.raises(BadInput, match=rf"(?s)n \(number\).*{complaint}"):
        snapshot.search_terms([["w1"]], 3, where)
    with pytest.raises(BadInput, match=r"k of 1"):
        snapshot.search_terms([["w1"]], 0)


def test_new_documents_are_found_at_once_and_deleted_ones_never(tmp_path: Path) -> None:
    made = Collection.create(tmp_path / "c", "en")
    made.add(Document(f"d{i}", f"common word number{i}") for i in range(50))
    made.add([Document("new", "common zebra")])  # far too few for the index to be renewed
    assert made.info().unindexed == 1
    snapshot = made.corpus()
    zebra = snapshot.analyzer.query("zebra")
    [(rows, _)] = snapshot.search_terms([zebra], 10)
    assert snapshot.ids(rows) == ["new"]
    common = snapshot.analyzer.query("common")
    assert len(snapshot.search_terms([common], 10_000)[0][0]) == 51
    assert made.delete(["new", "d3", "nobody"]) == 2
    assert len(made.corpus().search_terms([zebra], 10)[0][0]) == 0
    assert len(made.corpus().search_terms([common], 10_000)[0][0]) == 49
    assert len(snapshot.search_terms([common], 10_000)[0][0]) == 51  # pinned before


def test_unindexed_documents_change_scores_by_little(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    texts = [" ".join(rng.choice(RARE, 12)) for _ in range(210)]
    made = Collection.create(tmp_path / "c", "en")
    made.add(Document(f"d{i}", text) for i, text in enumerate(texts[:200]))
    made.add(Document(f"d{i}", text) for i, text in enumerate(texts[200:], 200))
    assert made.info().unindexed == 10
    snapshot = made.corpus()
    documents = [snapshot.analyzer.document(text).split() for text in texts]
    rows = snapshot.find([f"d{i}" for i in range(210)])
    query = snapshot.analyzer.query("w3 w7")
    [(found, scores)] = snapshot.search_terms([query], 1000)
    wanted = np.zeros(210)
    wanted[rows] = _reference(documents, query)
    np.testing.assert_allclose(scores, wanted[found], rtol=0.05)
