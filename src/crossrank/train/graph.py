"""Writes a BERT encoder as a plain ONNX graph, straight from its tensors.

Compared with a traced export the graph is a third of the nodes, has predictable names
(`layer.3.attention` are the attention probabilities), one matrix product for query, key and value
(so dynamic quantisation scales their common input once), and can keep the word embeddings as the
4-bit blocks they came as: 216 bytes a row instead of 1536, unpacked exactly for the rows in use.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from crossrank.errors import BadInput
from crossrank.train.e5file import Floats

_BLOCK = 32
_OPSET = 20
_WORDS = "embeddings.word_embeddings.weight"


@dataclass(frozen=True)
class PackedRows:
    """A matrix as Q4_0 blocks: uint8 [rows, columns / 2] and float16 scales [rows, blocks]."""

    nibbles: npt.NDArray[np.uint8]
    scales: npt.NDArray[np.float16]

    def unpack(self) -> Floats:
        """float32 [rows, columns], exactly what the graph computes."""
        rows, blocks = self.scales.shape
        packed = self.nibbles.reshape(rows, blocks, _BLOCK // 2)
        values = np.concatenate([packed & 0x0F, packed >> 4], axis=2).astype(np.float32) - 8.0
        return (values * self.scales.astype(np.float32)[:, :, None]).reshape(rows, -1)


def pack_rows(matrix: Floats) -> PackedRows:
    """The Q4_0 blocks nearest to `matrix`; exact when it was dequantised from such blocks."""
    blocks = matrix.reshape(matrix.shape[0], -1, _BLOCK)
    where = np.abs(blocks).argmax(axis=2)[:, :, None]
    extreme = np.take_along_axis(blocks, where, axis=2)
    best_error = np.full(extreme.shape, np.inf)
    codes = np.zeros(blocks.shape, np.uint8)
    scales = np.zeros(extreme.shape, np.float16)
    for steps in (-8.0, -7.0, 7.0):
        scale = (extreme / steps).astype(np.float16)
        step = scale.astype(np.float32)
        safe = np.where(step == 0.0, 1.0, step)
        code = np.clip(np.rint(blocks / safe) + 8.0, 0, 15)
        error = np.square((code - 8.0) * step - blocks).sum(axis=2, keepdims=True)
        better = error < best_error
        codes = np.where(better, code, codes).astype(np.uint8)
        scales = np.where(better, scale, scales)
        best_error = np.minimum(error, best_error)
    packed = (codes[:, :, :16] | (codes[:, :, 16:] << 4)).astype(np.uint8)
    return PackedRows(packed.reshape(len(matrix), -1), scales[:, :, 0])


@dataclass
class _Graph:
    """Nodes and constants under construction; every method returns the name of its output."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: dict[str, onnx.TensorProto] = field(default_factory=dict)

    def constant(self, name: str, value: npt.NDArray[np.generic]) -> str:
        self.constants.setdefault(name, numpy_helper.from_array(np.asarray(value, order="C"), name))
        return name

    def op(self, kind: str, inputs: list[str], output: str, **attributes: object) -> str:
        node = helper.make_node(kind, inputs, [output], name=f"{output}/{kind}", **attributes)
        self.nodes.append(node)
        return output

    def shape(self, *values: int) -> str:
        return self.constant("shape." + "_".join(map(str, values)), np.array(values, np.int64))

    def number(self, value: float) -> str:
        return self.constant(f"number.{value:g}", np.array(value, np.float32))

    def dense(self, inputs: str, weight: Floats, bias: Floats, output: str) -> str:
        matrix = self.constant(f"{output}.weight", weight.T)
        product = self.op("MatMul", [inputs, matrix], f"{output}.product")
        return self.op("Add", [product, self.constant(f"{output}.bias", bias)], output)

    def split(self, inputs: str, outputs: list[str], size: int, name: str) -> None:
        """Cuts axis 1 into equal parts of `size`."""
        sizes = self.shape(*([size] * len(outputs)))
        self.nodes.append(helper.make_node("Split", [inputs, sizes], outputs, name=name, axis=1))

    def norm(self, inputs: str, weight: Floats, bias: Floats, eps: float, output: str) -> str:
        scale = self.constant(f"{output}.weight", weight)
        shift = self.constant(f"{output}.bias", bias)
        return self.op("LayerNormalization", [inputs, scale, shift], output, axis=-1, epsilon=eps)


