"""The main job with sockets blocked: index, search through every stage, re-rank from a pipe."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tiny_models import save_bi, save_cross

# Runs the command line in a process in which any use of a socket is an error. An unconnected pair
# of Unix sockets is none: asyncio wakes itself up with one.
BLOCKED = """
import sys

def block(event, args):
    if event.startswith("socket.") and (event, *args[1:2]) != ("socket.__new__", 1):
        raise RuntimeError(f"a socket was used: {event} {args}")

sys.addaudithook(block)
from crossrank.cli.app import main

sys.argv = ["crossrank", *sys.argv[1:]]
main()
"""
DOCUMENTS = [
    {"_id": "a", "title": "Kühlschrank", "text": "280 Liter, ohne Gefrierfach."},
    {"_id": "b", "title": "Gefrierschrank", "text": "120 Liter für das Labor."},
    {"_id": "c", "title": "Fridge", "text": "A fridge of 280 litres."},
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    save_cross(home / "models" / "crossrank-small")
    save_bi(home / "models" / "crossrank-embed")
    lines = "".join(json.dumps(each) + "\n" for each in DOCUMENTS)
    (home / "documents.jsonl").write_text(lines, encoding="utf-8")
    return home


def run(home: Path, code: str, *words: str) -> subprocess.CompletedProcess[str]:
    kept = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        env=kept | {"CROSSRANK_MODELS": str(home / "models")},
        input=(home / "documents.jsonl").read_text(encoding="utf-8"),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_sockets_are_blocked(home: Path) -> None:
    code = (
        BLOCKED.partition("from crossrank")[0]
        + "import socket; socket.create_connection(('::1', 9))"
    )
    assert "a socket was used" in run(home, code).stderr


def test_rerank_and_score_from_a_pipe(home: Path) -> None:
    done = run(home, BLOCKED, "rerank", "--query", "Kühlschrank", "-k", "2")
    assert done.returncode == 0, done.stderr
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["rank"] for each in results] == [1, 2]
    assert {each["_id"] for each in results} < {"a", "b", "c"}
    assert results[0]["scale"] == "logit"


def test_index_and_search_through_every_stage(home: Path) -> None:
    collection = str(home / "collection")
    done = run(home, BLOCKED, "index", collection, str(home / "documents.jsonl"))
    assert done.returncode == 0, done.stderr
    done = run(home, BLOCKED, "search", collection, "Kühlschrank 280L", "-p", "full", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {each["id"] for each in found["results"]} >= {"a"}
    stages = " ".join(each["name"] for each in found["stages"])
    assert "bm25" in stages
    assert "cross-encoder" in stages


def test_an_id_of_the_hub_without_a_network_is_one_clear_error(home: Path) -> None:
    code = BLOCKED.replace("RuntimeError", "OSError")  # as a machine without a network has it
    done = run(home, code, "rerank", "--query", "q", "--model", "someone/some-model")
    assert done.returncode == 6
    assert "give the path of that directory instead" in done.stderr
    assert len(done.stderr.splitlines()) < 10
