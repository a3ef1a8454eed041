"""The commands around the use cases, end to end on a tiny model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from crossrank.cli.app import app
from crossrank.errors import BadInput, NotFound
from crossrank.io.document import Document
from crossrank.models import BiEncoder, CrossEncoder
from crossrank.store import Collection
from crossrank.tasks.duplicates import Decision
from crossrank.tasks.saved import read_calibration, write_calibration
from crossrank.types import Scale
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
    assert "isotonic" in done.output
    assert 60 < read_calibration(out, "answer")["pairs"] <= 120


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
    fitted = tmp_path / "heads.json"
    head = ("--head", 3, "--json")
    _json("calibrate", model, pairs, "--for", "duplicate", "-o", fitted, *common, *head)
    heads = _json("duplicates", source, *options, "--calibration", fitted, *head)
    read = {(each["left"], each["right"]): each["cosine"] for each in heads["pairs"]}
    assert read != {pair: each["cosine"] for pair, each in by_pair.items()}
    shown = RUN.invoke(
        app, ["duplicates", str(source), *map(str, options), "--max-pairs", "3"]
    ).output
    assert "candidate pairs, the least similar, were not scored" in shown
    assert "the same text" in shown
    assert "quantity: 280000 ml ≠ 350000 ml" in shown


@pytest.fixture(scope="module")
def books(folder: Path) -> Path:
    """A folder of two texts, one of them long."""
    made = folder / "books"
    made.mkdir()
    law = " ".join(f"Absatz {i} regelt nichts weiter." for i in range(40))
    law += " Der Kühlschrank im Labor ist leise. " + law
    (made / "gesetz.txt").write_text(law, encoding="utf-8")
    (made / "roman.txt").write_text("Es war Nacht. Es war warm.", encoding="utf-8")
    return made


def test_ask_answers_with_a_sentence_in_its_place(
    model: Path, books: Path, pairs: Path, tmp_path: Path
) -> None:
    question = ("ask", books, "Kühlschrank leise?", "--model", model)
    found = _json(*question, "-k", 2, "--json")
    assert (found["answered"], found["probability"]) == (True, None)
    text = (books / f"{found['answers'][0]['id']}").read_text(encoding="utf-8")
    for each in (found["answers"][0]["passage"], found["answers"][0]["sentence"]):
        assert text[each["start"] : each["end"]] == each["text"]
    kept = tmp_path / "kept.json"
    _json("calibrate", model, pairs, "--for", "answer", "-o", kept, "--json")
    calibrated = _json(*question, "--calibration", kept, "--threshold", 0, "--json")
    assert 0 <= calibrated["probability"] <= 1
    none = RUN.invoke(
        app, [*map(str, question), "--calibration", str(kept), "--threshold", "1"]
    ).output
    assert "no answer found" in none
    assert "the nearest passages" in none


def test_ask_refuses_a_threshold_without_a_calibration(model: Path, books: Path) -> None:
    with pytest.raises(NotFound, match="--for answer"):
        RUN.invoke(
            app,
            ["ask", str(books), "was?", "--model", str(model), "--threshold", "0.5"],
            catch_exceptions=False,
        )


def test_paragraphs_shows_where_it_is(model: Path, books: Path) -> None:
    command = ("paragraphs", books, "Kühlschrank leise", "--model", model, "--words", 20)
    found = _json(*command, "--overlap", 5, "--passages", 3, "--json")
    assert sorted(each["id"] for each in found["results"]) == ["gesetz.txt", "roman.txt"]
    long = next(each for each in found["results"] if each["id"] == "gesetz.txt")
    assert len(long["passages"]) == 3
    text = (books / "gesetz.txt").read_text(encoding="utf-8")
    for each in long["passages"]:
        assert text[each["start"] : each["end"]] == each["text"]
        assert len(each["text"].split()) <= 20
    shown = RUN.invoke(app, [*map(str, command), "--aggregate", "top"]).output
    assert "passage " in shown
    assert "characters " in shown


def test_a_pipeline_over_files_is_refused(model: Path, books: Path) -> None:
    with pytest.raises(BadInput, match="crossrank index first"):
        RUN.invoke(
            app,
            ["ask", str(books), "was?", "--model", str(model), "-p", "full"],
            catch_exceptions=False,
        )


def test_a_collection_is_asked_through_its_own_index(
    model: Path, encoder: Path, tmp_path: Path
) -> None:
    made = Collection.create(tmp_path / "kept", "de")
    texts = [text for _, text, _ in DOCUMENTS]
    made.add([Document(str(i), text) for i, text in enumerate(texts)], [BiEncoder(encoder)])
    found = _json("ask", tmp_path / "kept", "fridge", "--model", model, "-p", "bm25", "--json")
    assert [each["id"] for each in found["answers"]] == ["4"]
    judge = Decision(1.0, 1.0, 0.0, Scale.LOGIT, BiEncoder(encoder).name)
    write_calibration(tmp_path / "c.json", "duplicate", judge.as_dict())
    options = ("--model", model, "--encoder", encoder, "--calibration", tmp_path / "c.json")
    pairs = _json("duplicates", tmp_path / "kept", *options, "--json")
    assert pairs["exact"] == [["0", "1"]]
