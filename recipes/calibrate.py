"""Fits the calibrations that ship in the cross-encoder's crossrank.json.

python recipes/calibrate.py --data DATA --model DIR [--embed DIR] [--limit 1000]

relevance  TREC DL 2021, judged passages among the BM25 top 100: grade 2 and 3 against 0 and 1
answer     WikiQA dev: questions with an answer among their sentences, against those without
duplicate  MSRP train, and STS-b German train: similarity 4 and more against less than 3
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from pools import rows

from crossrank import Search
from crossrank.io.beir import judged_queries, read_beir_corpus, read_beir_queries
from crossrank.io.trec import read_candidates, read_qrels
from crossrank.models import BiEncoder, CrossEncoder
from crossrank.tasks.calibrating import calibrate_answers, calibrate_relevance
from crossrank.tasks.duplicates import calibrate_duplicates
from crossrank.tasks.labelled import LabelledPairs, read_pairs
from crossrank.tasks.saved import Purpose, write_calibration

Pair = tuple[str, str, float, str]  # two texts, their label, and the group they belong to


def relevance(data: Path) -> Iterator[Pair]:
    """Judged passages of TREC DL 2021."""
    folder = data / "msmarco-dl21-22"
    qrels = read_qrels(folder / "qrels/dl21.tsv")
    search = Search(
        judged_queries(read_beir_queries(folder), qrels, folder), read_beir_corpus(folder)
    )
    given = read_candidates(folder / "runs/dl21.bm25.trec", search).top(100)
    for i, (name, query) in enumerate(zip(given.queries.ids, given.queries.texts, strict=True)):
        docs = given.query(i)[0]
        known, values = qrels.query(qrels.queries.ids.index(name))
        grades = dict(zip(qrels.corpus.ids(known), values.tolist(), strict=True))
        for document, text in zip(given.corpus.ids(docs), given.corpus.texts(docs), strict=True):
            if document in grades:
                yield query, text, float(grades[document] >= 2), name


def duplicates(data: Path) -> Iterator[Pair]:
    """Paraphrases in English and German, in turn."""
    english = rows(data / "msrp/train.jsonl.gz")
    german = (r for r in rows(data / "stsb-de/train.jsonl.gz") if not 3 <= r["score"] < 4)
    for one, other in zip(english, german, strict=False):
        for row, least in ((one, 1), (other, 4)):
            left = row["text_a"]
            yield left, row["text_b"], float(row["score"] >= least), left


def labelled(pairs: Iterator[Pair]) -> LabelledPairs:
    """The pairs as columns."""
    left, right, labels, groups = zip(*pairs, strict=True)
    return LabelledPairs(left, right, np.array(labels), groups)


def main() -> None:
    """Fits and saves all three."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--embed", default="crossrank-embed")
    parser.add_argument("--limit", type=int, default=1000)
    given = parser.parse_args()
    scorer = CrossEncoder(given.model)
    pairs = labelled(relevance(given.data)).some(given.limit)
    relevant = calibrate_relevance(scorer, pairs, ("platt",), "msmarco-dl21")
    save(given.model, "relevance", relevant.as_dict())
    pairs = read_pairs(given.data / "wikiqa/dev.jsonl.gz").some(given.limit)
    answered = calibrate_answers(scorer, pairs, ("platt",), "wikiqa/dev")
    save(given.model, "answer", answered.as_dict())
    pairs = labelled(duplicates(given.data)).some(given.limit)
    decision = calibrate_duplicates(pairs, scorer, BiEncoder(given.embed), "msrp, stsb-de/train")
    save(given.model, "duplicate", decision.as_dict())


def save(model: Path, purpose: Purpose, report: dict[str, Any]) -> None:
    """Keeps the curve, prints the errors."""
    write_calibration(model, purpose, report["calibration"])
    print(purpose, json.dumps({k: v for k, v in report.items() if k != "calibration"}))


if __name__ == "__main__":
    main()
