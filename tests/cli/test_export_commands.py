"""`crossrank export` and `crossrank quantise`, from a directory of weights to a judged report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from crossrank.cli.app import app
from crossrank.errors import BadInput
from crossrank.models import CrossEncoder
from tiny_transformers import save_tiny

pytest.importorskip("torch")
pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("tiny"), "bert")


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSRANK_CACHE", str(tmp_path_factory.getbasetemp() / "export-cache"))


def _run(*words: str | Path) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert done.exit_code == 0, done.stderr
    return done.stdout


def _beir(folder: Path) -> Path:
    texts = {"a": "ein kühlschrank", "b": "a fridge", "c": "ein weinregal", "d": "der alarm"}
    (folder / "qrels").mkdir(parents=True)
    documents = [json.dumps({"_id": k, "title": "", "text": v}) for k, v in texts.items()]
    (folder / "corpus.jsonl").write_text("\n".join(documents))
    (folder / "queries.jsonl").write_text(json.dumps({"_id": "1", "text": "ein kühlschrank"}))
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n1\ta\t1\n1\tc\t0\n")
    return folder


def test_export_writes_a_model_and_its_parity(tiny: Path, tmp_path: Path) -> None:
    printed = _run("export", tiny, tmp_path / "out")
    assert "fp32" in printed
    assert "against its weights in torch: 24 inputs: largest difference" in printed
    assert CrossEncoder(tmp_path / "out").score([("a", "b")]).shape == (1,)
    found = json.loads(_run("export", tiny, tmp_path / "small", "--int8", "--json"))
    assert found["mode"] == "int8"
    assert found["bytes"] < (tmp_path / "out" / "model.onnx").stat().st_size
    with pytest.raises(BadInput, match="one of --int8 and --fp16"):
        _run("export", tiny, tmp_path / "both", "--int8", "--fp16")


def test_quantise_reports_both_forms_on_a_judged_set(tiny: Path, tmp_path: Path) -> None:
    beir = _beir(tmp_path / "beir")
    words = ["quantise", tiny, tmp_path / "out", "--report-on", beir, "--json"]
    found = json.loads(_run(*words, "--mode", "int8-block"))
    before, after = found["forms"]
    assert (before["name"], after["name"]) == ("as it was", "int8-block")
    assert (before["change"], before["shippable"]) == (0, True)
    assert 0 < before["ndcg"] <= 1
    assert after["drift"]["max_difference"] == found["parity"]["max_difference"]


def test_quantise_calibrates_on_pairs_and_prints_a_table(tiny: Path, tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text('{"query": "ein alarm", "document": "die tür ist offen"}\n' * 8)
    printed = _run(
        "quantise", tiny, tmp_path / "out", "--mode", "int8-static", "--calibrate", pairs
    )
    assert "int8-static" in printed
    assert "nDCG" not in printed
    for mode in ("fp32", "int3"):
        with pytest.raises(BadInput, match="--mode int8, int8-block"):
            _run("quantise", tiny, tmp_path / "other", "--mode", mode)
