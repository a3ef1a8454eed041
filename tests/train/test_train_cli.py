"""The training commands end to end: what one writes the next one reads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

torch = pytest.importorskip("torch")
pytest.importorskip("sentence_transformers")

from crossrank.cli.app import app  # noqa: E402
from crossrank.errors import BadInput  # noqa: E402
from train.tiny import TOPICS, write_groups, write_model  # noqa: E402

CONFIG = """
model = "model"
output = "teacher"
objective = "bce"
max_length = 32

[[train]]
path = "train.jsonl"
format = "groups"

[dev]
path = "dev.jsonl"
format = "groups"

[optimiser]
learning_rate = 3e-3
steps = 30
batch = 32

[watch]
log_every = 5
evaluate_every = 10
"""
DISTIL = CONFIG.replace('output = "teacher"', 'output = "student"\nkind = "cross-encoder"').replace(
    'objective = "bce"', 'objective = "margin-mse"\ncache = "scores.sqlite"'
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    made = tmp_path_factory.mktemp("cli")
    write_model(made / "model")
    write_groups(made / "train.jsonl", 100, seed=1, match=False)
    write_groups(made / "dev.jsonl", 20, seed=2, match=False)
    (made / "run.toml").write_text(CONFIG, encoding="utf-8")
    rows = [
        {"_id": f"d{i}", "text": f"{topic} wort{i} {'gut toll' if i % 2 else 'wort5 wort6'}"}
        for i, topic in enumerate(TOPICS)
    ]
    (made / "docs.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    queries = [{"_id": f"q{i}", "text": f"{topic} wort{i}"} for i, topic in enumerate(TOPICS[:3])]
    (made / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)), encoding="utf-8")
    yield made
    torch.set_num_threads(before)


def run(*arguments: object) -> Any:
    result = CliRunner().invoke(app, [*map(str, arguments), "--json"])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def teacher(folder: Path) -> Path:
    found = run("train", "cross-encoder", folder / "run.toml")
    assert found["value"] > 0.8
    assert Path(found["report"]).is_file()
    return Path(found["model"])


def test_data_can_be_checked_without_training(folder: Path) -> None:
    found = run("train", "cross-encoder", folder / "run.toml", "--check", "-o", folder / "none")
    assert found["pairs"] == 600
    assert found["dev"] == "20 queries, 120 pairs"
    assert not (folder / "none").exists()


def test_a_finished_output_is_an_error(folder: Path, teacher: Path) -> None:
    with pytest.raises(BadInput, match="finished model"):
        run("train", "cross-encoder", folder / "run.toml")


def test_mined_negatives_are_training_data(folder: Path, teacher: Path) -> None:
    pairs = [
        {"query": f"{topic} wort{i}", "document": f"{topic} wort{i} gut toll"}
        for i, topic in enumerate(TOPICS)
        if i % 2
    ]
    data = folder / "pairs.jsonl"
    data.write_text("\n".join(map(json.dumps, pairs)), encoding="utf-8")
    found = run("mine", folder / "docs.jsonl", data, "-o", folder / "mined", "-n", 2)
    assert found["queries"] == 4
    assert found["candidates"]["kept"] == 8
    filtered = run(
        *("mine", folder / "docs.jsonl", data, "-o", folder / "filtered", "-n", 8),
        *("--filter", teacher, "--margin", 0.1),
    )
    # the teacher likes every praised text, so only the others are safe negatives
    assert filtered["candidates"]["kept"] == 16
    assert filtered["candidates"]["too near the relevant document"] == 12
    mined = CONFIG.replace('path = "train.jsonl"', 'path = "filtered/part-00000.jsonl.gz"')
    (folder / "mined.toml").write_text(mined, encoding="utf-8")
    checked = run("train", "cross-encoder", folder / "mined.toml", "--check")
    assert (checked["queries"], checked["pairs"]) == (4, 20)


def test_a_judge_writes_grades_and_agrees_with_people(folder: Path, teacher: Path) -> None:
    people = folder / "people.tsv"
    lines = [f"q{q}\td{d}\t{2 if d % 2 else 0}" for q in range(3) for d in range(len(TOPICS))]
    people.write_text("query-id\tcorpus-id\tscore\n" + "\n".join(lines), encoding="utf-8")
    out = folder / "judged.tsv"
    runs = []
    for name, odd in (("bad", 0), ("good", 9)):
        path = folder / f"{name}.trec"
        path.write_text(
            "\n".join(
                f"q{q} Q0 d{d} 1 {odd if d % 2 else 5 - d % 3} {name}"
                for q in range(3)
                for d in range(len(TOPICS))
            ),
            encoding="utf-8",
        )
        runs += ["--run", path]
    found = run(
        *("judge", folder / "docs.jsonl", folder / "queries.jsonl", "-o", out),
        *("--model", teacher, "--cuts", "0.3", "--qrels", people, *runs),
    )
    assert found["agreement"]["pairs"] == 24
    assert found["agreement"]["binary_kappa"] > 0.5
    assert found["agreement"]["tau"] == 1
    assert out.read_text(encoding="utf-8").startswith("query-id\tcorpus-id\tscore\n")
    fitted = run(
        *("judge", folder / "docs.jsonl", folder / "queries.jsonl", "-o", folder / "f.qrels"),
        *("--model", teacher, "--cuts", "fit", "--qrels", people),
    )
    assert len(fitted["cuts"]) == 2


def test_a_student_is_taught_from_the_cache(folder: Path, teacher: Path) -> None:
    text = DISTIL + f'\n[[teacher]]\nmodel = "{teacher}"\n'
    (folder / "distil.toml").write_text(text, encoding="utf-8")
    found = run("distil", folder / "distil.toml")
    assert found["value"] > 0.75
    assert (folder / "scores.sqlite").stat().st_size > 10_000


def test_a_model_is_trimmed(folder: Path) -> None:
    found = run(
        *("trim", folder / "model", folder / "small", "--texts", folder / "docs.jsonl"),
        *("--size", 20, "--layers", 1),
    )
    assert ", 1 layers" in found["after"]
    assert "20 pieces" in found["after"]
    assert (folder / "small" / "model.safetensors").is_file()
    with pytest.raises(BadInput, match="--texts"):
        run("trim", folder / "model", folder / "other", "--size", 20)
