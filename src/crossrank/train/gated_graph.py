"""Writes a gated cross-encoder (train.gated) as a plain ONNX graph, from its tensors alone.

Inputs input_ids, attention_mask, token_type_ids (int64 [b, s]); output `logits` [b, 1]. Attention
probabilities are named `layer.N.attention`, as in the graphs of train.graph.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto

from crossrank.train.e5file import Floats
from crossrank.train.gated import CENTRE, CLOSED, TRACE
from crossrank.train.graph import PackedRows, _Graph, _model, _unpacked


@dataclass(frozen=True)
class _Pair:
    """Names of what every layer needs: masks of both segments and the attention biases."""

    query: str
    document: str
    side: str
    across: str
    padding: str
    separate: str


def gated_graph(
    tensors: Mapping[str, Floats],
    split: int,
    heads: int,
    eps: float,
    packed: PackedRows | None,
    opening: int = 0,
) -> onnx.ModelProto:
    """The whole model; `tensors` are those of `Encoder` and `Gated` under their own names.

    Layers are `layers.N.*` for all N, the head `gates`, `views`, `pool.*`, `head.*`, and
    `embeddings.*`. `packed` replaces the word embeddings. `layers.N.PART.smooth` [inputs], where it
    is there, divides the inputs of that product and multiplies its weights (SmoothQuant, Xiao et
    al. 2023): the result is the same, and int8 loses less of it. With `rarity` [words] the graph
    has a fourth view; a query's first `opening` tokens (start and prompt) do not count there.
    """
    graph = _Graph()
    pair = _pair(graph)
    state = _embed(graph, tensors, eps, packed)
    count = 1 + max(int(name.split(".")[1]) for name in tensors if name.startswith("layers."))
    low = ""
    for layer in range(count):
        if layer == split:
            low = _best_match(graph, state, pair, "low")
        bias = pair.separate if layer < split else _joint(graph, tensors, layer - split, pair)
        state = _layer(graph, tensors, layer, state, bias, heads, eps)
    _head(graph, tensors, state, pair, low)
    if "rarity" in tensors:
        rare_view(graph, tensors["rarity"], opening)
    logits = weigh_views(graph, tensors["views"])
    return _model(graph, logits, "logits", ["batch", 1])


def encoder_graph(
    tensors: Mapping[str, Floats], heads: int, eps: float, packed: PackedRows | None
) -> onnx.ModelProto:
    """The bi-encoder (train.gated.Encoder): output `last_hidden_state` [b, s, hidden]."""
    graph = _Graph()
    state = _embed(graph, tensors, eps, packed)
    real = graph.op("Cast", ["attention_mask"], "real", to=TensorProto.FLOAT)
    padding = _padding(graph, real)
    count = 1 + max(int(name.split(".")[1]) for name in tensors if name.startswith("layers."))
    for layer in range(count):
        state = _layer(graph, tensors, layer, state, padding, heads, eps)
    hidden = tensors["embeddings.norm.weight"].shape[0]
    return _model(graph, state, "last_hidden_state", ["batch", "sequence", hidden])


def _padding(graph: _Graph, real: str) -> str:
    closed = graph.op("Sub", [graph.number(1.0), real], "mask.closed")
    far = graph.op("Mul", [closed, graph.number(CLOSED)], "mask.far")
    return graph.op("Unsqueeze", [far, graph.shape(1, 2)], "mask")


def _pair(graph: _Graph) -> _Pair:
    real = graph.op("Cast", ["attention_mask"], "real", to=TensorProto.FLOAT)
    kind = graph.op("Cast", ["token_type_ids"], "kind", to=TensorProto.FLOAT)
    document = graph.op("Mul", [real, kind], "document")
    query = graph.op("Sub", [real, document], "query")
    rows = graph.op("Unsqueeze", [kind, graph.shape(1, 3)], "kind.rows")
    columns = graph.op("Unsqueeze", [kind, graph.shape(1, 2)], "kind.columns")
    apart = graph.op("Sub", [rows, columns], "kind.apart")
    across = graph.op("Abs", [apart], "across")
    padding = _padding(graph, real)
    walled = graph.op("Mul", [across, graph.number(CLOSED)], "mask.walled")
    separate = graph.op("Add", [walled, padding], "mask.separate")
    return _Pair(query, document, rows, across, padding, separate)


def _embed(
    graph: _Graph, tensors: Mapping[str, Floats], eps: float, packed: PackedRows | None
) -> str:
    if packed is None:
        table = graph.constant("words", tensors["embeddings.words.weight"])
        words = graph.op("Gather", [table, "input_ids"], "embeddings.words")
    else:
        words = _unpacked(graph, packed)
    length = graph.op("Shape", ["input_ids"], "length", start=1, end=2)
    scalar = graph.op("Squeeze", [length], "length.scalar")
    zero, one = (graph.constant(f"int.{v}", np.array(v, np.int64)) for v in (0, 1))
    places = graph.op("Range", [zero, scalar, one], "places.plain")
    first = graph.op("Sub", [one, "token_type_ids"], "places.first")
    queries = graph.op("Mul", [first, "attention_mask"], "places.queries")
    shift = graph.op("ReduceSum", [queries, graph.shape(1)], "places.shift", keepdims=1)
    moved = graph.op("Mul", ["token_type_ids", shift], "places.moved")
    own = graph.op("Sub", [places, moved], "places.own")
    table = graph.constant("positions", tensors["embeddings.places.weight"])
    place = graph.op("Gather", [table, own], "embeddings.places")
    total = graph.op("Add", [words, place], "embeddings.sum")
    weight, bias = tensors["embeddings.norm.weight"], tensors["embeddings.norm.bias"]
    return graph.norm(total, weight, bias, eps, "embeddings")


def _joint(graph: _Graph, tensors: Mapping[str, Floats], layer: int, pair: _Pair) -> str:
    gates = tensors["gates"][layer]
    ask = graph.constant(f"gates.{layer}.query", gates[:, 0].reshape(1, -1, 1, 1))
    answer = graph.constant(f"gates.{layer}.step", (gates[:, 1] - gates[:, 0]).reshape(1, -1, 1, 1))
    stepped = graph.op("Mul", [pair.side, answer], f"gates.{layer}.stepped")
    opening = graph.op("Add", [stepped, ask], f"gates.{layer}.opening")
    open_across = graph.op("Mul", [opening, pair.across], f"gates.{layer}.across")
    return graph.op("Add", [open_across, pair.padding], f"gates.{layer}.bias")


def _layer(
    graph: _Graph,
    tensors: Mapping[str, Floats],
    layer: int,
    state: str,
    bias: str,
    heads: int,
    eps: float,
) -> str:
    own = f"layer.{layer}"

    hidden = tensors[f"layers.{layer}.out.weight"].shape[0]

    def pair(part: str) -> tuple[Floats, Floats]:
        return tensors[f"layers.{layer}.{part}.weight"], tensors[f"layers.{layer}.{part}.bias"]

    def dense(inputs: str, part: str) -> str:
        name = f"layers.{layer}.{part}"
        weight, smooth = tensors[f"{name}.weight"], tensors.get(f"{name}.smooth")
        if smooth is not None:  # the same product, with the outliers of the input in the weight
            calm = graph.constant(f"{own}.{part}.calm", (1 / smooth).astype(np.float32))
            inputs = graph.op("Mul", [inputs, calm], f"{own}.{part}.calmed")
            weight = weight * smooth[None, :]
        return graph.dense(inputs, weight, tensors[f"{name}.bias"], f"{own}.{part}")

    mixed = _attend(graph, dense(state, "qkv"), hidden, bias, heads, own)
    out = dense(mixed, "mixed")
    added = graph.op("Add", [out, state], f"{own}.mixed_sum")
    middle = graph.norm(added, *pair("middle"), eps, f"{own}.middle")
    wide = dense(middle, "wide")
    active = graph.op("Gelu", [wide], f"{own}.active")
    narrow = dense(active, "narrow")
    total = graph.op("Add", [narrow, middle], f"{own}.narrow_sum")
    return graph.norm(total, *pair("out"), eps, f"{own}.out")


def _attend(graph: _Graph, joined: str, hidden: int, bias: str, heads: int, own: str) -> str:
    size = hidden // heads
    grid = graph.op("Reshape", [joined, graph.shape(0, 0, 3 * heads, size)], f"{own}.qkv_heads")
    turned = graph.op("Transpose", [grid], f"{own}.qkv_turned", perm=[0, 2, 1, 3])
    names = [f"{own}.{part}" for part in ("query", "key", "value")]
    graph.split(turned, names, heads, f"{own}.split")
    keys = graph.op("Transpose", [names[1]], f"{own}.keys", perm=[0, 1, 3, 2])
    scores = graph.op("MatMul", [names[0], keys], f"{own}.scores")
    scaled = graph.op("Mul", [scores, graph.number(size**-0.5)], f"{own}.scaled")
    masked = graph.op("Add", [scaled, bias], f"{own}.masked")
    shares = graph.op("Softmax", [masked], f"{own}.attention", axis=-1)
    mixed = graph.op("MatMul", [shares, names[2]], f"{own}.mixed_heads")
    back = graph.op("Transpose", [mixed], f"{own}.mixed_turned", perm=[0, 2, 1, 3])
    return graph.op("Reshape", [back, graph.shape(0, 0, hidden)], f"{own}.mixed_in")


def _unit(graph: _Graph, vectors: str, name: str) -> str:
    size = graph.op("ReduceL2", [vectors, graph.shape(-1)], f"{name}.size", keepdims=1)
    safe = graph.op("Max", [size, graph.number(1e-8)], f"{name}.safe")
    return graph.op("Div", [vectors, safe], f"{name}.unit")


def _best_match(graph: _Graph, state: str, pair: _Pair, name: str) -> str:
    unit = _unit(graph, state, f"{name}.tokens")
    turned = graph.op("Transpose", [unit], f"{name}.turned", perm=[0, 2, 1])
    cosine = graph.op("MatMul", [unit, turned], f"{name}.cosine")
    rest = graph.op("Sub", [graph.number(1.0), pair.document], f"{name}.rest")
    wide = graph.op("Unsqueeze", [rest, graph.shape(1)], f"{name}.rest_wide")
    away = graph.op("Mul", [wide, graph.number(4.0)], f"{name}.away")
    inside = graph.op("Sub", [cosine, away], f"{name}.inside")
    return graph.op("ReduceMax", [inside, graph.shape(-1)], f"{name}.best", keepdims=1)


def _matches(
    graph: _Graph, tensors: Mapping[str, Floats], state: str, pair: _Pair, low: str
) -> str:
    """Both matches, averaged over query tokens with the weights the state gives them: [b, 2]."""
    weights = graph.dense(state, tensors["weigh.weight"], tensors["weigh.bias"], "weigh")
    rest = graph.op("Sub", [graph.number(1.0), pair.query], "weigh.rest")
    wide = graph.op("Unsqueeze", [rest, graph.shape(2)], "weigh.rest_wide")
    away = graph.op("Mul", [wide, graph.number(CLOSED)], "weigh.away")
    masked = graph.op("Add", [weights, away], "weigh.masked")
    shares = graph.op("Softmax", [masked], "weigh.shares", axis=1)
    top = _best_match(graph, state, pair, "top")
    both = graph.op("Concat", [low, top], "matches", axis=-1)
    kept = graph.op("Mul", [both, shares], "matches.weighed")
    return graph.op("ReduceSum", [kept, graph.shape(1)], "matches.sum", keepdims=0)


def _mean(graph: _Graph, state: str, mask: str, name: str) -> str:
    wide = graph.op("Unsqueeze", [mask, graph.shape(2)], f"{name}.wide")
    kept = graph.op("Mul", [state, wide], f"{name}.kept")
    total = graph.op("ReduceSum", [kept, graph.shape(1)], f"{name}.total", keepdims=0)
    return _unit(graph, total, name)  # the length is lost anyway, so the sum does for the mean


def _head(graph: _Graph, tensors: Mapping[str, Floats], state: str, pair: _Pair, low: str) -> None:
    """`head` [b, 1], read off `[CLS]`, and the views `cosine` [b, 1] and `matches.sum` [b, 2]."""
    first = graph.op(
        "Gather", [state, graph.constant("int.0", np.array(0, np.int64))], "first", axis=1
    )
    pooled = graph.dense(first, tensors["pool.weight"], tensors["pool.bias"], "pooled")
    active = graph.op("Tanh", [pooled], "pooled.active")
    graph.dense(active, tensors["head.weight"], tensors["head.bias"], "head")
    query = _mean(graph, state, pair.query, "mean.query")
    document = _mean(graph, state, pair.document, "mean.document")
    product = graph.op("Mul", [query, document], "cosine.product")
    graph.op("ReduceSum", [product, graph.shape(-1)], "cosine", keepdims=1)
    _matches(graph, tensors, state, pair, low)


def rare_view(graph: _Graph, rarity: Floats, opening: int) -> str:
    """The view `rare` [b, 1] (train.gated.rare_match), from what every gated graph has."""
    table = graph.constant("rare.table", rarity.astype(np.float16))
    picked = graph.op("Gather", [table, "input_ids"], "rare.picked")
    pieces = graph.op("Cast", [picked], "rare.pieces", to=TensorProto.FLOAT)
    last = graph.constant("rare.opening", np.array(opening - 1, np.int64))
    later = graph.op("Greater", ["places.own", last], "rare.later")
    own = graph.op("Cast", [later], "rare.own", to=TensorProto.FLOAT)
    asked = graph.op("Mul", [own, "query"], "rare.asked")
    weights = graph.op("Mul", [pieces, asked], "rare.weights")
    wide = graph.op("Unsqueeze", [weights, graph.shape(2)], "rare.wide")
    kept = graph.op("Mul", ["top.best", wide], "rare.kept")
    found = graph.op("ReduceSum", [kept, graph.shape(1)], "rare.found", keepdims=0)
    total = graph.op("ReduceSum", [weights, graph.shape(1)], "rare.total", keepdims=1)
    over = graph.op("Add", [found, graph.number(TRACE * CENTRE)], "rare.over")
    under = graph.op("Add", [total, graph.number(TRACE)], "rare.under")
    return graph.op("Div", [over, under], "rare")


def weigh_views(graph: _Graph, weights: Floats) -> str:
    """The `logit` [b, 1] of the views by their weights, three or four; no product to quantise."""
    names = ["cosine", "matches.sum", "rare"][: len(weights) - 1]
    views = graph.op("Concat", names, "views", axis=-1)
    centred = graph.op("Sub", [views, graph.number(CENTRE)], "views.centred")
    scale = graph.constant("views.weight", weights.astype(np.float32))
    scaled = graph.op("Mul", [centred, scale], "views.scaled")
    weighed = graph.op("ReduceSum", [scaled, graph.shape(-1)], "views.weighed", keepdims=1)
    return graph.op("Add", ["head", weighed], "logit")
