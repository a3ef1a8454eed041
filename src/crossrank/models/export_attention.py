"""ONNX graphs that also give out their attention, made from graphs that do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from crossrank.errors import ModelError
from crossrank.extras import require

ATTENTIONS = "attentions"


def with_attention_outputs(path: Path) -> bytes:
    """The graph in `path` with one more output, `attentions`: float32 [layers, b, heads, s, s].

    Row i of a head says how position i spreads its attention. Works for any graph whose attention
    is made of Softmax operators with four axes: our own, exported, and dynamically quantised ones.
    Needs the package onnx. Raises ModelError for a graph whose attention is fused away.
    """
    onnx = require("onnx", extra="export")
    helper = onnx.helper
    model = onnx.load(str(path))
    found = _attention_nodes(onnx, model)
    if not found:
        raise ModelError(
            f"{path}: Softmax operators over [batch, heads, from, to] wanted, found none: "
            "an optimised graph hides them, take the graph from before optimisation"
        )
    graph = model.graph
    graph.initializer.append(
        onnx.numpy_helper.from_array(np.array([0], np.int64), "attentions.axis")
    )
    for name in found:
        graph.node.append(
            helper.make_node("Unsqueeze", [name, "attentions.axis"], [f"{name}.layer"])
        )
    layers = [f"{name}.layer" for name in found]
    graph.node.append(helper.make_node("Concat", layers, [ATTENTIONS], axis=0))
    shape = [len(found), "batch", None, "sequence", "sequence"]
    kind = onnx.TensorProto.FLOAT
    graph.output.append(helper.make_tensor_value_info(ATTENTIONS, kind, shape))
    return bytes(model.SerializeToString())


def _attention_nodes(onnx: Any, model: Any) -> list[str]:
    """The outputs of the Softmax operators with four axes, in order of computation."""
    shapes = onnx.shape_inference.infer_shapes(model).graph
    ranks = {
        value.name: len(value.type.tensor_type.shape.dim)
        for value in (*shapes.value_info, *shapes.output)
        if value.type.tensor_type.HasField("shape")
    }
    softmax = [node.output[0] for node in model.graph.node if node.op_type == "Softmax"]
    used = {name for node in model.graph.node if node.op_type == "MatMul" for name in node.input}
    return [name for name in softmax if ranks.get(name, 4 if name in used else 0) == 4]