def bert_graph(
    tensors: Mapping[str, Floats],
    heads: int,
    eps: float,
    packed: PackedRows | None = None,
) -> onnx.ModelProto:
    """The encoder as a model with inputs input_ids, attention_mask, token_type_ids (int64 [b, s]).

    Output: `logits` [b, labels] when the tensors hold a pooler and a classifier (names without the
    `bert.` prefix), else `last_hidden_state` [b, s, hidden]. `packed` replaces the word embeddings.
    """
    graph = _Graph()
    state = _embed(graph, tensors, eps, packed)
    mask = _mask(graph)
    layer = 0
    while f"encoder.layer.{layer}.output.dense.weight" in tensors:
        state = _layer(graph, tensors, layer, state, mask, heads, eps)
        layer += 1
    if layer == 0:
        raise BadInput("wanted the tensors of a BERT encoder, found no encoder layer")
    hidden = tensors["embeddings.LayerNorm.weight"].shape[0]
    if "classifier.weight" not in tensors:
        return _model(graph, state, "last_hidden_state", ["batch", "sequence", hidden])
    logits = _head(graph, tensors, state)
    return _model(graph, logits, "logits", ["batch", int(tensors["classifier.weight"].shape[0])])


def _embed(
    graph: _Graph, tensors: Mapping[str, Floats], eps: float, packed: PackedRows | None
) -> str:
    if packed is None:
        table = graph.constant("words", tensors[_WORDS])
        words = graph.op("Gather", [table, "input_ids"], "embeddings.words")
    else:
        words = _unpacked(graph, packed)
    length = graph.op("Shape", ["input_ids"], "length", start=1, end=2)
    place = graph.constant("positions", tensors["embeddings.position_embeddings.weight"])
    places = graph.op("Slice", [place, graph.shape(0), length, graph.shape(0)], "places")
    kinds = graph.constant("types", tensors["embeddings.token_type_embeddings.weight"])
    kind = graph.op("Gather", [kinds, "token_type_ids"], "embeddings.types")
    both = graph.op("Add", [words, kind], "embeddings.words_types")
    total = graph.op("Add", [both, places], "embeddings.sum")
    weight = tensors["embeddings.LayerNorm.weight"]
    return graph.norm(total, weight, tensors["embeddings.LayerNorm.bias"], eps, "embeddings")


