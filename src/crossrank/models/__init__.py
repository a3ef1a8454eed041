"""Models at run time: what a directory holds, tokens, the ONNX backend, cross- and bi-encoders."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crossrank.models.encoder import BiEncoder
    from crossrank.models.scorer import CrossEncoder
    from crossrank.models.scores import PairScores, Ranked

# name -> module; loaded at first use, so that one of them does not bring the others
_LAZY: dict[str, str] = {
    "BiEncoder": "encoder",
    "CrossEncoder": "scorer",
    "PairScores": "scores",
    "Ranked": "scores",
}

__all__ = ["BiEncoder", "CrossEncoder", "PairScores", "Ranked"]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
