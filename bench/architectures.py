"""Bi-encoder, poly-encoder, late interaction and cross-encoder on the same candidates.

python bench/architectures.py --data DATA [--queries N] [--depth K] [--model NAME] [--encoder NAME]

scifact     BM25's best of SciFact test, nDCG@10
dl21        the given BM25 run of TREC DL 2021, nDCG@10
xquad-de    BM25's best of XQuAD German, MRR@10
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from crossrank import Ranking
from crossrank.evaluate import parse_measure
from crossrank.io.beir import read_beir
from crossrank.retrieve import MemoryBM25
from crossrank.tasks.architectures import compare, models
from shipped import given_dl21

SETS = {"scifact": "nDCG@10", "dl21": "nDCG@10", "xquad-de": "RR@10"}


def candidates(data: Path, name: str, queries: int, depth: int) -> tuple[Ranking, Ranking]:
    """The candidates of the first queries of a set, and their qrels."""
    part = slice(0, queries)
    if name == "dl21":
        given, qrels = given_dl21(data)
        return given.top(depth).select(part), qrels.select(part)
    dataset = read_beir(data / name)
    search = dataset.search.select(part)
    bm25 = MemoryBM25.learned(search.corpus, "de" if name.endswith("de") else "en", depth)
    return bm25(search), dataset.qrels.select(part)


def main() -> None:
    """Prints one table a set."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--set", nargs="+", default=list(SETS))
    parser.add_argument("--queries", type=int, default=50)
    parser.add_argument("--depth", type=int, default=50, help="candidates of a query")
    parser.add_argument("--model", default="crossrank-small")
    parser.add_argument("--encoder", default="crossrank-embed")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    scorer, encoder, tokens = models(given.model, given.encoder)
    found = {}
    for name in given.set:
        run, qrels = candidates(given.data, name, given.queries, given.depth)
        rows = compare(run, qrels, parse_measure(SETS[name]), scorer, encoder, tokens)
        found[name] = [row.as_dict() for row in rows]
        print(f"{name}, {len(run.queries)} queries, {len(run.docs)} pairs")
        print(f"  {'':18}{SETS[name]:>9}{'ms/pair':>9}{'ms/doc':>9}{'bytes/doc':>11}  precomputed")
        for row in rows:
            print(
                f"  {row.name:18}{row.score:9.4f}{row.ms_a_pair:9.3f}{row.ms_a_document:9.2f}"
                f"{row.bytes_a_document:11,.0f}  {row.precomputed}"
            )
    if given.json:
        given.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
