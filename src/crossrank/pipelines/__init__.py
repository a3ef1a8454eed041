"""Pipelines as data: named ones, and those read from a small TOML file."""

from crossrank.pipelines.named import NAMED, named
from crossrank.pipelines.spec import (
    All,
    Bm25,
    Cutoff,
    Dense,
    Fusion,
    Learned,
    PipelineSpec,
    Reranker,
    StageSpec,
)
from crossrank.pipelines.toml import dump, load, parse

__all__ = [
    "NAMED",
    "All",
    "Bm25",
    "Cutoff",
    "Dense",
    "Fusion",
    "Learned",
    "PipelineSpec",
    "Reranker",
    "StageSpec",
    "dump",
    "load",
    "named",
    "parse",
]
