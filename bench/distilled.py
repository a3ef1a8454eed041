"""What distilling gave a bi-encoder: its start and its end on judged sets, paired tests.

python bench/distilled.py --data DATA --start DIR [--end NAME] [--set dl21 ...] [--json FILE]

DIR is the bi-encoder before (`recipes/ship.py --model start`), NAME the one after. dl21: the given
BM25 top 100 of TREC DL 2021 by cosine. All other sets (the tests of SciFact and XQuAD, cisi,
vaswani): all documents searched exactly. p: two-sided randomisation test over queries.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from crossrank import Ranking
from crossrank.evaluate import parse_measure
from crossrank.evaluate.compare import compare_scores
from crossrank.evaluate.scores import evaluate
from crossrank.io.beir import read_beir
from crossrank.models import BiEncoder
from shipped import by_cosine, given_dl21, nearest

SETS = {
    "dl21": "nDCG@10",
    "scifact": "nDCG@10",
    "xquad-de": "RR@10",
    "xquad-en": "RR@10",
    "cisi": "nDCG@10",
    "vaswani": "nDCG@10",
}


Encoders = dict[str, BiEncoder]


def ranked(data: Path, name: str, encoders: Encoders) -> tuple[dict[str, Ranking], Ranking]:
    """A set ranked by each bi-encoder, and its judgements."""
    if name == "dl21":
        given, qrels = given_dl21(data)
        return {which: by_cosine(given, each) for which, each in encoders.items()}, qrels
    dataset = read_beir(data / name, "test")
    found = {which: nearest(dataset.search, each, 100) for which, each in encoders.items()}
    return found, dataset.qrels


def main() -> None:
    """Prints one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--start", required=True)
    parser.add_argument("--end", default="crossrank-embed")
    parser.add_argument("--set", action="append", choices=list(SETS), dest="sets")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    encoders = {"start": BiEncoder(given.start), "end": BiEncoder(given.end)}
    rows = []
    print(f"{'set':10} {'measure':8} {'start':>7} {'end':>7}  {'p':>7}")
    for name in given.sets or SETS:
        measure = parse_measure(SETS[name])
        found, qrels = ranked(given.data, name, encoders)
        scores = {which: evaluate(each, qrels, [measure]) for which, each in found.items()}
        means = {which: each.mean(measure) for which, each in scores.items()}
        p = compare_scores(scores, [("end", "start")]).pairs[0].p.randomisation
        rows.append({"set": name, "measure": SETS[name], **means, "p": p})
        print(
            f"{name:10} {SETS[name]:8} {means['start']:7.4f} {means['end']:7.4f}  {p:7.4f}",
            flush=True,
        )
    if given.json:
        given.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
