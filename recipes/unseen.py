"""Two bi-encoders on passages of the training collections that neither was trained on.

python recipes/unseen.py --data DATA --start DIR [--end NAME] [--queries 400] [--passages 1500]

Known-answer search, MRR@10 with a two-sided randomisation test: headings of gesetze-de and mdn-de
for their own section, tldr tasks for their command, MedQuAD questions for their answer, the
passages of pools.py left out. Then Spearman on the dev sets of STS-b, which choose nothing else.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

import numpy as np
from pools import first_words, headings, passages, rows, stsb
from scipy.stats import spearmanr

from crossrank.evaluate.significance import randomisation
from crossrank.models import BiEncoder

Asked = tuple[list[str], list[str]]
"""Queries, and passages of which the first answer them in this order."""

WORDS = 90


def headed(data: Path, name: str, used: set[str]) -> list[tuple[str, str]]:
    """(heading, text) of sections that no passage of the training pool was cut from."""
    found = []
    for row in rows(data / f"{name}/corpus.jsonl.gz"):
        _, bare = headings(row["title"].partition(" — ")[2])
        text = first_words(row["text"], WORDS)
        if len(bare) > 8 and len(row["text"].split()) > 15 and text not in used:
            found.append((bare, text))
    return found


def paired(data: Path, name: str, used: set[str]) -> list[tuple[str, str]]:
    """(query, passage) of a set of pairs, as above."""
    every = rows(data / f"{name}/train.jsonl.gz")
    found = [(row["query"], row["passage"], first_words(row["passage"], WORDS)) for row in every]
    return [(query, cut) for query, text, cut in found if cut not in used and text not in used]


def reciprocal_ranks(encoder: BiEncoder, asked: Asked) -> np.ndarray:
    """1 / rank of each answer, 0 beyond the tenth."""
    queries, texts = asked
    scores = encoder.encode_queries(queries) @ encoder.encode_documents(texts).T
    own = scores[np.arange(len(queries)), np.arange(len(queries))]
    ranks = 1 + (scores > own[:, None]).sum(1)
    return np.where(ranks <= 10, 1 / ranks, 0.0)


def correlation(encoder: BiEncoder, data: Path, language: str) -> float:
    """Spearman of cosines with the grades of the dev set."""
    left, right, grades = zip(*stsb(data, language, "dev"), strict=True)
    cosines = (encoder.encode_queries(left) * encoder.encode_queries(right)).sum(1)
    return float(spearmanr(cosines, grades).statistic)


def main() -> None:
    """Prints one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--start", required=True)
    parser.add_argument("--end", default="crossrank-embed")
    parser.add_argument("--queries", type=int, default=400)
    parser.add_argument("--passages", type=int, default=1500)
    given = parser.parse_args()
    encoders = [BiEncoder(name, max_length=160) for name in (given.start, given.end)]
    used = {
        form
        for _, _, text, _ in passages(given.data, random.Random(13))
        for form in (text, text.partition("\n")[2])
    }
    print(f"{'set':12} {'start':>7} {'end':>7} {'p':>7}")
    for name in ("gesetze-de", "mdn-de", "tldr-de", "tldr-en", "medquad"):
        found = (headed if name in ("gesetze-de", "mdn-de") else paired)(given.data, name, used)
        some = random.Random(7).sample(found, min(given.passages, len(found)))
        asked = [query for query, _ in some[: given.queries]], [text for _, text in some]
        start, end = (reciprocal_ranks(encoder, asked) for encoder in encoders)
        p = float(randomisation((end - start)[None])[0])
        print(f"{name:12} {start.mean():7.4f} {end.mean():7.4f} {p:7.4f}", flush=True)
    for language in ("de", "en"):
        start, end = (correlation(encoder, given.data, language) for encoder in encoders)
        print(f"stsb-{language} dev  {start:7.4f} {end:7.4f}", flush=True)


if __name__ == "__main__":
    main()
