"""A writer killed at any moment leaves a whole collection, and the next run completes it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from crossrank.errors import CollectionError
from crossrank.store import Collection

DOCUMENTS = 240
# each life adds all documents in its own wording, in small commits, then deletes and optimises
WRITER = """
import sys
from crossrank.io.document import Document
from crossrank.store import Collection, fill, ingest
path, tests, life, count = sys.argv[1:]
sys.path.insert(0, tests)
from fakes import FakeEncoder
ingest.BATCH_DOCUMENTS = fill.BATCH = 40
made = Collection.open(path)
print("ready", flush=True)
documents = (Document(f"d{i}", f"Kühlschrank {i} life{life} end") for i in range(int(count)))
made.add(documents, [FakeEncoder()])
made.delete(["d0"])
made.optimise(0)
print("done", flush=True)
"""


def _start(path: Path, life: int) -> subprocess.Popen[str]:
    tests = str(Path(__file__).parents[1])
    arguments = [sys.executable, "-c", WRITER, str(path), tests, str(life), str(DOCUMENTS)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)


def _check(path: Path, lives: int) -> None:
    made = Collection.open(path)
    snapshot = made.corpus()
    found = snapshot.documents(snapshot.rows())
    numbers = [int(each.id[1:]) for each in found]
    assert len(set(numbers)) == len(numbers) and set(numbers) <= set(range(DOCUMENTS))
    for number, each in zip(numbers, found, strict=True):
        wanted = {f"Kühlschrank {number} life{life} end" for life in range(lives + 1)}
        assert each.text in wanted
    for encoder in snapshot.encoders():
        snapshot.vectors(encoder, snapshot.rows())
    try:
        [(rows, _)] = snapshot.search_terms([snapshot.analyzer.query("Kühlschrank")], 10_000)
    except CollectionError as error:
        assert made.info().learned_from == 0 and "crossrank index again" in str(error)
        return
    assert sorted(rows.tolist()) == snapshot.rows().tolist()


def test_kill_minus_nine_in_a_loop(tmp_path: Path) -> None:
    chance = random.Random(5)
    path = tmp_path / "c"
    Collection.create(path, "de")
    lifetime = 1.0  # seconds a writer takes, learned from those that end before they are killed
    for life in range(7):
        process = _start(path, life)
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        started = time.monotonic()
        if life == 1:  # let one live, so that later ones update and optimise
            assert process.stdout.readline() == "done\n"
            lifetime = time.monotonic() - started
        else:
            time.sleep(chance.uniform(0, lifetime))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        _check(path, life)
    last = _start(path, 7)
    assert last.communicate()[0] == "ready\ndone\n" and last.returncode == 0
    made = Collection.open(path)
    _check(path, 7)
    assert len(made) == DOCUMENTS - 1
    snapshot = made.corpus()
    assert all(" life7 " in text for text in snapshot.texts(snapshot.rows()))
    facts = made.info()
    assert facts.unindexed == 0 and facts.vectors[0].documents == DOCUMENTS - 1
    kept = {each.name.partition("-")[0] for each in path.iterdir()}
    assert kept == {"collection.json", "lock", "analyser", "documents"}
