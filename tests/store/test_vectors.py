"""Vector search is exact below the threshold, near it above; both see appends and deletions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from crossrank.errors import BadInput
from crossrank.store import Collection, table
from crossrank.store.recall import index_recall
from crossrank.types import Floats, Scale
from fakes import FakeEncoder
from store.making import document


@dataclass(frozen=True)
class Given:
    """An encoder whose vector of a document is a row of a matrix, by the number in its text."""

    vectors: Floats
    name: str = "given"
    scale: Scale = Scale.COSINE

    @property
    def dimension(self) -> int:
        return int(self.vectors.shape[1])

    def encode_documents(self, texts: Sequence[str]) -> Floats:
        return self.vectors[[int(text.split("\n")[0].removeprefix("Titel ")) for text in texts]]

    encode_queries = encode_documents


def _clustered(count: int, dimension: int = 16, seed: int = 1) -> Floats:
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(12, dimension))
    made = centres[rng.integers(12, size=count)] + 0.4 * rng.normal(size=(count, dimension))
    return made.astype(np.float32)


def _filled(folder: Path, encoder: Given, count: int) -> Collection:
    made = Collection.create(folder / "c", "de")
    made.add((document(i) for i in range(count)), [encoder])
    return made


@pytest.mark.parametrize("scale", [Scale.COSINE, Scale.DOT])
def test_small_collections_are_searched_exactly(tmp_path: Path, scale: Scale) -> None:
    encoder = Given(_clustered(300), scale=scale)
    snapshot = _filled(tmp_path, encoder, 300).corpus()
    assert snapshot.encoders() == ("given",) and snapshot.scale("given") is scale
    stored = snapshot.vectors("given", snapshot.rows())
    numbers = [int(name[1:]) for name in snapshot.ids(snapshot.rows())]
    np.testing.assert_array_equal(stored, encoder.vectors[numbers])
    queries = _clustered(40, seed=2)
    similar = queries @ stored.T
    if scale is Scale.COSINE:
        similar /= np.linalg.norm(queries, axis=1)[:, None] * np.linalg.norm(stored, axis=1)
    found = snapshot.search_vectors("given", queries, 7)
    assert len(found) == 40  # more than one request
    for (rows, scores), wanted in zip(found, similar, strict=True):
        np.testing.assert_array_equal(rows, np.argsort(-wanted)[:7])
        np.testing.assert_allclose(scores, wanted[rows], rtol=1e-4, atol=1e-5)
    [(rows, _)] = snapshot.search_vectors("given", queries[:1], 300, "n < 20")
    assert sorted(snapshot.ids(rows)) == sorted(f"d{i}" for i in range(20))
    some = [np.array([5, 1], np.int32), np.array([], np.int32)]
    (two, _), (none, _) = snapshot.search_vectors("given", queries[:2], 9, within=some)
    assert sorted(two.tolist()) == [1, 5] and len(none) == 0


def test_an_index_finds_nearly_all_and_sees_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "EXACT_BELOW", 1000)
    encoder = Given(_clustered(1500))
    made = _filled(tmp_path, encoder, 1490)
    [facts] = made.info().vectors
    assert (facts.documents, facts.indexed) == (1490, 1490)
    assert index_recall(made.corpus(), "given", 10, queries=50).recall >= 0.95
    assert index_recall(made.corpus(), "given", 1490, queries=5).recall == 1.0
    made.add((document(i) for i in range(1490, 1500)), [encoder])
    assert made.info().vectors[0].indexed == 1490  # the last ten are searched one by one
    query = encoder.vectors[1495:1496]
    snapshot = made.corpus()
    [(rows, scores)] = snapshot.search_vectors("given", query, 3)
    assert snapshot.ids(rows[:1]) == ["d1495"] and scores[0] == pytest.approx(1, abs=1e-5)
    made.delete(["d1495", "d7"])
    snapshot = made.corpus()
    for vector, name in ((query, "d1495"), (encoder.vectors[7:8], "d7")):
        [(rows, _)] = snapshot.search_vectors("given", vector, 50)
        assert name not in snapshot.ids(rows) and len(rows) == 50
    [(rows, _)] = snapshot.search_vectors("given", query, 20, "n >= 100 AND n < 120")
    assert len(rows) == 20  # a narrow filter reads on until there are k
    made.optimise(0)
    assert made.info().vectors[0].indexed == 1498


def test_vectors_follow_their_text(tmp_path: Path) -> None:
    made = Collection.create(tmp_path / "c")
    made.add([document(0), document(1)])
    assert made.encoders() == ()
    first = made.add([document(0)], [FakeEncoder()])  # the one not read gets its vector too
    assert (first.unchanged, first.encoded, made.encoders()) == (1, 2, (FakeEncoder.name,))
    made.add([document(0, "anders")])  # no encoder at hand: no stale vector stays
    assert made.info().vectors[0].documents == 1
    snapshot = made.corpus()
    [row] = snapshot.find(["d0"])
    assert not snapshot.vectors(FakeEncoder.name, np.array([row])).any()
    assert made.add([], [FakeEncoder()]).encoded == 1
    snapshot = made.corpus()
    wanted = FakeEncoder().encode_documents(["Titel 0\nanders"])
    rows = snapshot.find(["d0"])
    np.testing.assert_array_equal(snapshot.vectors(FakeEncoder.name, rows), wanted)


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    encoder = Given(_clustered(10))
    made = _filled(tmp_path, encoder, 10)
    with pytest.raises(BadInput, match="has given"):
        made.corpus().search_vectors("other", encoder.vectors[:1], 3)
    with pytest.raises(BadInput, match=r"\[n, 16\]"):
        made.corpus().search_vectors("given", encoder.vectors[:1, :8], 3)
    with pytest.raises(BadInput, match="length 16"):
        made.add([document(3, "x")], [Given(_clustered(10, 8))])
    broken = Given(np.full((10, 4), np.nan, np.float32), name="broken")
    with pytest.raises(BadInput, match="finite"):
        made.add([], [broken])
    assert len(made) == 10
