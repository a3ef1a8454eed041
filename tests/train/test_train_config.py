"""Configurations: what TOML says becomes values, and errors name the key."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossrank.errors import BadInput, NotFound
from crossrank.train.config import TrainConfig, load_config
from crossrank.train.distil import load_distil

HEAD = 'model = "m"\noutput = "out"\n[[train]]\npath = "a.jsonl"\n'


def loaded(tmp_path: Path, text: str) -> TrainConfig:
    path = tmp_path / "run.toml"
    path.write_text(text, encoding="utf-8")
    return load_config(path)


def test_a_configuration_is_read_with_paths_beside_it(tmp_path: Path) -> None:
    text = HEAD + 'above = 2\nrange = [0, 5]\n[start]\nlayers = [0, 2]\n[dev]\npath = "d.tsv"\n'
    config = loaded(tmp_path, text)
    assert config.output == tmp_path / "out"
    assert config.train[0].path == tmp_path / "a.jsonl"
    assert config.train[0].range == (0.0, 5.0)
    assert config.train[0].above == 2.0
    assert config.start.layers == (0, 2)
    assert config.dev is not None
    assert config.dev.measure == "nDCG@10"
    assert loaded(tmp_path, HEAD + "[start]\nlayers = 6\n").start.layers == 6


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model = ", "TOML wanted"),
        ('output = "o"\n[[train]]\npath = "a"\n', "model wanted"),
        ('model = "m"\noutput = "o"\ntrain = []\n', "train"),
        (HEAD + 'fromat = "pairs"\n', r"train\[0\] knows path, .*got fromat"),
        (HEAD + 'format = "xml"\n', r"train\[0\]: a format \(pairs"),
        (HEAD + 'format = "qrels"\n', "`queries` and `corpus`"),
        (HEAD + "[optimiser]\nbatch = 1.5\n", "optimiser.batch: a whole number wanted, got 1.5"),
        (HEAD + "[optimiser]\nbatch = true\n", "optimiser.batch"),
        (HEAD + '[optimiser]\nprecision = "fp16"\n', "precision fp32, bf16 wanted, got 'fp16'"),
        (HEAD + "[groups]\nsize = 1\n", "groups: groups of 2"),
        (HEAD + "[start]\nlayers = -1\n", "layers"),
        (HEAD + "[watch]\npatience = 2\n", "add .dev. or holdout"),
        ("objective = 'hinge'\n" + HEAD, "objective bce, "),
        ("holdout = 0.1\n" + HEAD + "[dev]\npath = 'd'\n", "either"),
        ("train = 3\n" + HEAD.split("[[")[0], "train: a list wanted"),
    ],
)
def test_errors_name_file_and_key(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadInput, match=message) as caught:
        loaded(tmp_path, text)
    assert "run.toml" in str(caught.value)


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        load_config(tmp_path / "none.toml")


def test_the_examples_are_configurations() -> None:
    folder = Path(__file__).parents[2] / "examples" / "training"
    found = sorted(folder.glob("*.toml"))
    assert len(found) == 3
    for path in found:
        assert (load_distil if path.stem == "distil" else load_config)(path).train
