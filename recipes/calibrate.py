"""Fits the calibrations that ship in the cross-encoder's crossrank.json.

python recipes/calibrate.py --data DATA --model DIR [--embed DIR] [--limit 1500]

relevance  TREC DL 2021, judged passages among the BM25 top 100: grade 2 and 3 against 0 and 1
answer     WikiQA dev: questions with an answer among their sentences, against those without
duplicate  MSRP train, and STS-b German train: similarity 4 and more against less than 3
"""

from __future__ import annotations

import argparse
import gzip
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from crossrank import Search
from crossrank.io.beir import judged_queries, read_beir_corpus, read_beir_queries
from crossrank.io.trec import read_candidates, read_qrels
from crossrank.models import BiEncoder, CrossEncoder
from crossrank.tasks.calibrating import calibrate_answers, calibrate_relevance
from crossrank.tasks.duplicates import calibrate_duplicates
from crossrank.tasks.labelled import LabelledPairs, read_pairs
from crossrank.tasks.saved import write_calibration

Row = dict[str, Any]


def rows(file: Path) -> Iterator[Row]:
    """The objects of a packed JSONL file."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def relevance(data: Path) -> Iterator[Row]:
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
        judged = zip(given.corpus.ids(docs), given.corpus.texts(docs), strict=True)
        for document, text in judged:
            if document in grades:
                label = int(grades[document] >= 2)
                yield {"query_id": name, "query": query, "document": text, "label": label}


def answers(data: Path) -> Iterator[Row]:
    """Questions and sentences of WikiQA."""
    for row in rows(data / "wikiqa/dev.jsonl.gz"):
        yield {"query": row["query"], "document": row["passage"], "label": row["label"]}


def duplicates(data: Path) -> Iterator[Row]:
    """Paraphrases in English and German, in turn."""
    german = (r for r in rows(data / "stsb-de/train.jsonl.gz") if not 3 <= r["score"] < 4)
    for english, other in zip(rows(data / "msrp/train.jsonl.gz"), german, strict=False):
        yield {"text_a": english["text_a"], "text_b": english["text_b"], "label": english["score"]}
        label = int(other["score"] >= 4)
        yield {"text_a": other["text_a"], "text_b": other["text_b"], "label": label}


def labelled(made: Iterator[Row], limit: int) -> LabelledPairs:
    """The pairs as `crossrank calibrate` would read them."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pairs.jsonl"
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in made)
        file.write_text(lines, encoding="utf-8")
        return read_pairs(file).some(limit)


def main() -> None:
    """Fits and saves all three."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--embed", default="crossrank-embed")
    parser.add_argument("--limit", type=int, default=1500)
    given = parser.parse_args()
    scorer = CrossEncoder(given.model)
    pairs = labelled(relevance(given.data), given.limit)
    found = calibrate_relevance(scorer, pairs, ("platt",), "msmarco-dl21", lambda _: None)
    save(given.model, "relevance", found.as_dict())
    pairs = labelled(answers(given.data), given.limit)
    found = calibrate_answers(scorer, pairs, ("platt",), "wikiqa/dev", lambda _: None)
    save(given.model, "answer", found.as_dict())
    pairs = labelled(duplicates(given.data), given.limit)
    decision = calibrate_duplicates(pairs, scorer, BiEncoder(given.embed), "msrp, stsb-de/train")
    save(given.model, "duplicate", decision.as_dict())


def save(model: Path, purpose: Any, report: dict[str, Any]) -> None:
    """Keeps the curve, prints the errors."""
    write_calibration(model, purpose, report["calibration"])
    print(purpose, json.dumps({k: v for k, v in report.items() if k != "calibration"})[:600])


if __name__ == "__main__":
    main()
