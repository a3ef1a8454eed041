"""Fits the calibrations that ship in the cross-encoder's crossrank.json.

python recipes/calibrate.py --data DATA --model DIR [--embed DIR] [--limit 1000] [--similar]

relevance  TREC DL 2021, judged passages among the BM25 top 100: grade 2 and 3 against 0 and 1
answer     WikiQA dev: questions with an answer among their sentences, against those without
duplicate  MSRP train, and STS-b German train: similarity 4 and more against less than 3

For crossrank-similar, which was trained on those, `--similar` fits duplicates alone, on the fifth
of MSRP train that was kept from it, on STS-b dev, German and English, and on offers of the contrast
domains: the same in other words or with a fact less against other ones.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from pools import rows, stsb
from similar_pairs import HELD, compared

from crossrank import Search
from crossrank.io.beir import judged_queries, read_beir_corpus, read_beir_queries
from crossrank.io.trec import read_candidates, read_qrels
from crossrank.models import BiEncoder, CrossEncoder
from crossrank.tasks.calibrating import calibrate_answers, calibrate_relevance
from crossrank.tasks.duplicates import calibrate_duplicates
from crossrank.tasks.labelled import LabelledPairs, read_pairs
from crossrank.tasks.saved import Purpose, write_calibration

OFFERED = 1500
"""Contrast groups of all kinds, of which one in twenty compares offers."""

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
    for some in zip(paraphrases(data), graded(data, "de", "train"), strict=False):
        yield from some


def unseen(data: Path) -> Iterator[Pair]:
    """Paraphrases that crossrank-similar was not trained on, twice as many graded pairs, offers."""
    kept = islice(paraphrases(data), None, None, HELD)
    for some in zip(kept, graded(data, "de", "dev"), graded(data, "en", "dev"), strict=False):
        yield from some
    yield from offers()


def offers() -> Iterator[Pair]:
    """Offers beside each other; those in which a fact was changed are left to the guards."""
    for group, first in compared(OFFERED, seed=77):
        for text, grade in group.candidates:
            if text != first and grade != 1:
                yield first, text, float(grade > 1), first


def paraphrases(data: Path) -> Iterator[Pair]:
    """MSRP train."""
    for row in rows(data / "msrp/train.jsonl.gz"):
        yield row["text_a"], row["text_b"], float(row["score"]), row["text_a"]


def graded(data: Path, language: str, split: str) -> Iterator[Pair]:
    """Pairs of STS-b that are about the same, or clearly not."""
    for left, right, similarity in stsb(data, language, split):
        if not 3 <= similarity < 4:
            yield left, right, float(similarity >= 4), left


def labelled(pairs: Iterator[Pair]) -> LabelledPairs:
    """The pairs as columns."""
    left, right, labels, groups = zip(*pairs, strict=True)
    return LabelledPairs(left, right, np.array(labels), groups)


def main() -> None:
    """Fits and saves all three, or one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--embed", default="crossrank-embed")
    parser.add_argument("--limit", type=int, default=1000)
    parser.add_argument("--similar", action="store_true")
    given = parser.parse_args()
    scorer = CrossEncoder(given.model)
    if given.similar:
        pairs = labelled(unseen(given.data))
        source = "msrp, stsb-de/dev, stsb-en/dev, contrast offers"
    else:
        searched(given.data, given.model, scorer, given.limit)
        pairs = labelled(duplicates(given.data)).some(given.limit)
        source = "msrp, stsb-de/train"
    decision = calibrate_duplicates(pairs, scorer, BiEncoder(given.embed), source)
    save(given.model, "duplicate", decision.as_dict())


def searched(data: Path, model: Path, scorer: CrossEncoder, limit: int) -> None:
    """Fits and saves what a re-ranker is asked for."""
    pairs = labelled(relevance(data)).some(limit)
    relevant = calibrate_relevance(scorer, pairs, ("platt",), "msmarco-dl21")
    save(model, "relevance", relevant.as_dict())
    pairs = read_pairs(data / "wikiqa/dev.jsonl.gz").some(limit)
    answered = calibrate_answers(scorer, pairs, ("platt",), "wikiqa/dev")
    save(model, "answer", answered.as_dict())


def save(model: Path, purpose: Purpose, report: dict[str, Any]) -> None:
    """Keeps the curve, prints the errors."""
    write_calibration(model, purpose, report["calibration"])
    print(purpose, json.dumps({k: v for k, v in report.items() if k != "calibration"}))


if __name__ == "__main__":
    main()
