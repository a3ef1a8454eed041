"""How many candidates the cross-encoder should read: nDCG@10 by the depth of `Rerank`.

python bench/depth.py --data DATA [--set NAME ...] [--cross NAME] [--embed NAME] [--queries N]
    [--tokens N] [--json FILE]

Sets as in bench/weight.py, none of them a test set of the shipped models. `rerank` reads BM25's
first documents and decides alone, `full` those of BM25 and bi-encoder fused, blended with that as
the pipeline `full` does. The time of a query grows with the depth. p: two-sided randomisation test
over the queries of all sets against the greatest depth.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from crossrank.evaluate import evaluate
from crossrank.evaluate.report.comparison import p_text
from crossrank.evaluate.significance import randomisation
from crossrank.models import BiEncoder, CrossEncoder
from crossrank.pipelines.named import SHARE
from crossrank.rerank import CachedScorer, Rerank
from weight import MEASURE, SETS, first_stages

DEPTHS = (0, 10, 20, 30, 50, 100)
WEIGHTS = {"rerank": 1.0, "full": SHARE}


def main() -> None:
    """Prints a table for each pipeline."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--set", action="append", choices=SETS, dest="sets")
    parser.add_argument("--cross", default="crossrank-small")
    parser.add_argument("--embed", default="crossrank-embed")
    parser.add_argument("--queries", type=int, default=100, help="the first of every set")
    parser.add_argument("--tokens", type=int, default=192, help="read of a pair or text")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    scorer = CachedScorer(CrossEncoder(given.cross, max_length=given.tokens))
    encoder = BiEncoder(given.embed, max_length=given.tokens)
    found: dict[tuple[str, int], dict[str, np.ndarray]] = {}
    names = given.sets or SETS
    for name in names:
        stages, qrels = first_stages(given.data, name, encoder, given.queries)
        for pipeline, candidates in stages.items():
            for depth in DEPTHS:
                stage = Rerank(scorer, max(depth, 1), WEIGHTS[pipeline])
                run = stage(candidates) if depth else candidates
                scores = evaluate(run, qrels, [MEASURE])
                asked = [query in run.queries.ids for query in scores.queries]
                found.setdefault((pipeline, depth), {})[name] = scores.of(MEASURE)[asked]
        print(f"{name}: {sum(asked)} queries", flush=True)
    rows: list[dict[str, Any]] = []
    for pipeline in WEIGHTS:
        print(f"{pipeline:8}" + "".join(f"{name:>9}" for name in names) + "     mean        p")
        deepest = np.concatenate(list(found[pipeline, DEPTHS[-1]].values()))
        for depth in DEPTHS:
            each = found[pipeline, depth]
            means = {name: float(np.mean(values)) for name, values in each.items()}
            difference = np.concatenate(list(each.values())) - deepest
            p = float(np.ravel(randomisation(difference[None, :]))[0])
            mean = float(np.mean(list(means.values())))
            rows.append({"pipeline": pipeline, "depth": depth, **means, "mean": mean, "p": p})
            cells = "".join(f"{value:9.4f}" for value in means.values())
            print(f"{depth:<8}{cells}{mean:9.4f}{p_text(p):>9}", flush=True)
    if given.json:
        given.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
