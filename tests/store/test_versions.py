"""Readers keep their version, one writer at a time, and damage is told from absence."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import numpy as np
import pytest

from crossrank.errors import BadInput, CollectionError, NotFound
from crossrank.store import Collection, layout
from crossrank.store.layout import MANIFEST
from crossrank.types import MemoryCorpus
from store.making import collection, document


def test_a_snapshot_stays_as_it_is(tmp_path: Path) -> None:
    made = collection(tmp_path, 30)
    before = made.corpus()
    assert made.corpus() is before
    texts, query = before.texts(before.rows()), before.analyzer.query("Nummer")
    other = Collection.open(made.path)
    other.add([document(3, "anders"), document(30)])
    other.delete(["d0"])
    after = made.corpus()
    assert after is not before and len(after) == 30 and len(before) == 30
    assert before.texts(before.rows()) == texts
    assert len(before.search_terms([query], 99)[0][0]) == 30
    assert before.find(["d0", "d30"]).tolist() == [0, -1]
    assert after.find(["d0"]).tolist() == [-1] and after.find(["d30"])[0] >= 0
    other.add(document(i) for i in range(31, 90))  # learns anew: another generation
    assert made.corpus().state[0] > before.state[0]
    assert before.texts(before.rows()) == texts
    assert len(before.search_terms([query], 99)[0][0]) == 30


def test_optimising_removes_old_versions_only_when_told(tmp_path: Path) -> None:
    made = collection(tmp_path, 30)
    before = made.corpus()
    made.delete([f"d{i}" for i in range(9)])
    made.optimise()
    assert len(before.texts(before.rows())) == 30
    size = made.info().bytes
    facts = made.optimise(keep_seconds=0)
    assert facts.bytes < size and facts.documents == 21 and facts.unindexed == 0
    with pytest.raises(CollectionError, match="ask for its corpus again"):
        before.texts(before.rows())
    after = made.corpus()
    assert len(after.search_terms([after.analyzer.query("Nummer")], 99)[0][0]) == 21


def test_rows_that_are_not_there(tmp_path: Path) -> None:
    made = collection(tmp_path, 3)
    for rows in ([3], [-1], [0, 9]):
        with pytest.raises(BadInput, match="rows from 0 to 2"):
            made.corpus().texts(np.array(rows, dtype=np.int32))
    assert made.documents([2, 0, 2])[1].id == made.corpus().ids(np.array([0], np.int32))[0]
    with pytest.raises(BadInput, match="MemoryCorpus"):
        made.at(MemoryCorpus.of(["x"]))


def test_one_writer_at_a_time_and_readers_go_on(tmp_path: Path) -> None:
    made = collection(tmp_path, 3)
    made.wait = 0.2
    with layout.writing(made.path, 0):
        with pytest.raises(CollectionError, match="being written"):
            made.add([document(9)])
        with pytest.raises(CollectionError, match="being written"):
            made.delete(["d0"])
        assert len(Collection.open(made.path)) == 3
    assert made.delete(["d0"]) == 1


def test_threads_read_while_one_writes(tmp_path: Path) -> None:
    made = collection(tmp_path, 40)
    wrong: list[str] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            snapshot = made.corpus()
            query = snapshot.analyzer.query("Nummer")
            [(rows, _)] = snapshot.search_terms([query], 1000)
            if not (len(rows) == len(snapshot) == len(set(snapshot.ids(rows)))):
                wrong.append(f"{len(rows)} of {len(snapshot)}")

    readers = [threading.Thread(target=read) for _ in range(3)]
    for each in readers:
        each.start()
    for i in range(6):
        made.add([document(40 + i), document(i, f"Nummer {i} neu")])
        made.delete([f"d{20 + i}"])
    stop.set()
    for each in readers:
        each.join()
    assert not wrong


def test_damage_is_told_from_absence(tmp_path: Path) -> None:
    made = collection(tmp_path, 3)
    manifest = made.path / MANIFEST
    stored = json.loads(manifest.read_text())
    for damaged, error, words in (
        ("{", CollectionError, "damaged"),
        ("[]", CollectionError, "damaged"),
        ({**stored, "format": 99}, CollectionError, "format 1 wanted, got 99"),
        ({**stored, "retired": 3}, CollectionError, "damaged"),
        ({**stored, "generation": 77}, CollectionError, "cannot be opened"),
    ):
        text = damaged if isinstance(damaged, str) else json.dumps(damaged)
        manifest.write_text(text)
        with pytest.raises(error, match=words):
            Collection.open(made.path)
    manifest.write_text(json.dumps(stored))
    analyser = made.path / f"analyser-{stored['generation']}.json"
    analyser.rename(tmp_path / "away")
    with pytest.raises(CollectionError, match="missing"):
        Collection.open(made.path)
    manifest.unlink()
    with pytest.raises(NotFound, match=MANIFEST):
        Collection.open(made.path)


def test_an_analyser_of_another_version_is_replaced_by_optimising(tmp_path: Path) -> None:
    made = collection(tmp_path, 3)
    path = made.path / layout.read_manifest(made.path).analyser
    path.write_text(json.dumps({**json.loads(path.read_text()), "analysis": 0}))
    for use in (Collection.open, lambda folder: Collection(folder).add([document(1)])):
        with pytest.raises(CollectionError, match="crossrank optimise"):
            use(made.path)
    Collection(made.path).optimise()
    snapshot = Collection.open(made.path).corpus()
    assert len(snapshot.search_terms([snapshot.analyzer.query("Nummer")], 9)[0][0]) == 3


def test_leftovers_of_a_killed_writer_are_removed(tmp_path: Path) -> None:
    made = collection(tmp_path, 3)
    generation = made.info().generation
    (made.path / f"documents-{generation + 1}.lance").mkdir()
    (made.path / f"analyser-{generation + 1}.json").write_text("{")
    (made.path / ".collection.json.x.part").write_text("{")
    (made.path / "notes.txt").write_text("mine")
    made.delete([])
    left = {path.name for path in made.path.iterdir()}
    assert f"documents-{generation + 1}.lance" not in left and "notes.txt" in left
    assert not any(name.endswith(".part") for name in left)
    # the generation before is kept for those who read it, and removed later
    assert f"documents-{generation - 1}.lance" in left
    manifest = layout.read_manifest(made.path)
    old = {name: at - layout.KEEP_SECONDS for name, at in manifest.retired.items()}
    layout.write_manifest(made.path, layout.Manifest(manifest.language, generation, 3, old))
    made.delete([])
    assert not (made.path / f"documents-{generation - 1}.lance").exists()
    assert len(Collection.open(made.path)) == 3


def test_creating_goes_on_where_a_killed_one_stopped(tmp_path: Path) -> None:
    made = collection(tmp_path)
    (made.path / MANIFEST).unlink()
    again = Collection.create(made.path, "en")
    assert again.language == "en" and len(again) == 0
