"""Runs of tiny models on the CPU: they learn, stop, survive kill -9, and load elsewhere."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sentence_transformers")

from crossrank.errors import BadInput, NotFound, Offline  # noqa: E402
from crossrank.train.config import (  # noqa: E402
    Dev,
    Groups,
    Optimiser,
    Start,
    TrainConfig,
    Watch,
)
from crossrank.train.run import train  # noqa: E402
from crossrank.train.sources import Source  # noqa: E402
from crossrank.train.start import located  # noqa: E402
from crossrank.train.students.quiet import quiet  # noqa: E402
from train.tiny import write_groups, write_model  # noqa: E402

Log = list[dict[str, float]]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # models this small lose by sharing work
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("runs")
    write_model(made / "model")
    for name, match in (("match", True), ("praise", False)):
        write_groups(made / f"{name}.jsonl", 120, seed=1, match=match)
        write_groups(made / f"{name}-dev.jsonl", 25, seed=2, match=match)
    return made


def config(folder: Path, name: str, data: str = "praise", **changes: object) -> TrainConfig:
    """A run of 30 updates; the dev set is measured three times."""
    made = TrainConfig(
        model=str(folder / "model"),
        train=(Source(folder / f"{data}.jsonl", "groups"),),
        dev=Dev(folder / f"{data}-dev.jsonl", "groups"),
        output=folder / "out" / name,
        max_length=32,
        optimiser=Optimiser(learning_rate=3e-3, batch=32, steps=30),
        groups=Groups(size=4),
        watch=Watch(log_every=5, evaluate_every=10),
        seed=1,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def column(log: Log, key: str) -> list[float]:
    return [entry[key] for entry in log if key in entry]


RANDOM = float(np.mean([1 / np.log2(rank + 1) for rank in range(1, 7)]))  # one of six relevant


def learned(log: Log) -> None:
    losses, values = column(log, "loss"), column(log, "dev")
    assert losses[-1] < 0.8 * losses[0]
    assert max(values) > RANDOM + 0.25


@pytest.fixture(scope="module")
def uninterrupted(folder: Path) -> tuple[Path, Log]:
    result = train("cross-encoder", config(folder, "whole"))
    return result.folder, [dict(entry) for entry in result.log]


def test_a_cross_encoder_learns(uninterrupted: tuple[Path, Log]) -> None:
    learned(uninterrupted[1])


KILLED = """
import os, signal, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
import torch
torch.set_num_threads(1)
from train import test_run
from crossrank.train.run import train
def watch(progress):
    if progress.step >= 15:
        os.kill(os.getpid(), signal.SIGKILL)
