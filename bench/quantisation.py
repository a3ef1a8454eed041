"""Every form of a model side by side: size, speed, drift, order and nDCG@10 on a judged set.

python bench/quantisation.py --data DATA --model DIR [--set xquad-en] [--depth 20] [--queries 200]
                             [--rounds 5] [--pairs 64] [--json FILE]

DIR holds weights (safetensors, needs the extra `export`) or a float32 ONNX graph. The candidates
are BM25's; calibration is done on queries that are not measured. Forms take turns within a round,
the speed is the median of the rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
from pathlib import Path

import numpy as np

from crossrank.cli.quantise import judged_candidates, print_variants
from crossrank.evaluate.variants import measure_variants
from crossrank.models.export import ensure_onnx
from crossrank.models.quantise import Mode, Options, quantise_model
from crossrank.types import Ranking

FORMS = {
    "int8 per tensor": (Mode.INT8, Options(per_channel=False)),
    "int8": (Mode.INT8, Options()),
    "int8 7 bits": (Mode.INT8, Options(seven_bit=True)),
    "int8 +embeddings": (Mode.INT8, Options(embeddings=True)),
    "int8-block": (Mode.INT8_BLOCK, Options()),
    "int8-static": (Mode.INT8_STATIC, Options()),
    "fp16": (Mode.FP16, Options()),
}


def pairs_of(candidates: Ranking, each: int) -> list[tuple[str, str]]:
    """The first `each` candidates of every query as (query, document)."""
    texts = candidates.queries.texts
    return [
        (text, document)
        for text, (rows, _) in zip(texts, candidates, strict=True)
        for document in candidates.corpus.texts(rows[:each])
    ]


def main() -> None:
    """Prints one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("CROSSRANK_DATA", ""))
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--set", default="xquad-en", dest="name")
    parser.add_argument("--language", default="en")
    parser.add_argument("--depth", type=int, default=20)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pairs", type=int, default=64, help="scored a round, for the speed")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    folder = str(Path(given.data) / given.name)
    candidates, qrels = judged_candidates(folder, "test", None, given.language, given.depth)
    measured, rest = (
        candidates.select(slice(given.queries)),
        candidates.select(slice(given.queries, given.queries + 24)),
    )
    asked = set(measured.queries.ids)
    kept = [at for at, name in enumerate(qrels.queries.ids) if name in asked]
    judged = (measured, Ranking.concat([qrels.select(slice(at, at + 1)) for at in kept]))
    source = ensure_onnx(given.model)
    sample = pairs_of(measured, 2)
    sample = [sample[i] for i in np.random.default_rng(0).permutation(len(sample))[: given.pairs]]
    with tempfile.TemporaryDirectory() as scratch:
        folders = {"fp32": source}
        for name, (mode, options) in FORMS.items():
            folders[name] = Path(scratch) / name.replace(" ", "-")
            quantise_model(source, folders[name], mode, options, pairs_of(rest, 2))
        found = measure_variants(folders, sample, judged, given.rounds)
    print(f"{given.model} on {given.name}, {len(measured.queries)} queries, {platform.machine()}")
    print_variants(found)
    if given.json:
        rows = [each.as_dict() for each in found]
        given.json.write_text(json.dumps({"set": given.name, "forms": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
