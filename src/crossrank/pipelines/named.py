"""The pipelines that have a name: what `--pipeline full` means."""

from __future__ import annotations

from typing import Final

from crossrank.errors import NotFound
from crossrank.pipelines.spec import All, Bm25, Conditioned, Dense, Fusion, PipelineSpec, Reranker

SHARE: Final = 0.7
"""The weight of the bundled cross-encoder in `full`, beside the fused first stage: chosen on judged
sets that are no test sets of it (bench/weight.py). Over BM25 alone it decides by itself."""

_HYBRID: Final = Fusion(of=(Bm25(depth=100), Dense(depth=100)), depth=100)

NAMED: Final[dict[str, PipelineSpec]] = {
    "bm25": PipelineSpec((Bm25(),), "bm25"),
    "dense": PipelineSpec((Dense(),), "dense"),
    "hybrid": PipelineSpec((_HYBRID,), "hybrid"),
    "rerank": PipelineSpec((Bm25(), Reranker()), "rerank"),
    "full": PipelineSpec((_HYBRID, Reranker(weight=SHARE), Conditioned()), "full"),
    "cross": PipelineSpec((All(), Reranker(depth=2**31 - 1)), "cross"),
}


def named(name: str) -> PipelineSpec:
    """The pipeline called `name`. Raises NotFound with the names there are."""
    if name not in NAMED:
        raise NotFound(
            f"no pipeline is called {name!r}: use one of {', '.join(NAMED)}, or a .toml file"
        )
    return NAMED[name]
