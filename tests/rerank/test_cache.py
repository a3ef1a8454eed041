"""The score cache: what it asks the scorer, on disk and in memory, and that it never mixes up."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from crossrank import Scale
from crossrank.errors import BadInput
from crossrank.rerank import CachedScorer, FileStore, MemoryStore
from crossrank.rerank.cache import Store
from crossrank.types import Floats
from fakes import FakeScorer


class Counting(FakeScorer):
    def __init__(self, name: str = "fake@1") -> None:
        self.name, self.asked = name, 0

    def score_texts(self, queries: Sequence[str], documents: Sequence[str]) -> Floats:
        self.asked += len(queries)
        whole = [each.encode("utf-8", "replace").decode() for each in documents]
        return super().score_texts(list(map(ascii, queries)), whole)


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Store]:
    kept = MemoryStore()
    return (lambda: kept) if request.param == "memory" else lambda: FileStore(tmp_path / "s.db")


def test_a_pair_is_scored_once_and_then_looked_up(store: Callable[[], Store]) -> None:
    queries, documents = ["q", "q", "p", "q"], ["a", "b", "a", "a"]
    fresh = Counting().score_texts(queries, documents)
    first, second = Counting(), Counting()
    assert CachedScorer(first, store()).score_texts(queries, documents).tolist() == fresh.tolist()
    cached = CachedScorer(second, store())
    again = cached.score_texts([*queries, "p"], [*documents, "b"])
    assert again.dtype == np.float32
    assert again[:4].tolist() == fresh.tolist()
    assert (first.asked, second.asked) == (3, 1)
    assert cached.scale is Scale.LOGIT
    assert cached.score_texts([], []).tolist() == []


def test_another_model_has_scores_of_its_own(store: Callable[[], Store]) -> None:
    for name in ("fake@1", "fake@2"):
        scorer = Counting(name)
        CachedScorer(scorer, store()).score_texts(["q"], ["d"])
        assert scorer.asked == 1


def test_texts_are_not_run_together(store: Callable[[], Store]) -> None:
    scorer = Counting()
    CachedScorer(scorer, store()).score_texts(["ab", "a", "", "\ud800"], ["c", "bc", "abc", "x"])
    assert scorer.asked == 4


def test_many_pairs_fit_one_question(store: Callable[[], Store]) -> None:
    scorer = Counting()
    cached = CachedScorer(scorer, store())
    documents = [str(i) for i in range(1700)]
    assert cached.score_texts(["q"] * 1700, documents).shape == (1700,)
    cached.score_texts(["q"] * 1700, documents)
    assert scorer.asked == 1700


def test_memory_forgets_what_was_not_used_for_longest() -> None:
    store = MemoryStore(limit=2)
    store.put({b"a": 1.0, b"b": 2.0})
    store.get([b"a"])
    store.put({b"c": 3.0})
    assert dict(store.get([b"a", b"b", b"c"])) == {b"a": 1.0, b"c": 3.0}


def _write(path: Path, start: int) -> None:
    store = FileStore(path)
    for at in range(start, start + 200):
        store.put({at.to_bytes(16, "big"): float(at)})
    store.close()


def test_many_may_open_a_new_file_in_the_same_moment(tmp_path: Path) -> None:
    for trial in range(20):
        path = tmp_path / f"{trial}.db"
        with ThreadPoolExecutor(8) as pool:
            stores = list(pool.map(FileStore, [path] * 8))
        for at, store in enumerate(stores):
            store.put({at.to_bytes(16, "big"): float(at)})
        assert len(stores[0].get([at.to_bytes(16, "big") for at in range(8)])) == 8
        for store in stores:
            store.close()


def test_connections_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "scores.db"
    others = [threading.Thread(target=_write, args=(path, at)) for at in (0, 200)]
    for other in others:
        other.start()
    for other in others:
        other.join(60)
    found = FileStore(path).get([at.to_bytes(16, "big") for at in range(400)])
    assert sorted(found.values()) == list(map(float, range(400)))


def test_threads_share_a_store(store: Callable[[], Store]) -> None:
    cached = CachedScorer(Counting(), store())
    documents = [str(i) for i in range(50)]
    wanted = Counting().score_texts(["q"] * 50, documents).tolist()
    found: list[list[float]] = []
    work = lambda: found.append(cached.score_texts(["q"] * 50, documents).tolist())  # noqa: E731
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [wanted] * 8


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "scores.db"
    path.write_text("this is no database, and long enough to be looked at " * 20)
    with pytest.raises(BadInput, match="a score cache wanted"):
        FileStore(path)
