"""`crossrank tune` as a person runs it, on run files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from crossrank.cli.app import app
from crossrank.evaluate.signals import learned_pipeline, signal_names, tuned_pipeline
from crossrank.fuse import Combination
from crossrank.fuse.learned import load_learned
from crossrank.fuse.setting import Setting, setting_from
from crossrank.pipelines import Bm25, Dense, Fusion, Reranker, named

QUERIES, DOCS = 30, 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(0)
    made = tmp_path_factory.mktemp("tune")
    qrels, runs = [], {"a": [], "b": []}  # type: ignore[var-annotated]
    for q in range(QUERIES):
        relevant = rng.permutation(DOCS)[:2]
        qrels += [f"q{q} 0 d{d} 1\n" for d in relevant]
        for name, noise in (("a", 0.7), ("b", 0.9)):
            scores = np.isin(np.arange(DOCS), relevant) + rng.normal(0, noise, DOCS)
            runs[name] += [f"q{q} Q0 d{d} 0 {s:.4f} {name}\n" for d, s in enumerate(scores)]
    (made / "qrels.txt").write_text("".join(qrels))
    for name, lines in runs.items():
        (made / f"{name}.trec").write_text("".join(lines))
    return made


def tune(folder: Path, *options: str) -> Result:
    files = [str(folder / "a.trec"), str(folder / "b.trec"), "--qrels", str(folder / "qrels.txt")]
    return CliRunner().invoke(app, ["tune", *files, "--weight-step", "0.25", *options])


def test_the_fusion_written_is_the_one_fuse_reads(folder: Path) -> None:
    done = tune(folder, "-o", str(folder / "f.json"), "--folds", "3", "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    stored = json.loads((folder / "f.json").read_text())
    assert setting_from(stored).as_dict() == found["setting"]
    assert stored["held_out"]["tuned"] == found["held_out"]["runs"]["tuned"]["nDCG@10"]["mean"]
    assert {pair["against"] for pair in found["held_out"]["pairs"]} == {"a", "b", "rrf"}
    runs = [str(folder / "a.trec"), str(folder / "b.trec")]
    out = str(folder / "fused.trec")
    fused = CliRunner().invoke(app, ["fuse", *runs, "-o", out, "--how", str(folder / "f.json")])
    assert fused.exit_code == 0, fused.output


def test_trees_are_trained_saved_and_shown(folder: Path) -> None:
    model, report = folder / "ltr", folder / "report.html"
    done = tune(folder, "--folds", "2", "--learned", str(model), "--html", str(report))
    assert done.exit_code == 0, done.output
    assert "learned" in done.stdout
    assert load_learned(model).signals == ("a", "b")
    assert "a score" in (model / "importance.svg").read_text()
    text = report.read_text(encoding="utf-8")
    assert text.count("<svg") == 3
    assert "learned against tuned" in text


def test_mistakes_are_told(folder: Path) -> None:
    assert "ending in .json wanted" in str(tune(folder, "-o", "x.toml").exception)
    assert "numbers separated by blanks" in str(tune(folder, "--k", "a").exception)
    assert "a search" in str(tune(folder, "--search", "luck").exception)
    nothing = CliRunner().invoke(app, ["tune"])
    assert "run files with --qrels" in str(nothing.exception)


def test_a_tuned_setting_goes_into_the_fusion_a_pipeline_ends_with() -> None:
    setting = Setting(Combination("sum", (0.3, 0.7), "z-score", "zero"), 50)
    fused = tuned_pipeline(named("hybrid"), setting).stages[0]
    assert fused == Fusion(
        (Bm25(depth=50), Dense(depth=50)), "sum", (0.3, 0.7), 100, ("z-score",), "zero", 60.0
    )
    learned = learned_pipeline(named("hybrid")).stages[0]
    assert learned.type == "learned"
    with pytest.raises(ValueError, match="ends with 'conditions'"):
        tuned_pipeline(named("full"), setting)


def test_signals_are_named_by_type() -> None:
    assert signal_names((Bm25(), Dense(), Reranker())) == ("bm25", "dense", "rerank")
    assert signal_names((Dense("x"), Bm25(), Dense("y"))) == ("dense-1", "bm25", "dense-2")
