"""crossrank index, info, delete, optimise: as a person runs them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import crossrank.models
from crossrank.cli.app import app
from crossrank.errors import BadInput, Error, NotFound
from crossrank.store import Collection
from fakes import FakeEncoder

LINES = """\
{"_id": "1", "title": "Kühlen", "text": "Laborkühlschrank mit 280 Litern", "price": 3}
{"_id": "1", "text": "noch einmal"}
kaputt
{"_id": "2", "text": "Kühlschrank", "price": 9, "maker": "Nordlicht"}
{"_id": "3", "text": ""}
"""
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.jsonl").write_text(LINES)

    def call(*arguments: str, stdin: str = "") -> Result:
        return CliRunner().invoke(app, arguments, input=stdin)

    return call


def _json(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_index_counts_and_lists_problems_and_goes_on(run: Run) -> None:
    first = run("index", "c", "a.jsonl", "--no-vectors")
    assert first.exit_code == 0
    assert "2 added, 0 updated, 0 unchanged" in first.stdout
    assert "c: 2 documents, vectors: none" in first.stdout
    for line in (
        "a.jsonl:2: duplicate id: '1' was read before",
        "a.jsonl:3: broken line",
        "a.jsonl:5: empty text",
        "broken line: 1",
    ):
        assert line in first.stderr
    again = _json(run("index", "c", "a.jsonl", "-", "--json", stdin='{"_id": "9", "text": "neu"}'))
    assert (again["read"], again["added"], again["unchanged"], again["documents"]) == (4, 1, 2, 3)
    assert again["problems"] == {"broken line": 1, "duplicate id": 1, "empty text": 1}
    assert again["first_problems"][0] == {
        "kind": "broken line",
        "source": "a.jsonl:3",
        "text": "a JSON object wanted, got 'kaputt' (Expecting value: line 1 column 1 (char 0))",
    }
    assert again["encoded"] == 0 and again["documents_per_second"] > 0


def test_strict_stops_at_the_first_problem(run: Run) -> None:
    stopped = run("index", "c", "a.jsonl", "--no-vectors", "--strict")
    assert isinstance(stopped.exception, BadInput)
    assert "a.jsonl:3: broken line" in str(stopped.exception)


def test_fields_formats_and_languages(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("7;Kopf;Der Text;2,5\n")
    done = run(
        *("index", "c", "a.log", "--format", "csv", "--columns", "nr,kopf,inhalt,wert"),
        *("--id-field", "nr", "--title-field", "kopf", "--text-field", "inhalt"),
        *("--language", "de", "--no-vectors"),
    )
    assert isinstance(done.exception, BadInput | None) and done.exit_code == 0, done.output
    [document] = Collection.open("c").documents([0])
    assert (document.id, document.title, document.text) == ("7", "Kopf", "Der Text")
    assert document.fields == {"wert": "2,5"}
    other = run("index", "c", "a.jsonl", "--language", "en")
    assert "was made for the language 'de'" in str(other.exception)
    both = run("index", "c", "a.jsonl", "--no-vectors", "--encoder", "x")
    assert "got both" in str(both.exception)
    missing = run("index", "d", "nowhere.jsonl", "--no-vectors")
    assert isinstance(missing.exception, NotFound) and not (tmp_path / "d").exists()


def test_vectors_of_the_encoders_asked_for(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(name: str) -> FakeEncoder:
        encoder = FakeEncoder()
        encoder.name = f"{name}@1"
        return encoder

    monkeypatch.setattr(crossrank.models, "BiEncoder", load, raising=False)
    assert _json(run("index", "c", "a.jsonl", "--json"))["encoded"] == 2  # the default one
    more = '{"_id": "8", "text": "acht"}'
    assert _json(run("index", "c", "-", "--json", stdin=more))["encoded"] == 1
    two = run("index", "c", "-", "--encoder", "eins", "--encoder", "zwei", "--json", stdin="")
    assert _json(two)["encoded"] == 6
    facts = _json(run("info", "c", "--recall", "--json"))
    assert {(v["encoder"], v["documents"]) for v in facts["vectors"]} == {
        ("crossrank-embed@1", 3),
        ("eins@1", 3),
        ("zwei@1", 3),
    }
    assert [each["recall"] for each in facts["recall"]] == [1.0] * 6
    said = run("index", "c", "-", stdin='{"_id": "10", "text": "zehn"}')
    assert "no vectors of eins@1, zwei@1" in said.stderr and "1 vectors made" in said.stdout
    shown = run("info", "c", "--recall").stdout
    assert "exact" in shown and "recall" in shown and "price" in shown


def test_a_collection_without_vectors_stays_without(run: Run) -> None:
    run("index", "c", "a.jsonl", "--no-vectors")
    more = _json(run("index", "c", "-", "--json", stdin='{"_id": "8", "text": "acht"}'))
    assert more["encoded"] == 0 and Collection.open("c").encoders() == ()


def test_delete_by_id_and_by_filter(run: Run) -> None:
    run("index", "c", "a.jsonl", "--no-vectors")
    gone = run("delete", "c", "1", "77")
    assert "1 documents removed, 1 left" in gone.stdout and "not there: 77" in gone.stderr
    wanted = {"removed": 1, "missing": [], "documents": 0}
    assert _json(run("delete", "c", "--where", "price > 5", "--json")) == wanted
    for arguments in (("c",), ("c", "1", "--where", "price > 5")):
        assert isinstance(run("delete", *arguments).exception, BadInput)
    bad = run("delete", "c", "--where", "preis > 5")
    assert isinstance(bad.exception, BadInput) and "price (number)" in str(bad.exception)


def test_info_and_optimise(run: Run) -> None:
    run("index", "c", "a.jsonl", "--no-vectors", "--language", "de")
    run("delete", "c", "1")
    facts = _json(run("info", "c", "--json"))
    assert (facts["documents"], facts["language"], facts["vectors"]) == (1, "de", [])
    assert facts["fields"] == [
        {"name": "price", "kind": "number", "documents": 1},
        {"name": "maker", "kind": "text", "documents": 1},
    ]
    after = _json(run("optimise", "c", "--keep-hours", "0", "--json"))
    assert after["documents"] == 1 and after["unindexed"] == 0
    assert "c: 1 documents" in run("optimise", "c").stdout
    for command in ("info", "optimise", "delete"):
        arguments = ("x",) if command == "delete" else ()
        failed = run(command, "nowhere", *arguments)
        assert isinstance(failed.exception, Error) and "crossrank index" in str(failed.exception)
