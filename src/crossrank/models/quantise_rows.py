"""Parts of a graph that need care: word vectors as int8 rows, and positions that stay exact."""

from __future__ import annotations

from typing import Any

import numpy as np

_SMALLEST = 64 * 1024  # bytes; position and type tables are not worth it


def int8_rows(onnx: Any, model: Any) -> int:
    """Replaces, in place, each Gather of rows of a large float table; the number replaced.

    row = int8 codes * scale, scale = largest magnitude of the row / 127.
    """
    tables = {each.name: each for each in model.graph.initializer if _large(onnx, each)}
    nodes: list[Any] = []
    done: set[str] = set()
    for node in model.graph.node:
        if node.op_type == "Gather" and node.input[0] in tables and _axis(node) == 0:
            nodes.extend(_nodes(onnx, node))
            done.add(node.input[0])
        else:
            nodes.append(node)
    used_elsewhere = {name for node in nodes for name in node.input}
    for name in done:
        _store(onnx, model, tables[name], keep=name in used_elsewhere)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return len(done)


def _large(onnx: Any, table: Any) -> bool:
    real = table.data_type == onnx.TensorProto.FLOAT
    return real and len(table.dims) == 2 and 4 * table.dims[0] * table.dims[1] >= _SMALLEST


def _axis(node: Any) -> int:
    return next((int(each.i) for each in node.attribute if each.name == "axis"), 0)


def _nodes(onnx: Any, node: Any) -> list[Any]:
    table, rows, out = node.input[0], node.input[1], node.output[0]
    make = onnx.helper.make_node
    return [
        make("Gather", [f"{table}.codes", rows], [f"{out}.codes"], axis=0),
        make("Cast", [f"{out}.codes"], [f"{out}.real"], to=onnx.TensorProto.FLOAT),
        make("Gather", [f"{table}.scales", rows], [f"{out}.scales"], axis=0),
        make("Mul", [f"{out}.real", f"{out}.scales"], [out]),
    ]


def _store(onnx: Any, model: Any, table: Any, keep: bool) -> None:
    values = onnx.numpy_helper.to_array(table)
    scales = np.abs(values).max(axis=1, keepdims=True) / np.float32(127)
    codes = np.rint(values / np.where(scales == 0, 1, scales)).astype(np.int8)
    if not keep:
        model.graph.initializer.remove(table)
    for name, part in (("codes", codes), ("scales", scales.astype(np.float32))):
        made = onnx.numpy_helper.from_array(part, f"{table.name}.{name}")
        model.graph.initializer.append(made)


def indexing_nodes(onnx: Any, model: Any) -> list[str]:
    """The names of the nodes that compute integers by way of floats, such as DeBERTa's buckets.

    In half precision they would point to wrong rows. Nodes without a name are given one.
    """
    makers = {name: node for node in model.graph.node for name in node.output}
    for at, node in enumerate(model.graph.node):
        node.name = node.name or f"node.{at}"
    found: dict[str, None] = {}
    queue = [node for node in model.graph.node if _to_integer(onnx, node)]
    while queue:
        node = queue.pop()
        if node.name not in found and node.op_type != "Shape":  # its input's values do not matter
            found[node.name] = None
            queue.extend(makers[name] for name in node.input if name in makers)
    return list(found)


def _to_integer(onnx: Any, node: Any) -> bool:
    integers = (onnx.TensorProto.INT64, onnx.TensorProto.INT32)
    return node.op_type == "Cast" and any(
        each.name == "to" and each.i in integers for each in node.attribute
    )
