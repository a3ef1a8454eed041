"""Two stages of re-ranking against one: quality, and time beside each other in one run.

python bench/cascade.py --data DATA [--set dl21|scifact] [--depth 100] [--heads 10,20,50]
    [--tokens N] [--every N] [--timed 8] [--rounds 5] [--json FILE]

The candidates are BM25's. `tiny` and `small` re-rank all of them, `small N` the first N; `blend`
counts crossrank-tiny half beside BM25; `tiny, small N` and `blend, small N` let those choose the N
that crossrank-small re-ranks. p is that of a paired
randomisation test against `small`. Times: every way scores the candidates of some queries in turn,
the median of the rounds as a share of that of `small`.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from crossrank import Ranking
from crossrank.evaluate import parse_measure
from crossrank.evaluate.compare import compare_scores
from crossrank.evaluate.scores import evaluate
from crossrank.io.beir import read_beir
from crossrank.models import CrossEncoder
from crossrank.rerank import CachedScorer, Rerank
from crossrank.types import Scorer
from shipped import given_dl21, lexical, of

Way = Callable[[Ranking], Ranking]

AGAINST = "small"


def candidates(data: Path, name: str, every: int) -> tuple[Ranking, Ranking]:
    """BM25's first 100 of each query, and the judgements."""
    part = slice(None, None, every)
    if name == "dl21":
        given, qrels = given_dl21(data)
        given = given.select(part)
    else:
        dataset = read_beir(data / name, "test")
        given, qrels = lexical(dataset.search.select(part), "en"), dataset.qrels
    return given, of(qrels, given.queries)


def ways(tiny: Scorer, small: Scorer, depth: int, heads: list[int]) -> dict[str, Way]:
    """What is compared."""
    sifts: dict[str, Way] = {
        "tiny": Rerank(tiny, depth=depth),
        "blend": Rerank(tiny, depth=depth, weight=0.5),
    }

    def then(first: Way, n: int) -> Way:
        second = Rerank(small, depth=n)
        return lambda given: second(first(given))

    found: dict[str, Way] = {**sifts, AGAINST: Rerank(small, depth=depth)}
    for n in heads:
        found[f"small {n}"] = Rerank(small, depth=n)
        found |= {f"{name}, small {n}": then(sift, n) for name, sift in sifts.items()}
    return found


def times(compared: dict[str, Way], given: Ranking, rounds: int) -> dict[str, float]:
    """The median seconds of each way over these queries."""
    found: dict[str, list[float]] = {name: [] for name in compared}
    for _ in range(rounds):
        for name, way in compared.items():
            start = time.perf_counter()
            way(given)
            found[name].append(time.perf_counter() - start)
    return {name: float(np.median(taken)) for name, taken in found.items()}


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--set", choices=("dl21", "scifact"), default="dl21")
    parser.add_argument("--depth", type=int, default=100)
    parser.add_argument("--heads", default="10,20,50")
    parser.add_argument("--tokens", type=int, default=0, help="read of a pair; 0: all")
    parser.add_argument("--every", type=int, default=1, help="only each so manyth query")
    parser.add_argument("--timed", type=int, default=8, help="queries that are timed")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    heads = [int(each) for each in given.heads.split(",")]
    tiny = CrossEncoder("crossrank-tiny", max_length=given.tokens)
    small = CrossEncoder("crossrank-small", max_length=given.tokens)
    run, qrels = candidates(given.data, given.set, given.every)
    measure = parse_measure("nDCG@10")
    kept = ways(CachedScorer(tiny), CachedScorer(small), given.depth, heads)
    scores = {"bm25": evaluate(run, qrels, [measure])}
    scores |= {name: evaluate(way(run), qrels, [measure]) for name, way in kept.items()}
    others = [name for name in scores if name != AGAINST]
    pairs = compare_scores(scores, [(name, AGAINST) for name in others]).pairs
    p_of = {name: pair.p.randomisation for name, pair in zip(others, pairs, strict=True)}
    timed = ways(tiny, small, given.depth, heads)
    taken = times(timed, run.select(slice(given.timed)), given.rounds)
    rows = []
    print(f"{given.set}, {len(run.queries.ids)} queries, the first {given.depth} of BM25")
    print(f"{'':16}{'nDCG@10':>8}{'p':>8}{'time':>7}")
    for name, each in scores.items():
        value, p = each.mean(measure), p_of.get(name)
        share = taken[name] / taken[AGAINST] if name in taken else None
        rows.append({"way": name, "nDCG@10": value, "p": p, "time": share})
        said = ("" if p is None else f"{p:.4f}"), ("" if share is None else f"{share:.2f}")
        print(f"{name:16}{value:8.4f}{said[0]:>8}{said[1]:>7}")
    if given.json:
        given.json.write_text(json.dumps({"set": given.set, "rows": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
