"""What a cross-encoder says of questions and passages, so that further training does not forget it.

python recipes/replay.py --models BEFORE --work WORK [--questions DATA]

Asks queries of pools.py of their own pool, takes passages from the top and the depths of BM25, the
known answer where there is one, and writes WORK/replay.jsonl: {"query", "texts", "logits",
"label"}, the logits of crossrank-small in BEFORE; `label` is the place of the known answer or -1.
`--questions` sets German and English questions beside those most like them, in
WORK/replay-questions.jsonl.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from crossrank import Queries, Search
from crossrank.io.lines import replaced
from crossrank.models import CrossEncoder
from crossrank.retrieve import MemoryBM25
from crossrank.types import MemoryCorpus

WANTED = {
    "web": 1500,
    "science": 260,
    "medicine": 200,
    "law": 260,
    "web-de": 200,
    "commands-de": 80,
    "commands": 80,
}
SIZE, QUESTIONS = 8, 300

Group = tuple[str, list[str], int]
"""Query, texts, place of the known answer."""


def chosen(found: np.ndarray, known: int, rng: np.random.Generator) -> list[int]:
    """Up to eight rows of a ranking: `known`, four of the best ten, the rest from below."""
    head = rng.permutation(found[:10])[:4]
    tail = rng.permutation(found[10:])[: SIZE - len(head)]
    rows = [*([known] if known >= 0 else []), *head.tolist(), *tail.tolist()]
    return list(dict.fromkeys(rows))[:SIZE]


def passages(work: Path, rng: np.random.Generator) -> Iterator[Group]:
    """Queries with passages of their pool."""
    pools, asked = by_pool(work / "pools/passages.jsonl"), by_pool(work / "pools/queries.jsonl")
    for pool, rows in pools.items():
        row_of = {row["id"]: i for i, row in enumerate(rows)}
        queries = [asked[pool][i] for i in rng.permutation(len(asked[pool]))[: WANTED[pool]]]
        known = [row_of[row["positive"]] if row["positive"] else -1 for row in queries]
        texts = [row["text"] for row in rows]
        yield from candidates([row["query"] for row in queries], texts, known, rng)


def questions(data: Path, rng: np.random.Generator) -> Iterator[Group]:
    """Questions with other questions."""
    for language in ("de", "en"):
        with gzip.open(data / f"questions/{language}.jsonl.gz", "rt", encoding="utf-8") as lines:
            texts = [json.loads(line)["text"] for line in lines]
        texts = [texts[i] for i in rng.permutation(len(texts))[:8000]]
        yield from candidates(texts[:QUESTIONS], texts, [-1] * QUESTIONS, rng)


def by_pool(path: Path) -> dict[str, list[dict[str, Any]]]:
    """The rows of a file by the pool they belong to."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in path.open(encoding="utf-8"):
        row = json.loads(line)
        found[row["pool"]].append(row)
    return found


def candidates(
    queries: list[str], texts: list[str], known: list[int], rng: np.random.Generator
) -> Iterator[Group]:
    """The queries with texts that BM25 finds for them."""
    corpus = MemoryCorpus.of(texts)
    ranking = MemoryBM25.learned(corpus, depth=60)(Search(Queries.of(queries), corpus))
    for i, (query, right) in enumerate(zip(queries, known, strict=True)):
        rows = chosen(np.asarray(ranking.query(i)[0]), right, rng)
        if len(rows) > 3:
            yield query, list(corpus.texts(np.array(rows))), 0 if right >= 0 else -1


def main() -> None:
    """Writes a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--questions", type=Path)
    parser.add_argument("--seed", type=int, default=13)
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    groups = list(questions(given.questions, rng) if given.questions else passages(given.work, rng))
    model = CrossEncoder(str(given.models / "crossrank-small"))
    scores = model.score([(query, text) for query, texts, _ in groups for text in texts])
    at, lines = 0, []
    for query, texts, label in groups:
        logits = [round(float(each), 3) for each in scores[at : at + len(texts)]]
        row = {"query": query, "texts": texts, "logits": logits, "label": label}
        lines.append(json.dumps(row, ensure_ascii=False) + "\n")
        at += len(texts)
    name = "replay-questions.jsonl" if given.questions else "replay.jsonl"
    with replaced(given.work / name) as out:
        out.writelines(lines[i] for i in rng.permutation(len(lines)))
    print(f"{name}: {len(lines)} groups, {at} pairs")


if __name__ == "__main__":
    main()
