"""What a model directory says about itself in its JSON files.

Later sources win: transformers' config.json and tokenizer_config.json, then the files of
sentence-transformers, then our own crossrank.json. No code from a directory is ever run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from crossrank.errors import ModelError
from crossrank.models.sbert import transformer_folder, with_sentence_transformers
from crossrank.models.settings import DEFAULT_LENGTH, UNKNOWN, Kind, Settings, read_json
from crossrank.types import Scale

OURS: Final = "crossrank.json"
# Families that number positions from pad_token_id + 1, so that two of them are never used.
_OFFSET_POSITIONS: Final = frozenset(
    {"roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "mpnet", "longformer", "ibert"}
    | {"roberta-prelayernorm", "xmod", "data2vec-text"}
)


def read_settings(folder: Path) -> Settings:
    """The settings of the model in `folder`. Raises ModelError for files that are not JSON."""
    found = _with_transformers(transformer_folder(folder), Settings())
    found = with_sentence_transformers(folder, found)
    found = _with_ours(folder, found)
    return replace(found, max_length=min(found.max_length, found.positions))


def _with_transformers(folder: Path, settings: Settings) -> Settings:
    config = read_json(folder / "config.json")
    tokens = read_json(folder / "tokenizer_config.json")
    positions = _positions(config)
    stated = tokens.get("model_max_length", UNKNOWN)
    length = int(min(stated, positions, UNKNOWN))
    names = config.get("id2label") or {}
    pad = config.get("pad_token_id")
    return replace(
        settings,
        kind=_kind(config),
        positions=positions,
        max_length=length if length < UNKNOWN else DEFAULT_LENGTH,
        pad=int(pad) if isinstance(pad, int) else None,
        labels=tuple(str(names[key]) for key in sorted(names, key=int)),
        scale=Scale.REGRESSION if config.get("problem_type") == "regression" else None,
    )


def _positions(config: Mapping[str, Any]) -> int:
    count = config.get("max_position_embeddings")
    if not isinstance(count, int) or count <= 0:
        return UNKNOWN
    if config.get("model_type") in _OFFSET_POSITIONS:
        return count - int(config.get("pad_token_id", 1)) - 1
    return count


def _kind(config: Mapping[str, Any]) -> Kind | None:
    names = config.get("architectures") or []
    if not names:
        return None
    return Kind.CROSS if str(names[0]).endswith("ForSequenceClassification") else Kind.BI


def _with_ours(folder: Path, settings: Settings) -> Settings:
    own = read_json(folder / OURS)
    if not own:
        return settings
    prompts = own.get("prompts") or {}
    borrowed = own.get("borrows") or {}
    pooling = own.get("pooling", settings.pooling)
    scale = own.get("scale", settings.scale)
    length = int(own.get("max_length", settings.max_length))
    known = settings.positions < UNKNOWN
    return replace(
        settings,
        positions=settings.positions if known else int(own.get("positions", length)),
        kind=_one_of(Kind, own.get("kind", settings.kind), folder),
        scale=_one_of(Scale, scale, folder),
        cumulative=own.get("link") == "cumulative" or settings.cumulative,
        max_length=length,
        labels=tuple(map(str, own.get("labels", settings.labels))),
        activation=str(own.get("activation", settings.activation)),
        pooling=(pooling,) if isinstance(pooling, str) else tuple(pooling),
        normalise=bool(own.get("normalise", settings.normalise)),
        query_prompt=str(prompts.get("query", settings.query_prompt)),
        document_prompt=str(prompts.get("document", settings.document_prompt)),
        languages=tuple(map(str, own.get("languages", ()))),
        licence=str(own.get("licence", "")),
        lender=str(borrowed.get("model", "")),
        lender_digest=str(borrowed.get("sha256", "")),
    )


def _one_of(enum: Any, value: object, folder: Path) -> Any:
    if value is None:
        return None
    try:
        return enum(value)
    except ValueError:
        known = ", ".join(enum)
        raise ModelError(f"{folder / OURS}: one of {known} wanted, got {value!r}") from None
