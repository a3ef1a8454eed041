"""crossrank: cross-encoder re-ranking, German and English first class, offline from the start."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from crossrank.errors import Error
from crossrank.stage import Cut, Everything, Pipeline, Stage
from crossrank.types import (
    Corpus,
    Encoder,
    MemoryCorpus,
    Queries,
    Ranking,
    Scale,
    Scorer,
    Search,
)

if TYPE_CHECKING:
    from crossrank.fuse import Fuse
    from crossrank.models import BiEncoder, CrossEncoder
    from crossrank.rerank import Rerank
    from crossrank.retrieve import BM25, Dense
    from crossrank.store import Collection

__version__ = "0.1.0"

# name -> module it lives in; loaded at first use, so that `import crossrank` stays light
_LAZY: dict[str, str] = {
    "BM25": "crossrank.retrieve",
    "BiEncoder": "crossrank.models",
    "Collection": "crossrank.store",
    "CrossEncoder": "crossrank.models",
    "Dense": "crossrank.retrieve",
    "Fuse": "crossrank.fuse",
    "Rerank": "crossrank.rerank",
}

__all__ = [
    "BM25",
    "BiEncoder",
    "Collection",
    "Corpus",
    "CrossEncoder",
    "Cut",
    "Dense",
    "Encoder",
    "Error",
    "Everything",
    "Fuse",
    "MemoryCorpus",
    "Pipeline",
    "Queries",
    "Ranking",
    "Rerank",
    "Scale",
    "Scorer",
    "Search",
    "Stage",
    "__version__",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'crossrank' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, *_LAZY})
