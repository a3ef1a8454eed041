"""Attention as an output: equal to what transformers gives, from any graph of the family."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

from crossrank.errors import ModelError
from crossrank.models.export import ensure_onnx, export_with_attention
from crossrank.models.export_attention import with_attention_outputs
from crossrank.models.quantise import Mode
from tiny_transformers import save_tiny

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
onnx = pytest.importorskip("onnx")
pytestmark = pytest.mark.torch


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSRANK_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize("family", ["bert", "deberta-v2", "modernbert"])
def test_attentions_equal_those_of_transformers(family: str, tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "tiny", family)
    session = ort.InferenceSession(export_with_attention(folder))
    ids = np.arange(5, 25, dtype=np.int64).reshape(2, 10)
    mask = np.ones_like(ids)
    mask[1, 6:] = 0
    feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
    feed = {each.name: feed[each.name] for each in session.get_inputs()}
    logits, attentions = session.run(["logits", "attentions"], feed)
    auto = transformers.AutoModelForSequenceClassification
    model = auto.from_pretrained(folder, attn_implementation="eager").eval()
    with torch.inference_mode():
        wanted = model(**{k: torch.from_numpy(v) for k, v in feed.items()}, output_attentions=True)
    reference = np.stack([each.numpy() for each in wanted.attentions])
    assert attentions.shape == (2, 2, 4, 10, 10)
    real = mask[:, None, :, None] == 1
    np.testing.assert_allclose(attentions * real, reference * real, atol=1e-5)
    np.testing.assert_allclose(logits, wanted.logits.numpy(), atol=1e-4)


def test_quantised_graphs_have_attention_and_unchanged_logits(tmp_path: Path) -> None:
    folder = ensure_onnx(save_tiny(tmp_path / "tiny", "bert"), Mode.INT8)
    session = ort.InferenceSession(export_with_attention(folder))
    plain = ort.InferenceSession(folder / "model.onnx")
    ids = np.arange(5, 17, dtype=np.int64).reshape(1, 12)
    feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": ids * 0}
    logits, attentions = session.run(["logits", "attentions"], feed)
    np.testing.assert_array_equal(logits, plain.run(None, feed)[0])
    np.testing.assert_allclose(attentions.sum(-1), 1, atol=1e-5)


def test_graphs_written_from_tensors_have_the_same_attention(tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    from crossrank.train.graph import bert_graph

    folder = save_tiny(tmp_path / "tiny", "bert")
    tensors = load_file(folder / "model.safetensors")
    own = bert_graph({k.removeprefix("bert."): v for k, v in tensors.items()}, 4, 1e-12)
    onnx.save(own, tmp_path / "own.onnx")
    ids = np.arange(5, 17, dtype=np.int64).reshape(1, 12)
    feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": ids * 0}
    ours = ort.InferenceSession(with_attention_outputs(tmp_path / "own.onnx"))
    theirs = ort.InferenceSession(export_with_attention(folder))
    for name in ("logits", "attentions"):
        found = ours.run([name], feed)[0], theirs.run([name], feed)[0]
        np.testing.assert_allclose(*found, atol=1e-4)


def test_a_graph_without_attention_is_refused(tmp_path: Path) -> None:
    helper = onnx.helper
    flat = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["n", 3])
    out = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["n", 3])
    node = helper.make_node("Softmax", ["x"], ["y"])
    onnx.save(helper.make_model(helper.make_graph([node], "g", [flat], [out])), tmp_path / "g.onnx")
    with pytest.raises(ModelError, match="found none"):
        with_attention_outputs(tmp_path / "g.onnx")
