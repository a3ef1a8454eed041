"""`crossrank rerank` and `crossrank score`: filters over lines, and what they tell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from crossrank import CrossEncoder
from crossrank.cli.app import app
from crossrank.errors import BadInput
from tiny_models import save_cross

LINES = [
    '{"_id": "a", "title": "Kühl", "text": "schrank", "score": 3.5}',
    '"ab ab"',
    "ein weinregal",
    json.dumps({"_id": "long", "text": "ab " * 90}),
]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_cross(tmp_path_factory.mktemp("models") / "tiny")


def run(lines: list[str], *words: object) -> tuple[str, str]:
    """stdout and stderr of a command that reads `lines`."""
    text = "\n".join(lines)
    done = CliRunner().invoke(app, list(map(str, words)), input=text, catch_exceptions=False)
    assert done.exit_code == 0, done.stderr
    return done.stdout, done.stderr


def test_rerank_prints_the_documents_best_first(model: Path) -> None:
    out, said = run(LINES, "rerank", "--query", "kühl", "--model", model)
    rows = [json.loads(line) for line in out.splitlines()]
    texts = ["Kühl\nschrank", "ab ab", "ein weinregal", "ab " * 90]
    ranked = CrossEncoder(model).rank("kühl", texts)
    assert [row["score"] for row in rows] == [each.score for each in ranked]
    assert [row["rank"] for row in rows] == [1, 2, 3, 4]
    assert {row["scale"] for row in rows} == {"logit"}
    by_id = {row.get("_id", row["text"]): row for row in rows}
    assert by_id["a"]["title"] == "Kühl"
    assert by_id["long"]["truncated"]
    assert "1 of 4 documents were cut" in said


def test_rerank_of_windows_as_one_value(model: Path) -> None:
    words = ("rerank", "-q", "kühl", "--model", model, "-k", 2, "--long", "window", "--json")
    out, said = run(LINES, *words)
    found = json.loads(out)
    assert len(found["results"]) == 2
    assert found["query"] == "kühl"
    assert found["scale"] == "logit"
    assert found["model"].startswith("tiny@")
    assert said == ""


def test_nothing_to_rank(model: Path) -> None:
    assert run([], "rerank", "-q", "kühl", "--model", model) == ("", "")
    with pytest.raises(BadInput, match="a query wanted"):
        run([], "rerank", "-q", " ", "--model", model)


def test_score_keeps_the_order_and_the_fields(model: Path) -> None:
    lines = ['{"query": "a", "document": "b", "id": 3}', "x\ty", "x\t" + "ab " * 90]
    out, said = run(lines, "score", "--model", model)
    rows = [json.loads(line) for line in out.splitlines()]
    wanted = CrossEncoder(model).score([("a", "b"), ("x", "y"), ("x", "ab " * 90)])
    assert [row["score"] for row in rows] == pytest.approx(wanted.tolist(), abs=1e-5)
    assert rows[0]["id"] == 3
    assert [row["truncated"] for row in rows] == [False, False, True]
    assert "1 of 3 pairs were cut" in said
    found = json.loads(run(lines, "score", "--model", model, "--json")[0])
    assert found["truncated"] == 1
    assert [row["score"] for row in found["results"]] == [row["score"] for row in rows]


def test_score_of_a_chosen_class(tmp_path: Path) -> None:
    names = ["no", "maybe", "yes"]
    folder = save_cross(tmp_path / "classes", {"labels": names}, labels=3)
    out, _ = run(["a\tb"], "score", "--model", folder, "--label", "yes")
    assert json.loads(out)["scale"] == "logit"
    with pytest.raises(BadInput, match="one of no, maybe, yes"):
        run(["a\tb"], "score", "--model", folder)
