"""Quantisation: only what may be quantised is, what is lost stays small, and it is written down."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crossrank.errors import BadInput, ModelError
from crossrank.models import CrossEncoder
from crossrank.models.cached import content_hash
from crossrank.models.export import ensure_onnx
from crossrank.models.export_report import read_report
from crossrank.models.parity import PAIRS
from crossrank.models.quantise import Mode, Options, quantise_model
from crossrank.models.quantise_rows import int8_rows
from tiny_transformers import save_tiny

onnx = pytest.importorskip("onnx")
pytest.importorskip("torch")
pytestmark = pytest.mark.torch

CALIBRATION = [pair for pair in PAIRS if all(text.strip() for text in pair)]


@pytest.fixture(scope="session", params=["bert", "deberta-v2", "modernbert"])
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CROSSRANK_CACHE", str(tmp_path_factory.mktemp("cache")))
        return ensure_onnx(save_tiny(tmp_path_factory.mktemp("tiny"), request.param))


def _operators(folder: Path) -> list[str]:
    return [node.op_type for node in onnx.load(folder / "model.onnx").graph.node]


@pytest.mark.parametrize(
    ("mode", "mark", "least_tau"),
    [
        (Mode.INT8, "MatMulInteger", 0.9),
        (Mode.INT8_BLOCK, "MatMulNBits", 0.9),
        (Mode.INT8_STATIC, "DequantizeLinear", 0.8),
        (Mode.FP16, "Cast", 0.98),
    ],
)
def test_every_mode_keeps_the_order_and_says_what_it_lost(
    exported: Path, tmp_path: Path, mode: Mode, mark: str, least_tau: float
) -> None:
    given = CALIBRATION if mode is Mode.INT8_STATIC else []
    found = quantise_model(exported, tmp_path / "out", mode, calibration=given)
    assert mark in _operators(tmp_path / "out")
    assert found == read_report(tmp_path / "out")
    assert found["parity"]["tau"] >= least_tau
    assert found["parity"]["max_difference"] > 0
    assert found["bytes"] == (tmp_path / "out" / "model.onnx").stat().st_size
    small, whole = CrossEncoder(tmp_path / "out"), CrossEncoder(exported)
    differences = np.abs(small.score(CALIBRATION) - whole.score(CALIBRATION))
    assert differences.max() == pytest.approx(found["parity"]["max_difference"], abs=0.5)


def test_attention_products_stay_in_float(exported: Path, tmp_path: Path) -> None:
    quantise_model(exported, tmp_path / "out", Mode.INT8)
    weights = {each.name for each in onnx.load(exported / "model.onnx").graph.initializer}
    nodes = onnx.load(exported / "model.onnx").graph.node
    free = [n for n in nodes if n.op_type == "MatMul" and not weights & set(n.input)]
    assert len(free) >= 4  # scores and values of two layers
    assert _operators(tmp_path / "out").count("MatMul") == len(free)


def test_block_int8_scores_a_pair_the_same_in_any_company(exported: Path, tmp_path: Path) -> None:
    quantise_model(exported, tmp_path / "out", Mode.INT8_BLOCK)
    scorer = CrossEncoder(tmp_path / "out")
    together = scorer.score(CALIBRATION)
    alone = np.concatenate([scorer.score([pair]) for pair in CALIBRATION])
    np.testing.assert_allclose(alone, together, atol=2e-5)


def test_int8_word_vectors_stay_within_half_a_step(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table = (rng.standard_normal((2000, 16)) * rng.uniform(0.01, 9, (2000, 1))).astype(np.float32)
    table[3] = 0
    model = _lookup(table)
    assert int8_rows(onnx, model) == 1
    assert [each.name for each in model.graph.initializer] == ["table.codes", "table.scales"]
    found = _run(model, np.arange(2000))
    steps = np.abs(table).max(axis=1, keepdims=True) / 127
    assert (np.abs(found - table) <= steps / 2 + 1e-6).all()
    assert not found[3].any()


def test_small_tables_and_tables_in_other_use_keep_their_floats() -> None:
    small = _lookup(np.ones((10, 16), np.float32))
    assert int8_rows(onnx, small) == 0
    tied = _lookup(np.ones((2000, 16), np.float32))
    tied.graph.node.append(onnx.helper.make_node("MatMul", ["out", "table"], ["logits"]))
    assert int8_rows(onnx, tied) == 1
    assert "table" in [each.name for each in tied.graph.initializer]


def _lookup(table: Any) -> Any:
    helper, kinds = onnx.helper, onnx.TensorProto
    rows = helper.make_tensor_value_info("rows", kinds.INT64, ["n"])
    out = helper.make_tensor_value_info("out", kinds.FLOAT, ["n", table.shape[1]])
    node = helper.make_node("Gather", ["table", "rows"], ["out"])
    weights = [onnx.numpy_helper.from_array(table, "table")]
    graph = helper.make_graph([node], "lookup", [rows], [out], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _run(model: Any, rows: Any) -> Any:
    import onnxruntime as ort

    session = ort.InferenceSession(model.SerializeToString())
    return session.run(None, {"rows": rows.astype(np.int64)})[0]


def test_options_change_the_content_and_are_recorded(exported: Path, tmp_path: Path) -> None:
    plain = quantise_model(exported, tmp_path / "a", Mode.INT8)
    seven = quantise_model(exported, tmp_path / "b", Mode.INT8, Options(seven_bit=True))
    assert plain["options"] != seven["options"]
    assert content_hash(tmp_path / "a") != content_hash(tmp_path / "b")


def test_what_cannot_be_done_says_what_to_do(exported: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="use the torch backend"):
        quantise_model(exported, tmp_path / "out", Mode.BF16)
    with pytest.raises(BadInput, match="texts to calibrate int8-static on wanted"):
        quantise_model(exported, tmp_path / "out", Mode.INT8_STATIC)
    with pytest.raises(ModelError, match="already there"):
        quantise_model(exported, exported, Mode.INT8)
    assert not list(tmp_path.iterdir())
    quantise_model(exported, tmp_path / "int8", Mode.INT8)
    with pytest.raises(ModelError, match="quantised already"):
        quantise_model(tmp_path / "int8", tmp_path / "again", Mode.INT8_BLOCK)
