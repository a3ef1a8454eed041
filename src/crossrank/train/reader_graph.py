"""Adds a reader (train.reader) to the graph of a gated cross-encoder, quantised or not."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from onnx import TensorProto, helper

from crossrank.errors import BadInput
from crossrank.train.e5file import Floats
from crossrank.train.gated_graph import PairNodes, joint_mask, layer_nodes, pair_nodes
from crossrank.train.graph import _OPSET, _Graph
from crossrank.train.reader import START

STATE = f"layer.{START - 1}.out"
"""What the reader starts from, in the graph of the cross-encoder."""

_LOGIT = "reader.logit"
_GATED = "logit"


def reader_graph(tensors: Mapping[str, Floats], heads: int, eps: float) -> onnx.ModelProto:
    """The reader alone: input `STATE` [b, s, hidden] beside the usual ones; output [b, 1]."""
    graph = _Graph()
    pair = pair_nodes(graph)
    marks = graph.constant("reader.marks", tensors["marks"])
    picked = graph.op("Gather", [marks, _marked(graph, pair)], "reader.picked", axis=0)
    state = graph.op("Add", [STATE, picked], "reader.state")
    for layer, gates in enumerate(tensors["gates"]):
        bias = joint_mask(graph, gates, f"reader.gates.{layer}", pair)
        named = f"layers.{layer}", f"reader.{layer}"
        state = layer_nodes(graph, tensors, named, state, bias, heads, eps)
    zero = graph.constant("int.0", np.array(0, np.int64))
    first = graph.op("Gather", [state, zero], "reader.first", axis=1)
    wide = graph.op("Unsqueeze", [pair.query, graph.shape(2)], "reader.asked_wide")
    kept = graph.op("Mul", [state, wide], "reader.asked_kept")
    total = graph.op("ReduceSum", [kept, graph.shape(1)], "reader.asked_total", keepdims=0)
    count = graph.op("ReduceSum", [pair.query, graph.shape(1)], "reader.asked_count", keepdims=1)
    asked = graph.op("Div", [total, count], "reader.asked")
    both = graph.op("Concat", [first, asked], "reader.both", axis=-1)
    pooled = graph.dense(both, tensors["pool.weight"], tensors["pool.bias"], "reader.pooled")
    active = graph.op("Gelu", [pooled], "reader.active")
    graph.dense(active, tensors["head.weight"], tensors["head.bias"], _LOGIT)
    hidden = tensors["marks"].shape[1]
    axes = ["batch", "sequence"]
    inputs = [
        helper.make_tensor_value_info(each, TensorProto.INT64, axes)
        for each in ("input_ids", "attention_mask", "token_type_ids")
    ]
    inputs.append(helper.make_tensor_value_info(STATE, TensorProto.FLOAT, [*axes, hidden]))
    output = helper.make_tensor_value_info(_LOGIT, TensorProto.FLOAT, ["batch", 1])
    constants = list(graph.constants.values())
    built = helper.make_graph(graph.nodes, "reader", inputs, [output], constants)
    model = helper.make_model(built, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=9)
    onnx.checker.check_model(model)
    return model


def _marked(graph: _Graph, pair: PairNodes) -> str:
    """Which mark each token gets: 2 * its segment + whether the other segment has its piece."""
    rows = graph.op("Unsqueeze", ["input_ids", graph.shape(2)], "reader.ids_rows")
    columns = graph.op("Unsqueeze", ["input_ids", graph.shape(1)], "reader.ids_columns")
    same = graph.op("Equal", [rows, columns], "reader.same")
    equal = graph.op("Cast", [same], "reader.equal", to=TensorProto.FLOAT)
    across = graph.op("Squeeze", [pair.across, graph.shape(1)], "reader.across")
    elsewhere = graph.op("Mul", [equal, across], "reader.elsewhere")
    there = graph.op("Unsqueeze", ["real", graph.shape(1)], "reader.there")
    found = graph.op("Mul", [elsewhere, there], "reader.found")
    any_of = graph.op("ReduceMax", [found, graph.shape(-1)], "reader.any", keepdims=0)
    shared = graph.op("Mul", [any_of, "real"], "reader.shared")
    twice = graph.op("Mul", ["kind", graph.number(2.0)], "reader.twice")
    total = graph.op("Add", [twice, shared], "reader.mark")
    return graph.op("Cast", [total], "reader.mark_index", to=TensorProto.INT64)


def with_reader(
    model: onnx.ModelProto, reader: onnx.ModelProto, weights: tuple[float, float]
) -> onnx.ModelProto:
    """The gated cross-encoder whose logit is weights[0] times its own plus weights[1] times the
    reader's.

    Either may be quantised. All that `model` has stays as it is; a reader that it has is replaced.
    Raises BadInput for another kind of graph.
    """
    kept = [node for node in model.graph.node if not _of_reader(node.output[0])]
    made = {name for node in kept for name in node.output}
    if missing := {STATE, _GATED} - made:
        raise BadInput(f"a gated cross-encoder wanted, the graph has no {sorted(missing)}")
    out = onnx.ModelProto()
    out.CopyFrom(model)
    graph = _Graph()
    scale = [
        graph.constant(f"reader.weight.{i}", np.array(w, np.float32)) for i, w in enumerate(weights)
    ]
    parts = [
        graph.op("Mul", [name, by], f"reader.weighed.{i}")
        for i, (name, by) in enumerate(zip((_GATED, _LOGIT), scale, strict=True))
    ]
    graph.op("Identity", [graph.op("Add", parts, "reader.total")], "logits")
    new = [node for node in reader.graph.node if not made & set(node.output)]
    _replace(out.graph.node, [*kept, *new, *graph.nodes])
    constants = {x.name: x for x in model.graph.initializer if not x.name.startswith("reader.")}
    for each in (*reader.graph.initializer, *graph.constants.values()):
        constants.setdefault(each.name, each)
    used = {name for node in out.graph.node for name in node.input}
    _replace(out.graph.initializer, [each for name, each in constants.items() if name in used])
    _replace(out.graph.value_info, [x for x in model.graph.value_info if not _of_reader(x.name)])
    known = {each.domain for each in out.opset_import}
    out.opset_import.extend(x for x in reader.opset_import if x.domain not in known)
    onnx.checker.check_model(out)
    return out


def _of_reader(name: str) -> bool:
    return name == "logits" or name.startswith("reader.")


def _replace(field: object, values: list[object]) -> None:
    """The values of a repeated field."""
    del field[:]  # type: ignore[attr-defined]
    field.extend(values)  # type: ignore[attr-defined]
