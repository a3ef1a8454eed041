"""Writes ranx.json: what ranx 0.3 makes of three small runs, by every method that we share.

python -m venv /tmp/ranx && /tmp/ranx/bin/pip install ranx
/tmp/ranx/bin/python tests/golden/make_ranx.py tests/golden/ranx.json
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

METHODS = {
    "sum": "sum", "mnz": "mnz", "anz": "anz", "max": "max", "min": "min", "med": "med",
    "isr": "isr", "log_isr": "log_isr", "logn_isr": "logn_isr", "bordafuse": "bordafuse",
}  # fmt: skip
NORMS = ("min-max", "max", "sum", "zmuv", "rank")


def runs() -> list[dict[str, dict[str, float]]]:
    """Three runs of five queries; every score of a query is another one."""
    rng = random.Random(7)
    made: list[dict[str, dict[str, float]]] = []
    for low, high in ((0, 25), (0.2, 0.9), (-8, 4)):
        run = {}
        for query in range(5):
            docs = rng.sample(range(12), rng.randint(2, 9))
            scores = rng.sample([low + (high - low) * i / 64 for i in range(65)], len(docs))
            run[f"q{query}"] = {f"d{doc}": score for doc, score in zip(docs, scores, strict=True)}
        made.append(run)
    return made


def main() -> None:
    """Writes the file."""
    from ranx import Run, fuse  # type: ignore[import-not-found]
    from ranx.normalization import (  # type: ignore[import-not-found]
        max_norm,
        min_max_norm,
        rank_norm,
        sum_norm,
        zmuv_norm,
    )

    given = runs()

    def fused(method: str, norm: str | None, params: dict[str, Any]) -> dict[str, Any]:
        found = fuse([Run(run) for run in given], norm=norm, method=method, params=params)
        return {query: dict(docs) for query, docs in found.to_dict().items()}

    norms = dict(zip(NORMS, (min_max_norm, max_norm, sum_norm, zmuv_norm, rank_norm), strict=True))
    out = {
        "runs": given,
        "norms": {name: norm(Run(given[0])).to_dict() for name, norm in norms.items()},
        "fused": {
            **{name: fused(method, "min-max", {}) for name, method in METHODS.items()},
            "rrf": fused("rrf", None, {"k": 60}),
            "wsum": fused("wsum", "min-max", {"weights": (0.2, 0.3, 0.5)}),
        },
    }
    Path(sys.argv[1]).write_text(json.dumps(out, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