train("cross-encoder", test_run.config(Path({folder!r}), "killed"), watch=watch)
"""


def test_a_killed_run_goes_on_with_the_same_curve(
    folder: Path, uninterrupted: tuple[Path, Log]
) -> None:
    code = KILLED.format(tests=str(Path(__file__).parents[1]), folder=str(folder))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=280)
    assert done.returncode == -9, done.stderr.decode()[-2000:]
    checkpoints = folder / "out" / "killed" / "training" / "checkpoints"
    assert [each.name for each in checkpoints.iterdir()] == ["checkpoint-10"]
    (checkpoints / "checkpoint-20").mkdir()  # as if killed while it was written
    result = train("cross-encoder", config(folder, "killed"))
    for key in ("step", "loss", "dev", "learning_rate", "grad_norm"):
        assert column(list(result.log), key) == column(uninterrupted[1], key), key
    ours, theirs = (torch_weights(each) for each in (result.folder, uninterrupted[0]))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert not checkpoints.exists()


def torch_weights(folder: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(folder / "model.safetensors")


def test_the_output_says_what_it_is(uninterrupted: tuple[Path, Log]) -> None:
    notes = uninterrupted[0] / "training"
    card = json.loads((notes / "report.json").read_text(encoding="utf-8"))
    assert card["seed"] == 1
    assert card["data"]["pairs"] == 720
    assert card["data"]["labels"] == {"0": 600, "1": 120}
    assert {"torch", "transformers", "device"} <= set(card["versions"])
    assert card["best"]["value"] == max(column(uninterrupted[1], "dev"))
    page = (notes / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") == 3
    assert "http" not in page
    for name in ("loss", "dev", "learning_rate"):
        assert (notes / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    names = {path.name for path in uninterrupted[0].rglob("*") if path.is_file()}
    assert not {name for name in names if name.endswith((".bin", ".pt", ".pth"))}


QUERY, TEXTS = (
    "rot wort1",
    ["rot wort2 gut fein", "blau wort3 wort7 wort4", "warm wort4 toll gut"],
)


def test_the_output_loads_in_three_libraries(uninterrupted: tuple[Path, Log]) -> None:
    from sentence_transformers import CrossEncoder as Theirs
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    from crossrank.models import CrossEncoder

    path = uninterrupted[0]
    with quiet():
        model = AutoModelForSequenceClassification.from_pretrained(str(path)).eval()
        theirs = Theirs(str(path), device="cpu")
        probabilities = theirs.predict([(QUERY, text) for text in TEXTS], show_progress_bar=False)
    tokens = AutoTokenizer.from_pretrained(str(path))(
        [QUERY] * 3, TEXTS, padding=True, return_tensors="pt"
    )
    with torch.no_grad():
        logits = model(**tokens).logits[:, 0].numpy()
    assert min(logits[0], logits[2]) > logits[1]
    assert np.allclose(probabilities, 1 / (1 + np.exp(-logits)), atol=1e-5)
    ours = CrossEncoder(path)
    assert ours.scale == "logit"
    assert np.allclose(ours.score([(QUERY, text) for text in TEXTS]), logits, atol=1e-3)


def test_a_taken_output_is_refused(folder: Path, uninterrupted: tuple[Path, Log]) -> None:
    with pytest.raises(BadInput, match="finished model"):
        train("cross-encoder", config(folder, "whole"))
    with pytest.raises(BadInput, match=r"other settings \(objective\)"):
        train("cross-encoder", config(folder, "whole", objective="mse"))


def test_groups_with_accumulation_in_bf16(folder: Path) -> None:
    how = Optimiser(
        learning_rate=3e-3,
        batch=16,
        accumulate=2,
        steps=30,
        precision="bf16",
        gradient_checkpointing=True,
    )
    result = train("cross-encoder", config(folder, "bf16", objective="list-net", optimiser=how))
    assert max(column(list(result.log), "dev")) > RANDOM + 0.25
    assert result.card["settings"]["optimiser"]["precision"] == "bf16"


def test_grades_by_shared_thresholds(folder: Path) -> None:
    rows = (folder / "praise.jsonl").read_text(encoding="utf-8").splitlines()
    graded = folder / "graded.jsonl"
    with graded.open("w", encoding="utf-8") as out:
        for line in rows:
            row = json.loads(line)
            row["documents"][0]["label"] = 2.0
            row["documents"][1]["label"] = 1.0
            words = row["documents"][1]["text"].split()
            row["documents"][1]["text"] = " ".join([*words[:2], "klein", "klein"])
            out.write(json.dumps(row) + "\n")
    source = Source(graded, "groups")
    result = train(
        "cross-encoder",
        config(folder, "coral", objective="coral", train=(source,), dev=None, holdout=0.2),
    )
    learned(list(result.log))
    weights = torch_weights(result.folder)
    assert torch.equal(weights["classifier.weight"][0], weights["classifier.weight"][1])
    from crossrank.models import CrossEncoder

    ours = CrossEncoder(result.folder)
    assert ours.scale == "grade"
    found = ours.score([(QUERY, text) for text in TEXTS])
    assert 0 < found[1] < min(found[0], found[2]) < 2


def test_a_bi_encoder_learns_and_loads(folder: Path) -> None:
    from sentence_transformers import SentenceTransformer

    from crossrank.models import BiEncoder

    result = train("bi-encoder", config(folder, "bi", "match", objective="info-nce"))
    learned(list(result.log))
    with quiet():
        theirs = SentenceTransformer(str(result.folder), device="cpu")
        vectors = theirs.encode(TEXTS, show_progress_bar=False)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.allclose(BiEncoder(result.folder).encode(TEXTS), vectors, atol=1e-3)


def test_a_late_interaction_model_learns_and_loads(folder: Path) -> None:
    from sentence_transformers import MultiVectorEncoder

    result = train("late-interaction", config(folder, "late", "match", objective="info-nce"))
    learned(list(result.log))
    with quiet():
        theirs = MultiVectorEncoder(str(result.folder), device="cpu")
        asked = theirs.encode_query([QUERY], show_progress_bar=False)
        found = theirs.encode_document(TEXTS, show_progress_bar=False)
        scores = theirs.similarity(asked, found)[0]
    assert int(scores.argmax()) == 0


def test_a_run_that_does_not_get_better_stops(folder: Path) -> None:
    flat = config(
        folder,
        "flat",
        optimiser=Optimiser(learning_rate=1e-12, batch=16, steps=60),
        watch=Watch(log_every=5, evaluate_every=5, patience=2),
        start=Start(layers=1, vocabulary=25),
    )
    result = train("cross-encoder", flat)
    assert result.card["steps"] == 15
    assert result.card["best"]["step"] == 15
    saved = json.loads((result.folder / "config.json").read_text(encoding="utf-8"))
    assert saved["num_hidden_layers"] == 1
    assert saved["vocab_size"] == 25


def test_what_cannot_be_trained_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput, match="a kind"):
        train("poly-encoder", config(folder, "x"))
    with pytest.raises(BadInput, match="one score a pair"):
        train("bi-encoder", config(folder, "y", objective="coral"))
    with pytest.raises(BadInput, match="whole labels"):
        source = Source(folder / "praise.jsonl", "groups", range=(0.0, 2.0))
        train("cross-encoder", config(folder, "z", objective="ordinal", train=(source,)))
    with pytest.raises(NotFound, match="not there"):
        located("./nowhere")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import huggingface_hub.constants as hub

    monkeypatch.setattr(hub, "HF_HUB_OFFLINE", True)
    with pytest.raises(Offline, match="give the path"):
        located("no-such-owner/no-such-model")
