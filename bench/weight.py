"""How much of the first stage to keep when re-ranking: nDCG@10 by the weight of `Rerank`.

python bench/weight.py --data DATA [--set NAME ...] [--cross NAME] [--embed NAME] [--depth N]
    [--queries N] [--tokens N] [--json FILE]

Sets: dl21 (the given BM25 run), scifact (train claims, most of them taught to the shipped models),
vaswani, cisi; none of them is a test set of the shipped models. `rerank` reads BM25's first
documents, `full` those of BM25 and bi-encoder fused; of either, `weight` is the cross-encoder's
share of the final score. p: two-sided randomisation test over the queries of all sets against
weight 1.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from crossrank import Ranking
from crossrank.evaluate import evaluate, nDCG
from crossrank.evaluate.report.comparison import p_text
from crossrank.evaluate.significance import randomisation
from crossrank.fuse import fuse
from crossrank.io.beir import read_beir
from crossrank.models import BiEncoder, CrossEncoder
from crossrank.rerank import CachedScorer, Rerank
from shipped import by_cosine, given_dl21, lexical, nearest

MEASURE = nDCG @ 10
WEIGHTS = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2)
SETS = ("dl21", "scifact", "vaswani", "cisi")
First = dict[str, Ranking]


def first_stages(data: Path, name: str, encoder: BiEncoder, count: int) -> tuple[First, Ranking]:
    """The candidates of the two pipelines, and the judgements."""
    if name == "dl21":
        given, qrels = given_dl21(data)
        words = given.select(slice(count))
        return {"rerank": words, "full": fuse([words, by_cosine(words, encoder)], "rrf")}, qrels
    dataset = read_beir(data / name, "train" if name == "scifact" else "test")
    search = dataset.search.select(slice(count))
    words, dense = lexical(search, "en"), nearest(search, encoder, 100)
    return {"rerank": words, "full": fuse([words, dense], "rrf")}, dataset.qrels


def main() -> None:
    """Prints a table for each pipeline."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--set", action="append", choices=SETS, dest="sets")
    parser.add_argument("--cross", default="crossrank-small")
    parser.add_argument("--embed", default="crossrank-embed")
    parser.add_argument("--depth", type=int, default=50)
    parser.add_argument("--queries", type=int, default=100, help="the first of every set")
    parser.add_argument("--tokens", type=int, default=192, help="read of a pair or text")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    scorer = CachedScorer(CrossEncoder(given.cross, max_length=given.tokens))
    encoder = BiEncoder(given.embed, max_length=given.tokens)
    found: dict[tuple[str, float], dict[str, np.ndarray]] = {}
    names = given.sets or SETS
    for name in names:
        stages, qrels = first_stages(given.data, name, encoder, given.queries)
        for pipeline, candidates in stages.items():
            for weight in (0.0, *WEIGHTS):
                run = Rerank(scorer, given.depth, weight)(candidates) if weight else candidates
                scores = evaluate(run, qrels, [MEASURE])
                asked = [query in run.queries.ids for query in scores.queries]
                found.setdefault((pipeline, weight), {})[name] = scores.of(MEASURE)[asked]
        print(f"{name}: {sum(asked)} queries", flush=True)
    rows: list[dict[str, Any]] = []
    for pipeline in ("rerank", "full"):
        print(f"{pipeline:8}" + "".join(f"{name:>9}" for name in names) + "     mean        p")
        alone = np.concatenate(list(found[pipeline, 1.0].values()))
        for weight in (*WEIGHTS, 0.0):
            each = found[pipeline, weight]
            means = {name: float(np.mean(values)) for name, values in each.items()}
            difference = np.concatenate(list(each.values())) - alone
            p = float(np.ravel(randomisation(difference[None, :]))[0])
            mean = float(np.mean(list(means.values())))
            rows.append({"pipeline": pipeline, "weight": weight, **means, "mean": mean, "p": p})
            cells = "".join(f"{value:9.4f}" for value in means.values())
            print(f"{weight:<8}{cells}{mean:9.4f}{p_text(p):>9}", flush=True)
    if given.json:
        given.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
