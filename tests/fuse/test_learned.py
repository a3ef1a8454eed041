"""Learned fusion: what it looks at, that it learns, is saved as text, and is a lawful stage."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crossrank import Everything, MemoryCorpus, Queries, Ranking, Search
from crossrank.errors import BadInput, ModelError, NotFound
from crossrank.fuse.features import Features, Sources, described, features
from crossrank.fuse.lambdamart import Forest, fit
from crossrank.fuse.learned import LearnedFuse, LearnedModel, learned, load_learned
from crossrank.fuse.table import Table
from crossrank.types import Rows


class Words:
    """Blank-separated words as terms."""

    def query(self, text: str) -> list[str]:
        return list(dict.fromkeys(text.split()))

    def document(self, text: str) -> str:
        return text


TEXTS = ["din 280 liter", "liter 280", "kühlschrank din", ""]
CORPUS = MemoryCorpus.of(TEXTS)
SEARCH = Search(Queries.of(["din 280 liter", "kühlschrank"]), CORPUS)
A = Ranking.of_lists(SEARCH, [[0, 1], [2]], [[3.0, 1.0], [5.0]])
B = Ranking.of_lists(SEARCH, [[1, 3], []], [[0.9, 0.5], []])


def fields(rows: Rows) -> Sequence[Mapping[str, Any]]:
    every: list[dict[str, Any]] = [
        {"price": 10, "maker": "x"}, {"price": 2.5, "maker": "y"}, {"maker": "x", "new": True}, {},
    ]  # fmt: skip
    return [every[row] for row in rows]


def column(found: Features, name: str) -> list[float]:
    values: list[float] = found.values[:, found.names.index(name)].tolist()
    return values


def test_features_of_lists_by_hand() -> None:
    table = Table.of([A, B])
    found = features(table, ["a", "b"], Sources())
    assert table.docs.tolist() == [0, 1, 3, 2]
    nan = np.nan
    np.testing.assert_equal(column(found, "a score"), [3.0, 1.0, nan, 5.0])
    np.testing.assert_equal(column(found, "a z"), [1.0, -1.0, nan, 0.0])
    np.testing.assert_equal(column(found, "b rank"), [nan, 1.0, 2.0, nan])
    assert column(found, "lists") == [1.0, 2.0, 1.0, 1.0]
    assert column(found, "mean reciprocal rank") == [0.5, 0.75, 0.25, 0.5]


def test_features_of_texts_by_hand() -> None:
    found = features(Table.of([A, B]), ["a", "b"], Sources(analysis=Words()))
    assert column(found, "query terms") == [3.0, 3.0, 3.0, 1.0]
    assert column(found, "document terms") == [3.0, 2.0, 0.0, 2.0]
    assert column(found, "share of terms found") == [1.0, 2 / 3, 0.0, 1.0]
    np.testing.assert_equal(column(found, "share of pairs found"), [1.0, 0.0, 0.0, np.nan])
    np.testing.assert_equal(column(found, "share of numbers found"), [1.0, 1.0, 0.0, np.nan])


def test_features_of_metadata_and_how_they_are_found() -> None:
    numbers, categories = described(fields, CORPUS.rows())
    assert (numbers, categories) == (("new", "price"), {"maker": ("x", "y")})
    sources = Sources(None, fields, numbers, {"maker": ("y", "x")})
    found = features(Table.of([A, B]), ["a", "b"], sources)
    np.testing.assert_equal(column(found, "field price"), [10.0, 2.5, np.nan, np.nan])
    np.testing.assert_equal(column(found, "field maker"), [1.0, 0.0, np.nan, 1.0])
    np.testing.assert_equal(column(found, "field new"), [np.nan, np.nan, np.nan, 1.0])


def lesson(queries: int, seed: int = 0) -> tuple[Ranking, Ranking, np.ndarray]:
    """Relevant is what a *low* score of the second ranking says: no weighted sum can say so."""
    rng = np.random.default_rng(seed)
    search = Search(Queries.of(["din"] * queries), MemoryCorpus.of(TEXTS * 5))
    rows = [np.arange(20)] * queries
    first = Ranking.of_lists(search, rows, rng.normal(size=(queries, 20)))
    second = Ranking.of_lists(search, rows, rng.normal(size=(queries, 20)))
    table = Table.of([first, second])
    low = table.spread([first.scores, second.scores])[1]
    return first, second, (low < -1).astype(float)


def trained(queries: int = 40) -> LearnedModel:
    first, second, grades = lesson(queries)
    table = Table.of([first, second])
    given = features(table, ["a", "b"], Sources(analysis=Words()))
    return fit(given, grades, table.owner, ["a", "b"], Sources(analysis=Words()),
               Forest(rounds=40, least=10))  # fmt: skip


@pytest.fixture(scope="module")
def model() -> LearnedModel:
    return trained()


def test_it_learns_what_no_weighted_sum_can(model: LearnedModel) -> None:
    first, second, grades = lesson(10, seed=1)
    table = Table.of([first, second])
    given = features(table, model.signals, Sources(analysis=Words()))
    scores = model.predict(given)
    assert scores[grades == 1].min() > np.quantile(scores[grades == 0], 0.9)
    assert model.importance()[0][0] in ("b score", "b z", "b rank")
    assert sum(share for _, share in model.importance()) == pytest.approx(1.0)


def test_training_twice_gives_the_same_model(model: LearnedModel) -> None:
    assert trained().text == model.text


def test_it_is_saved_as_text_and_loaded_again(model: LearnedModel, tmp_path: Path) -> None:
    model.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["crossrank.json", "model.txt"]
    again = load_learned(tmp_path)
    assert (again.signals, again.names, again.texts) == (model.signals, model.names, True)
    first, second, _ = lesson(3, seed=2)
    sources = Sources(analysis=Words())
    a, b = (learned([first, second], each, sources) for each in (model, again))
    assert a.docs.tolist() == b.docs.tolist()
    assert a.scores.tolist() == b.scores.tolist()


def test_other_folders_are_refused(model: LearnedModel, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"model\.txt is not there"):
        load_learned(tmp_path)
    model.save(tmp_path)
    stored = json.loads((tmp_path / "crossrank.json").read_text())
    (tmp_path / "crossrank.json").write_text(json.dumps(stored | {"format": "else"}))
    with pytest.raises(ModelError, match="format crossrank-learned-1 wanted"):
        load_learned(tmp_path)
    (tmp_path / "crossrank.json").write_text('{"format": "crossrank-learned-1"}')
    with pytest.raises(ModelError, match="whole description"):
        load_learned(tmp_path)
    (tmp_path / "crossrank.json").write_text(json.dumps(stored))
    (tmp_path / "model.txt").write_text("not trees")
    with pytest.raises(ModelError, match="LightGBM model file"):
        load_learned(tmp_path)


def test_as_a_stage_it_says_what_it_lacks(model: LearnedModel) -> None:
    stage = LearnedFuse(Everything(), Everything(), model=model, analysis=Words(), depth=3)
    answer = stage(SEARCH)
    assert answer.depths().tolist() == [3, 3]
    assert [step.name for step in stage.trace(SEARCH).steps] == ["all", "all", "learned"]
    with pytest.raises(BadInput, match="an analyser wanted"):
        LearnedFuse(Everything(), Everything(), model=model)
    with pytest.raises(BadInput, match=r"the 2 stages the model was trained on \(a, b\)"):
        LearnedFuse(Everything(), model=model, analysis=Words())
    with pytest.raises(BadInput, match="features the model was trained on"):
        learned([A, B], model, Sources())


def test_nothing_to_learn_from_is_told() -> None:
    table = Table.of([A, B])
    given = features(table, ["a", "b"], Sources())
    with pytest.raises(BadInput, match="different grades"):
        fit(given, np.zeros(4), table.owner, ["a", "b"], Sources())
    with pytest.raises(BadInput, match="grades below 31"):
        fit(given, np.full(4, 99.0), table.owner, ["a", "b"], Sources())
