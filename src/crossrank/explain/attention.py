"""The attention a cross-encoder pays between query and document, by layer and head.

Attention says where a model looked, not why the score is what it is (Jain and Wallace 2019): read
it beside the attributions. The graph is run as it is, with its attention made an output.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from crossrank.errors import ModelError
from crossrank.explain.wire import is_output_of_a_node, with_outputs
from crossrank.models.export_attention import with_attention_outputs
from crossrank.models.loaded import Loaded, load
from crossrank.models.pairs import Joiner
from crossrank.models.settings import Kind
from crossrank.models.template import pair_template
from crossrank.types import Floats

SPECIAL: Final = -1
_OURS: Final = "layer.{}.attention"


@dataclass(frozen=True, slots=True)
class Token:
    """A token the model read: `text[start:end]` of the query (side 0) or document (side 1), or a
    special token (side -1), whose `piece` is its name."""

    piece: str
    side: int
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Meeting:
    """A query token and a document token that look at each other, and how much: token indices."""

    query: int
    document: int
    weight: float


@dataclass(frozen=True, slots=True)
class Attention:
    """Attention of one pair: weights float32 [layers, heads, tokens, tokens], rows sum to 1."""

    tokens: tuple[Token, ...]
    weights: Floats

    def places(self, side: int) -> npt.NDArray[np.intp]:
        """Where the tokens of the query (0) or the document (1) are."""
        return np.array([i for i, token in enumerate(self.tokens) if token.side == side], np.intp)

    def between(self) -> Floats:
        """float32 [layers, heads, query tokens, document tokens]: the mean of the attention a
        query token pays to a document token and of that paid back."""
        query, document = self.places(0), self.places(1)
        there = self.weights[:, :, query[:, None], document]
        back = self.weights[:, :, document[:, None], query].transpose(0, 1, 3, 2)
        mean: Floats = (there + back) / np.float32(2)
        return mean

    def averaged(self) -> Floats:
        """float32 [query tokens, document tokens]: `between` over all layers and heads."""
        mean: Floats = self.between().mean(axis=(0, 1))
        return mean

    def meetings(self, count: int = 10) -> tuple[Meeting, ...]:
        """The pairs of query and document tokens that met most, on the average of all heads."""
        met = self.averaged()
        query, document = self.places(0), self.places(1)
        order = np.argsort(-met, axis=None, kind="stable")[:count]
        rows, columns = np.unravel_index(order, met.shape)
        return tuple(
            Meeting(int(query[r]), int(document[c]), float(met[r, c]))
            for r, c in zip(rows, columns, strict=True)
        )


def read_attention(model: str | Path, query: str, document: str) -> Attention:
    """The attention of a cross-encoder over (query, document), as much of it as the model reads.

    `model` is a directory, a bundled name or a hub id. Our own graphs need nothing more; others
    are rewritten once with the package onnx (extra `export`). Raises ModelError for a graph whose
    attention is fused away.
    """
    loaded = load(model, Kind.CROSS)
    template = pair_template(loaded.tokenizer)
    joiner = Joiner(template, loaded.files.settings.max_length)
    sides = [loaded.tokenizer.encode(text, add_special_tokens=False) for text in (query, document)]
    ids = [np.array(each.ids, np.int32) for each in sides]
    joined = joiner.join(ids[:1], ids[1:])
    feed_ids, types = joined.batch.ids, joined.batch.types
    session, names = _session(loaded.files.graph, loaded.files.folder)
    found = session.run(names, _feed(session, feed_ids, types))
    weights = np.stack([np.asarray(each, np.float32)[0] for each in _layers(found)])
    return Attention(_tokens(loaded, template, sides, (query, document), joiner, feed_ids), weights)


def _layers(found: list[Any]) -> list[Any]:
    return list(found[0]) if len(found) == 1 and np.ndim(found[0]) == 5 else found


@lru_cache(maxsize=4)
def _session(graph: Path, folder: Path) -> tuple[Any, list[str]]:
    """A session that gives the attention of every layer, and the names of those outputs."""
    import onnxruntime as ort

    content = graph.read_bytes()
    names: list[str] = []
    while is_output_of_a_node(content, _OURS.format(len(names))):
        names.append(_OURS.format(len(names)))
    if names:
        made = with_outputs(content, names)
    else:
        made, names = with_attention_outputs(graph), ["attentions"]
    options = ort.SessionOptions()
    options.log_severity_level = 3
    try:
        session = ort.InferenceSession(made, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the library raises classes of its own
        raise ModelError(f"{folder}: its attention cannot be read: {error}") from error
    return session, names


def _feed(session: Any, ids: npt.NDArray[np.int32], types: npt.NDArray[np.int32]) -> dict[str, Any]:
    made: dict[str, npt.NDArray[Any]] = {
        "input_ids": ids,
        "attention_mask": np.ones_like(ids),
        "token_type_ids": types,
        "position_ids": np.arange(len(ids)),
    }
    kinds = {each.name: each.type for each in session.get_inputs()}
    return {
        name: made[name][None].astype(np.int32 if "int32" in kind else np.int64)
        for name, kind in kinds.items()
    }


def _tokens(
    loaded: Loaded,
    template: Any,
    sides: list[Any],
    texts: tuple[str, str],
    joiner: Joiner,
    ids: npt.NDArray[np.int32],
) -> tuple[Token, ...]:
    """The tokens of the joined input, each with its place in its text."""
    room = joiner.room
    query = min(len(sides[0].ids), max(int(room * joiner.query_share), room - len(sides[1].ids)))
    lengths = (query, min(len(sides[1].ids), room - query))
    found: list[Token] = []
    for part in template.parts:
        if part.text < 0:
            found += [Token(loaded.tokenizer.id_to_token(i) or "", SPECIAL) for i in part.ids]
            continue
        text = texts[part.text]
        for start, end in sides[part.text].offsets[: lengths[part.text]]:
            found.append(Token(text[start:end], part.text, start, end))
    if len(found) != len(ids):
        raise ModelError(f"{len(ids)} tokens wanted, the tokenizer tells of {len(found)}")
    return tuple(found)
