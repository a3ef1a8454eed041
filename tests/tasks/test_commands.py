"""The commands around the use cases, end to end on a tiny model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from crossrank.cli.app import app
from crossrank.errors import BadInput
from crossrank.models import CrossEncoder
from crossrank.tasks.saved import read_calibration
from explain.tiny import WORDS, tiny_encoder, tiny_model

RUN = CliRunner()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("commands")


@pytest.fixture(scope="module")
def model(folder: Path) -> Path:
    return tiny_model(folder / "cross")


@pytest.fixture(scope="module")
def encoder(folder: Path) -> Path:
    return tiny_encoder(folder / "embed")


@pytest.fixture(scope="module")
def pairs(folder: Path, model: Path) -> Path:
    """Pairs whose labels the tiny model mostly gets right."""
    random = np.random.default_rng(2)
    texts = [" ".join(random.choice(WORDS, 4)) for _ in range(60)]
    left, right = [t for t in texts for _ in range(3)], list(random.permutation(texts * 3))
    scores = CrossEncoder(model).score_texts(left, right)
    labels = scores + random.normal(0, scores.std() / 3, len(scores)) > np.median(scores)
    path = folder / "pairs.jsonl"
    rows = [
        {"query": a, "document": b, "label": int(y)}
        for a, b, y in zip(left, right, labels, strict=True)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def _json(*arguments: object) -> dict:  # type: ignore[type-arg]
    done = RUN.invoke(app, [str(each) for each in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def test_calibrate_saves_beside_the_model_and_reports(
    model: Path, pairs: Path, tmp_path: Path
) -> None:
    plot = tmp_path / "plot.svg"
    found = _json("calibrate", model, pairs, "--plot", plot, "--json")
    assert found["saved"] == str(model / "crossrank.json")
    assert set(found["held_out"]) == {"temperature", "platt", "isotonic"}
    assert found["calibration"] == read_calibration(model, "relevance")
    assert found["calibration"]["pairs"] == 180
    assert plot.read_text(encoding="utf-8").startswith("<svg")
    kept = json.loads((model / "crossrank.json").read_text(encoding="utf-8"))
    assert kept["kind"] == "cross-encoder"


def test_calibrate_answers_counts_questions(model: Path, pairs: Path, tmp_path: Path) -> None:
    out = tmp_path / "kept.json"
    done = RUN.invoke(app, ["calibrate", str(model), str(pairs), "--for", "answer", "-o", str(out)])
    assert done.exit_code == 0, done.output
    assert "answer: 60 pairs" in done.output
    assert "isotonic" in done.output
    assert read_calibration(out, "answer")["pairs"] == 60


@pytest.mark.parametrize("option", [("--for", "love"), ("--method", "guess")])
def test_calibrate_refuses_unknown_purposes_and_methods(
    model: Path, pairs: Path, option: tuple[str, str]
) -> None:
    with pytest.raises(BadInput, match="wanted, got"):
        RUN.invoke(app, ["calibrate", str(model), str(pairs), *option], catch_exceptions=False)


DOCUMENTS = (
    ("a", "Kühlschrank Labor 280 Liter leise", "Kirsch"),
    ("b", "kühlschrank labor  280 Liter leise", "Kirsch"),
    ("c", "Kühlschrank Labor 280 l leise", "Kirsch"),
    ("d", "Kühlschrank Labor 350 Liter leise", "Kirsch"),
    ("e", "warm fridge", "Other"),
)


def test_duplicates_of_a_file(
    model: Path, encoder: Path, pairs: Path, folder: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "kept.json"
    common = ("--encoder", encoder)
    _json("calibrate", model, pairs, "--for", "duplicate", "-o", kept, *common, "--json")
    source = tmp_path / "documents.jsonl"
    rows = [{"_id": i, "text": text, "maker": maker} for i, text, maker in DOCUMENTS]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    options = ("--model", model, *common, "--calibration", kept, "--names", "maker")
    found = _json("duplicates", source, *options, "--json")
    assert found["exact"] == [["a", "b"]]
    assert found["left_out"] == 0
    by_pair = {(each["left"], each["right"]): each for each in found["pairs"]}
    assert by_pair["a", "d"]["conflicts"] == [
        {"kind": "quantity", "left": "280000 ml", "right": "350000 ml"}
    ]
    assert not by_pair["a", "d"]["duplicate"]
    assert any({"a", "b"} <= set(each) for each in found["clusters"])
    shown = RUN.invoke(
        app, ["duplicates", str(source), *map(str, options), "--max-pairs", "3"]
    ).output
    assert "candidate pairs, the least similar, were not scored" in shown
    assert "the same text" in shown
    assert "quantity: 280000 ml ≠ 350000 ml" in shown
