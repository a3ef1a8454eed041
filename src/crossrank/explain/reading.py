"""Reads the attention of a cross-encoder off its graph, as it runs: see `attention`."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from crossrank.errors import ModelError
from crossrank.explain.attention import SPECIAL, Attention, Token
from crossrank.models.export_attention import ATTENTIONS, with_attention_outputs
from crossrank.models.files import ModelFiles
from crossrank.models.loaded import Loaded, load
from crossrank.models.pairs import Joiner
from crossrank.models.settings import Kind
from crossrank.models.template import pair_template
from crossrank.models.wire import is_output_of_a_node, with_outputs

_OURS: Final = "layer.{}.attention"
# Cosines between token states that the head of a shipped cross-encoder reads.
_VIEWS: Final = {"low.cosine": "between the texts alone", "top.cosine": "in the last layer"}


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
    session, views = _session(loaded.files)
    names = [each.name for each in session.get_outputs()]
    found = dict(zip(names, session.run(None, _feed(session, feed_ids, types)), strict=True))
    weights = np.stack([np.asarray(each, np.float32)[0] for each in _layers(found)])
    cosines = {_VIEWS[name]: np.asarray(found[name][0], np.float32) for name in views}
    tokens = _tokens(loaded, template, sides, (query, document), joiner, feed_ids)
    return Attention(tokens, weights, cosines)


def _layers(found: dict[str, Any]) -> list[Any]:
    """The attention of every layer, each [b, heads, s, s]."""
    if ATTENTIONS in found:
        return list(found[ATTENTIONS])
    layers = iter(_OURS.format(number) for number in range(len(found)))
    return [found[name] for name in layers if name in found]


@lru_cache(maxsize=4)
def _session(files: ModelFiles) -> tuple[Any, list[str]]:
    """A session that gives the attention of every layer, and the views it gives besides."""
    import onnxruntime as ort

    content = files.content()
    names: list[str] = []
    while is_output_of_a_node(content, _OURS.format(len(names))):
        names.append(_OURS.format(len(names)))
    views = [name for name in _VIEWS if is_output_of_a_node(content, name)]
    made = with_outputs(content, names) if names else with_attention_outputs(files.graph)
    made = with_outputs(made, views, axes=3) if views else made
    options = ort.SessionOptions()
    options.log_severity_level = 3
    try:
        session = ort.InferenceSession(made, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the library raises classes of its own
        raise ModelError(f"{files.folder}: its attention cannot be read: {error}") from error
    return session, views


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
