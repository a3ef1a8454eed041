"""`crossrank explain` from the command line: terminal, JSON, page, and the path of a document."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from crossrank.cli.app import app
from crossrank.errors import NotFound
from crossrank.io.document import Document
from crossrank.store import Collection
from explain.tiny import tiny_model

RUN = CliRunner()
QUERY = "Kühlschrank ohne Gefrierfach"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("explain") / "tiny")


def test_the_terminal_shows_words_sum_and_meetings(model: Path) -> None:
    done = RUN.invoke(app, ["explain", QUERY, "Labor Fridge leise", "--model", str(model)])
    assert done.exit_code == 0, done.output
    for expected in ("score ", "exact Shapley values", "query token", "Fridge", "adds"):
        assert expected in done.output


def test_quick_says_what_is_left_over(model: Path) -> None:
    done = RUN.invoke(
        app,
        ["explain", QUERY, "Labor Fridge", "--model", str(model), "--quick", "--no-attention"],
    )
    assert "from words together (occlusion)" in done.output
    assert "query token" not in done.output


def test_a_document_of_a_collection_has_a_path(model: Path, tmp_path: Path) -> None:
    folder, html = tmp_path / "kept", tmp_path / "out.html"
    texts = {"a": "Kühlschrank leise", "b": "Gefrierfach im Labor", "c": "warm"}
    Collection.create(folder, "de").add([Document(name, text) for name, text in texts.items()])
    common = ["--model", str(model), "--collection", str(folder)]
    done = RUN.invoke(
        app,
        ["explain", QUERY, "b", *common, "--html", str(html), "--json"],
        catch_exceptions=False,
    )
    found = json.loads(done.stdout)
    assert found["document"] == "Gefrierfach im Labor"
    assert [stage["stage"] for stage in found["stages"]] == ["bm25", "cross-encoder"]
    assert "Path through the stages" in html.read_text(encoding="utf-8")
    plain = RUN.invoke(app, ["explain", QUERY, "b", *common, "-p", "bm25"], catch_exceptions=False)
    assert "bm25" in plain.output
    with pytest.raises(NotFound, match="the id 'z' wanted"):
        RUN.invoke(app, ["explain", QUERY, "z", *common], catch_exceptions=False)
    unfound = RUN.invoke(app, ["explain", QUERY, "c", *common, "--json"], catch_exceptions=False)
    assert json.loads(unfound.stdout)["stages"] == []
