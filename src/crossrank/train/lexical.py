"""How rare the pieces of a vocabulary are, and the view of a gated cross-encoder that weighs by it.

A cross-encoder trained for minutes has no notion of rare words. Inverse document frequencies
(Spaerck Jones 1972), counted once over many texts, give it one: the best match of every query piece
counts as much as the piece is rare, one float16 a piece in the graph. Nothing is trained for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

from crossrank.errors import BadInput
from crossrank.train.e5file import Floats
from crossrank.train.gated_graph import rare_view, weigh_views
from crossrank.train.graph import _Graph

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_BATCH = 1000


@dataclass(frozen=True)
class Frequencies:
    """In how many of `documents` texts each piece occurs: int64 [words]."""

    counts: npt.NDArray[np.int64]
    documents: int


def piece_frequencies(tokenizer: Tokenizer, texts: Iterable[str]) -> Frequencies:
    """The document frequencies of all pieces, special tokens not counted."""
    counts = np.zeros(tokenizer.get_vocab_size(), np.int64)
    documents = 0
    rest = iter(texts)
    while batch := list(islice(rest, _BATCH)):
        for each in tokenizer.encode_batch_fast(batch, add_special_tokens=False):
            counts[np.unique(np.array(each.ids, np.int64))] += 1
        documents += len(batch)
    return Frequencies(counts, documents)


def rarity(languages: Sequence[Frequencies], specials: Sequence[int]) -> Floats:
    """log(1 / share of the texts with the piece): float32 [words], 0 for special tokens.

    The share is the largest of all languages, so that the `die` of German articles is common
    although it is rare in English.
    """
    if not languages:
        raise BadInput("frequencies of one language or more wanted, got none")
    shares = [(each.counts + 0.5) / (each.documents + 1) for each in languages]
    found: Floats = np.maximum(-np.log(np.max(shares, axis=0)), 0.0).astype(np.float32)
    found[list(specials)] = 0.0
    return found


def with_rare_view(
    model: onnx.ModelProto, table: Floats, weights: Floats, opening: int
) -> onnx.ModelProto:
    """The gated cross-encoder with the fourth view, and these weights of all four.

    `model` may be quantised; nothing of it changes but how its views are weighed. A model that has
    the view gets it anew. `opening`: tokens at the start of a query that are not its own.
    """
    made = {name for node in model.graph.node for name in node.output}
    needed = {"query", "places.own", "top.best", "cosine", "matches.sum", "head"}
    if missing := needed - made:
        raise BadInput(f"a gated cross-encoder wanted, the graph has no {sorted(missing)}")
    graph = _Graph()
    rare_view(graph, table, opening)
    graph.op("Identity", [weigh_views(graph, weights)], "logits")
    out = onnx.ModelProto()
    out.CopyFrom(model)
    kept = [node for node in model.graph.node if not _of_views(node.output[0])]
    _replace(out.graph.node, [*kept, *graph.nodes])
    used = {name for node in out.graph.node for name in node.input}
    constants = {each.name: each for each in model.graph.initializer}
    constants |= {name: each for name, each in graph.constants.items() if name not in constants}
    constants |= {name: graph.constants[name] for name in ("views.weight", "rare.table")}
    _replace(out.graph.initializer, [each for name, each in constants.items() if name in used])
    _replace(
        out.graph.value_info, [each for each in model.graph.value_info if not _of_views(each.name)]
    )
    onnx.checker.check_model(out)
    return out


def view_table(model: onnx.ModelProto) -> Floats:
    """The rarity of every piece in a model that has the view: float32 [words]."""
    for each in model.graph.initializer:
        if each.name == "rare.table":
            table: Floats = numpy_helper.to_array(each).astype(np.float32)
            return table
    raise BadInput("a model with the view of rare pieces wanted, it has none")


def _of_views(name: str) -> bool:
    """Whether a node's output belongs to the views' weighing or the fourth view."""
    return name in ("logit", "logits") or name.split(".")[0] in ("views", "rare")


def _replace(field: object, values: list[object]) -> None:
    """The values of a repeated field."""
    del field[:]  # type: ignore[attr-defined]
    field.extend(values)  # type: ignore[attr-defined]
