"""What bench/weight.py and bench/depth.py share: one setting of `Rerank` swept over judged sets.

dl21 (the given BM25 run), scifact (train claims, most of them taught to the shipped models),
vaswani, cisi; none of them is a test set of the shipped models. `rerank` reads BM25's first
documents, `full` those of BM25 and bi-encoder fused.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
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
from crossrank.types import Scorer
from shipped import by_cosine, given_dl21, lexical, nearest

MEASURE = nDCG @ 10
SETS = ("dl21", "scifact", "vaswani", "cisi")
PIPELINES = ("rerank", "full")
First = dict[str, Ranking]
Made = Callable[[str, Scorer, float], Rerank]
"""The stage for a pipeline and a value of the setting."""


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


def options(about: str | None) -> argparse.ArgumentParser:
    """The options of every sweep."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--set", action="append", choices=SETS, dest="sets")
    parser.add_argument("--cross", default="crossrank-small")
    parser.add_argument("--embed", default="crossrank-embed")
    parser.add_argument("--queries", type=int, default=100, help="the first of every set")
    parser.add_argument("--tokens", type=int, default=192, help="read of a pair or text")
    parser.add_argument("--json", type=Path)
    return parser


def sweep(
    given: argparse.Namespace, setting: str, values: Sequence[float], against: float, made: Made
) -> None:
    """Prints a table for each pipeline; 0: the candidates as they come."""
    scorer = CachedScorer(CrossEncoder(given.cross, max_length=given.tokens))
    encoder = BiEncoder(given.embed, max_length=given.tokens)
    found: dict[tuple[str, float], dict[str, np.ndarray]] = {}
    names = given.sets or SETS
    for name in names:
        stages, qrels = first_stages(given.data, name, encoder, given.queries)
        for pipeline, candidates in stages.items():
            for value in values:
                run = made(pipeline, scorer, value)(candidates) if value else candidates
                scores = evaluate(run, qrels, [MEASURE])
                asked = [query in run.queries.ids for query in scores.queries]
                found.setdefault((pipeline, value), {})[name] = scores.of(MEASURE)[asked]
        print(f"{name}: {sum(asked)} queries", flush=True)
    rows: list[dict[str, Any]] = []
    for pipeline in PIPELINES:
        print(f"{pipeline:8}" + "".join(f"{name:>9}" for name in names) + "     mean        p")
        base = np.concatenate(list(found[pipeline, against].values()))
        for value in values:
            each = found[pipeline, value]
            means = {name: float(np.mean(of_set)) for name, of_set in each.items()}
            difference = np.concatenate(list(each.values())) - base
            p = float(np.ravel(randomisation(difference[None, :]))[0])
            mean = float(np.mean(list(means.values())))
            rows.append({"pipeline": pipeline, setting: value, **means, "mean": mean, "p": p})
            cells = "".join(f"{of_set:9.4f}" for of_set in means.values())
            print(f"{value:<8}{cells}{mean:9.4f}{p_text(p):>9}", flush=True)
    if given.json:
        given.json.write_text(json.dumps(rows, indent=2) + "\n")
