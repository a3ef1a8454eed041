"""The settings of a model: what it reads, how much of it, and what its outputs mean."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from crossrank.errors import ModelError
from crossrank.types import Scale

DEFAULT_LENGTH: Final = 512
UNKNOWN: Final = 1 << 30  # as a number of positions


class Kind(StrEnum):
    """What a model reads: two texts at once, or one."""

    CROSS = "cross-encoder"
    BI = "bi-encoder"


@dataclass(frozen=True, slots=True)
class Settings:
    """All that a directory says beside its graph and its tokenizer.

    `kind` is None where nothing says it. `positions` is the most tokens the graph can take,
    `max_length` what the model is meant for. `labels` are the names of the outputs. `activation`
    is what sentence-transformers' `predict` would apply: the name of a torch class, "" for none
    stated. `scale` is None where only the number of outputs can tell. `cumulative`: output k is
    the logit of `grade > k`. `lender` names the bundled model whose weights the graph
    borrows, `lender_digest` is the SHA-256 of that model's graph.
    """

    kind: Kind | None = None
    positions: int = UNKNOWN
    max_length: int = DEFAULT_LENGTH
    pad: int | None = None
    labels: tuple[str, ...] = ()
    scale: Scale | None = None
    cumulative: bool = False
    activation: str = ""
    pooling: tuple[str, ...] = ("mean",)
    normalise: bool = True
    query_prompt: str = ""
    document_prompt: str = ""
    languages: tuple[str, ...] = ()
    licence: str = ""
    lender: str = field(default="", repr=False)  # no part of a model's hash: what is lent is
    lender_digest: str = field(default="", repr=False)


def read_json(path: Path) -> Mapping[str, Any]:
    """The JSON object in `path`, empty where there is no such file."""
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"a JSON file wanted, {path} is not: {error}") from error
    if not isinstance(found, dict):
        raise ModelError(f"a JSON object wanted in {path}, got {type(found).__name__}")
    return found
