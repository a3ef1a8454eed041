"""Every supported family: what our ONNX path computes is what transformers computes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

from crossrank import CrossEncoder
from crossrank.models.export import ensure_onnx
from crossrank.models.export_report import read_report
from tiny_transformers import FAMILIES, POSITIONS, save_tiny

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytestmark = pytest.mark.torch

PAIRS = [
    ("kühlschrank", "ein kühlschrank für labor und praxis."),
    ("fridge?", "a fridge"),
    ("groß", "GROSS gro\u0308ß 🧊 東京 \u200b ẞ"),
    ("a", "lang und länger, noch länger und am längsten: " * 4),
    ("x", ""),
    ("was ist ein sehr langer satz mit vielen zeichen?", "kurz"),
]


@pytest.fixture(scope="session", params=FAMILIES)
def tiny(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    labels = 3 if request.param == "electra" else 1
    return save_tiny(tmp_path_factory.mktemp(request.param), request.param, labels)


@pytest.fixture(scope="session")
def exported(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CROSSRANK_CACHE", str(tmp_path_factory.mktemp("cache")))
        return ensure_onnx(tiny)


def _encoded(folder: Path, pairs: list[tuple[str, str]], length: int) -> dict[str, Any]:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    queries, documents = map(list, zip(*pairs, strict=True))
    cut = {"truncation": "longest_first", "max_length": length}
    return dict(tokenizer(queries, documents, padding=True, return_tensors="np", **cut))


def _reference(folder: Path, encoded: dict[str, Any]) -> np.ndarray:
    import torch
    from transformers import AutoModelForSequenceClassification
    from transformers.utils import logging

    logging.disable_progress_bar()
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    with torch.inference_mode():
        tensors = {name: torch.from_numpy(value) for name, value in encoded.items()}
        return model(**tensors).logits.numpy()


@pytest.mark.parametrize("length", [POSITIONS, 24])
def test_logits_equal_those_of_transformers(tiny: Path, exported: Path, length: int) -> None:
    encoded = _encoded(tiny, PAIRS, length)
    running = ort.InferenceSession(exported / "model.onnx")
    wanted = {each.name for each in running.get_inputs()}
    (logits,) = running.run(None, {k: v for k, v in encoded.items() if k in wanted})
    reference = _reference(tiny, {k: v for k, v in encoded.items() if k in wanted})
    assert reference.std() > 1e-3
    np.testing.assert_allclose(logits, reference, atol=1e-4)


def test_padding_does_not_change_a_logit(tiny: Path, exported: Path) -> None:
    encoded = _encoded(tiny, PAIRS, POSITIONS)
    running = ort.InferenceSession(exported / "model.onnx")
    wanted = {each.name for each in running.get_inputs()}
    (together,) = running.run(None, {k: v for k, v in encoded.items() if k in wanted})
    for at, pair in enumerate(PAIRS):
        alone = _encoded(tiny, [pair], POSITIONS)
        (logit,) = running.run(None, {k: v for k, v in alone.items() if k in wanted})
        np.testing.assert_allclose(logit[0], together[at], atol=1e-4)


def test_token_types_count_where_the_family_has_them(tiny: Path, exported: Path) -> None:
    running = ort.InferenceSession(exported / "model.onnx")
    names = {each.name for each in running.get_inputs()}
    family = (tiny / "config.json").read_text()
    if not any(f'"model_type": "{name}"' in family for name in ("bert", "electra")):
        assert names == {"input_ids", "attention_mask"}
        return
    encoded = {k: v for k, v in _encoded(tiny, PAIRS, POSITIONS).items() if k in names}
    flat = {**encoded, "token_type_ids": np.zeros_like(encoded["token_type_ids"])}
    (typed,), (untyped,) = running.run(None, encoded), running.run(None, flat)
    np.testing.assert_allclose(untyped, _reference(tiny, flat), atol=1e-4)
    assert np.abs(typed - untyped).max() > 1e-3


def test_the_export_records_its_parity(exported: Path) -> None:
    found = read_report(exported)
    assert found["exporter"] == "trace"
    assert found["parity"]["max_difference"] < 1e-4
    assert found["parity"]["tau"] > 0.99
    assert found["parity"]["inputs"] == 24


@pytest.mark.parametrize("length", [POSITIONS, 24])
def test_the_cross_encoder_scores_as_transformers(tiny: Path, exported: Path, length: int) -> None:
    from transformers import AutoTokenizer

    pairs = [pair for pair in PAIRS if len(pair[0]) < 0.7 * length]
    tokenizer = AutoTokenizer.from_pretrained(tiny)
    queries, documents = map(list, zip(*pairs, strict=True))
    cut = {"truncation": "only_second", "max_length": length}
    encoded = dict(tokenizer(queries, documents, padding=True, return_tensors="np", **cut))
    reference = _reference(tiny, encoded)
    model = CrossEncoder(exported, max_length=length, query_share=0.9)
    if reference.shape[1] == 1:
        np.testing.assert_allclose(model.score(pairs), reference[:, 0], atol=1e-4)
    else:
        np.testing.assert_allclose(model.predict(pairs), reference, atol=1e-4)