def _unpacked(graph: _Graph, packed: PackedRows) -> str:
    rows, blocks = packed.scales.shape
    grid = packed.nibbles.reshape(rows, blocks, _BLOCK // 2)
    table = graph.constant("words.nibbles", grid)
    nibbles = graph.op("Gather", [table, "input_ids"], "words.rows")
    mask = graph.constant("words.mask", np.array(15, np.uint8))
    shift = graph.constant("words.shift", np.array(4, np.uint8))
    low = graph.op("BitwiseAnd", [nibbles, mask], "words.low")
    high = graph.op("BitShift", [nibbles, shift], "words.high", direction="RIGHT")
    codes = graph.op("Concat", [low, high], "words.codes", axis=3)
    real = graph.op("Cast", [codes], "words.real", to=TensorProto.FLOAT)
    centred = graph.op("Sub", [real, graph.number(8.0)], "words.centred")
    scales = graph.constant("words.scales", packed.scales[:, :, None])
    picked = graph.op("Gather", [scales, "input_ids"], "words.picked")
    wide = graph.op("Cast", [picked], "words.wide", to=TensorProto.FLOAT)
    scaled = graph.op("Mul", [centred, wide], "words.scaled")
    return graph.op("Reshape", [scaled, graph.shape(0, 0, -1)], "embeddings.words")


def _mask(graph: _Graph) -> str:
    real = graph.op("Cast", ["attention_mask"], "mask.real", to=TensorProto.FLOAT)
    closed = graph.op("Sub", [graph.number(1.0), real], "mask.closed")
    far = graph.op("Mul", [closed, graph.number(-1e4)], "mask.far")
    return graph.op("Unsqueeze", [far, graph.shape(1, 2)], "mask")


def _layer(
    graph: _Graph,
    tensors: Mapping[str, Floats],
    layer: int,
    state: str,
    mask: str,
    heads: int,
    eps: float,
) -> str:
    own, prefix = f"layer.{layer}", f"encoder.layer.{layer}."

    def pair(part: str) -> tuple[Floats, Floats]:
        return tensors[f"{prefix}{part}.weight"], tensors[f"{prefix}{part}.bias"]

    mixed = _attend(
        graph,
        [pair(f"attention.self.{p}") for p in ("query", "key", "value")],
        state,
        mask,
        heads,
        own,
    )
    out = graph.dense(mixed, *pair("attention.output.dense"), f"{own}.mixed")
    added = graph.op("Add", [out, state], f"{own}.mixed_sum")
    middle = graph.norm(added, *pair("attention.output.LayerNorm"), eps, f"{own}.middle")
    wide = graph.dense(middle, *pair("intermediate.dense"), f"{own}.wide")
    active = graph.op("Gelu", [wide], f"{own}.active")
    narrow = graph.dense(active, *pair("output.dense"), f"{own}.narrow")
    total = graph.op("Add", [narrow, middle], f"{own}.narrow_sum")
    return graph.norm(total, *pair("output.LayerNorm"), eps, f"{own}.out")


def _attend(
    graph: _Graph,
    parts: list[tuple[Floats, Floats]],
    state: str,
    mask: str,
    heads: int,
    own: str,
) -> str:
    hidden = parts[0][0].shape[0]
    size = hidden // heads
    weight = np.concatenate([w for w, _ in parts])
    bias = np.concatenate([b for _, b in parts])
    joined = graph.dense(state, weight, bias, f"{own}.qkv")
    grid = graph.op("Reshape", [joined, graph.shape(0, 0, 3 * heads, size)], f"{own}.qkv_heads")
    turned = graph.op("Transpose", [grid], f"{own}.qkv_turned", perm=[0, 2, 1, 3])
    names = [f"{own}.{part}" for part in ("query", "key", "value")]
    graph.split(turned, names, heads, f"{own}.split")
    keys = graph.op("Transpose", [names[1]], f"{own}.keys", perm=[0, 1, 3, 2])
    scores = graph.op("MatMul", [names[0], keys], f"{own}.scores")
    scaled = graph.op("Mul", [scores, graph.number(size**-0.5)], f"{own}.scaled")
    masked = graph.op("Add", [scaled, mask], f"{own}.masked")
    shares = graph.op("Softmax", [masked], f"{own}.attention", axis=-1)
    mixed = graph.op("MatMul", [shares, names[2]], f"{own}.mixed_heads")
    back = graph.op("Transpose", [mixed], f"{own}.mixed_turned", perm=[0, 2, 1, 3])
    return graph.op("Reshape", [back, graph.shape(0, 0, hidden)], f"{own}.mixed_in")


def _head(graph: _Graph, tensors: Mapping[str, Floats], state: str) -> str:
    first = graph.op(
        "Gather", [state, graph.constant("zero", np.array(0, np.int64))], "first", axis=1
    )
    pooled = graph.dense(
        first, tensors["pooler.dense.weight"], tensors["pooler.dense.bias"], "pooled"
    )
    active = graph.op("Tanh", [pooled], "pooled.active")
    return graph.dense(active, tensors["classifier.weight"], tensors["classifier.bias"], "head")


def _model(graph: _Graph, last: str, name: str, shape: list[str | int]) -> onnx.ModelProto:
    graph.op("Identity", [last], name)
    inputs = [
        helper.make_tensor_value_info(each, TensorProto.INT64, ["batch", "sequence"])
        for each in ("input_ids", "attention_mask", "token_type_ids")
    ]
    output = helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    built = helper.make_graph(graph.nodes, "bert", inputs, [output], list(graph.constants.values()))
    model = helper.make_model(built, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=9)
    model.producer_name = "crossrank"
    onnx.checker.check_model(model)
    return model
