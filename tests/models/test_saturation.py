"""Integer products: uint8 for int8 weights give the same numbers, where int8 would lose some."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from crossrank.models import backend_onnx
from crossrank.models.saturation import saturates
from crossrank.models.wire import int8_product, with_unsigned_weights

WEIGHTS = np.array([[127, -128, 5], [127, -128, 0], [-3, 127, 1], [0, 127, -1]] * 8, np.int8)
INPUT = np.array([[255] * 32, list(range(32))], np.uint8)
ZERO = np.array([0, 3, -7], np.int8)


def product(raw_zero: bool, read_elsewhere: bool = False) -> onnx.ModelProto:
    """INPUT, minus 7, times WEIGHTS minus ZERO, by a graph as the quantiser writes it."""
    zero = numpy_helper.from_array(ZERO, "z")
    if not raw_zero:
        zero = helper.make_tensor("z", TensorProto.INT8, [3], ZERO.tolist())
    constants = [numpy_helper.from_array(WEIGHTS, "w"), zero]
    constants.append(numpy_helper.from_array(np.array(7, np.uint8), "az"))
    nodes = [helper.make_node("MatMulInteger", ["a", "w", "az", "z"], ["y"], name="product")]
    outputs = [helper.make_tensor_value_info("y", TensorProto.INT32, [2, 3])]
    if read_elsewhere:
        nodes.append(helper.make_node("Cast", ["w"], ["wide"], to=TensorProto.FLOAT))
        outputs.append(helper.make_tensor_value_info("wide", TensorProto.FLOAT, [32, 3]))
    given = helper.make_tensor_value_info("a", TensorProto.UINT8, [2, 32])
    graph = helper.make_graph(nodes, "g", [given], outputs, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


@pytest.mark.parametrize("raw_zero", [True, False])
def test_products_of_unsigned_weights_are_exact(raw_zero: bool) -> None:
    made = with_unsigned_weights(product(raw_zero).SerializeToString())
    model = onnx.load_from_string(made)
    onnx.checker.check_model(model)
    kinds = {each.name: each.data_type for each in model.graph.initializer}
    assert kinds["w"] == kinds["z"] == TensorProto.UINT8
    (found,) = ort.InferenceSession(made).run(None, {"a": INPUT})
    expected = (INPUT.astype(int) - 7) @ (WEIGHTS.astype(int) - ZERO.astype(int))
    np.testing.assert_array_equal(found, expected)


def test_weights_that_others_read_stay_signed() -> None:
    content = product(True, read_elsewhere=True).SerializeToString()
    assert with_unsigned_weights(content) is content


def test_a_product_without_a_zero_point_stays_as_it_is() -> None:
    content = int8_product(WEIGHTS.tobytes(), (32, 3))
    onnx.checker.check_model(onnx.load_from_string(content))
    assert with_unsigned_weights(content) is content


def test_the_processor_is_tried_out() -> None:
    expected = INPUT.astype(int) @ WEIGHTS.astype(int)
    (found,) = ort.InferenceSession(int8_product(WEIGHTS.tobytes(), (32, 3))).run(
        None, {"a": INPUT}
    )
    assert (found == expected).all() == (not saturates())


@pytest.mark.parametrize("loses", [True, False])
def test_graphs_are_rewritten_only_where_products_lose(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loses: bool
) -> None:
    monkeypatch.setattr(backend_onnx, "saturates", lambda: loses)
    path = tmp_path / "model.onnx"
    onnx.save(product(True), path)
    made = backend_onnx.exact(path, path.read_bytes())
    assert (made == with_unsigned_weights(path.read_bytes())) if loses else (made is path)
    path.write_bytes(b"MatMulInteger, but no graph")
    assert backend_onnx.exact(path, path.read_bytes()) is path


def test_dequantised_weights_become_unsigned_too() -> None:
    scale = numpy_helper.from_array(np.array([0.5, 0.25, 2.0], np.float32), "s")
    constants = [numpy_helper.from_array(WEIGHTS, "w"), numpy_helper.from_array(ZERO, "z"), scale]
    node = helper.make_node("DequantizeLinear", ["w", "s", "z"], ["f"], axis=1)
    output = helper.make_tensor_value_info("f", TensorProto.FLOAT, [32, 3])
    graph = helper.make_graph([node], "g", [], [output], constants)
    opset = [helper.make_opsetid("", 13)]
    content = helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()
    made = with_unsigned_weights(content)
    kinds = {x.name: x.data_type for x in onnx.load_from_string(made).graph.initializer}
    assert kinds["w"] == kinds["z"] == TensorProto.UINT8
    (found,) = ort.InferenceSession(made).run(None, {})
    np.testing.assert_array_equal(found, (WEIGHTS.astype(float) - ZERO) * [0.5, 0.25, 2.0])
