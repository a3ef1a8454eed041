"""Prepares the labelled groups: contrast data, WikiQA, and the second year of TREC queries.

python recipes/extra.py --data DATA --work WORK --part heldout|wikiqa|trec [--limit N]

Writes WORK/PART.groups.npz (query, starts, docs, target) and the texts to encode with states.py
(WORK/pools/PART.jsonl, PART-queries.jsonl). `trec` imitates the published SPLADE++ run of the
2022 queries; the 2021 queries are the dev set and are not trained on.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from crossrank.io.trec import read_run
from crossrank.train.contrast import HELD_OUT, LANGUAGES, domains, generate

GRADES = (-4.0, -2.0, 1.5, 4.0)
Group = tuple[str, list[tuple[str, float]]]


def contrast(names: Sequence[str], count: int, seed: int) -> Iterator[Group]:
    """Query and (text, logit) of generated contrast groups of these domains."""
    for group in generate(names, LANGUAGES, count, seed):
        yield group.query, [(text, GRADES[grade]) for text, grade in group.candidates]


def taught() -> list[str]:
    """The domains of the contrast generator that may be trained on."""
    return [name for name in domains() if name not in HELD_OUT]


def wikiqa(data: Path) -> Iterator[Group]:
    """Questions with an answer sentence, and as many without."""
    by_query: dict[str, list[tuple[str, float]]] = defaultdict(list)
    with gzip.open(data / "wikiqa/train.jsonl.gz", "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            by_query[row["query"]].append((row["passage"], 3.0 if row["label"] else -3.0))
    spare = 0
    for query, texts in by_query.items():
        answered = any(logit > 0 for _, logit in texts)
        spare += 0 if answered else 1
        if len(texts) > 2 and (answered or spare % 4 == 0):
            yield query, texts[:16]


def write(work: Path, part: str, groups: Iterator[Group], limit: int) -> None:
    """Texts to encode, each once, and the groups over them."""
    rows: dict[str, int] = {}
    queries: list[str] = []
    docs, target, starts = [], [], [0]
    for query, texts in groups:
        if len(queries) == limit:
            break
        queries.append(query)
        for text, logit in texts:
            docs.append(rows.setdefault(text, len(rows)))
            target.append(logit)
        starts.append(len(docs))
    for name, texts in ((part, list(rows)), (f"{part}-queries", queries)):
        with (work / f"pools/{name}.jsonl").open("w", encoding="utf-8") as out:
            for text in texts:
                out.write(json.dumps({"text": text}, ensure_ascii=False) + "\n")
    save(work, part, list(range(len(queries))), starts, docs, target)


def save(
    work: Path, part: str, query: list[int], starts: list[int], docs: list[int], target: list[float]
) -> None:
    """The groups as columns."""
    np.savez(
        work / f"{part}.groups.npz",
        query=np.array(query),
        starts=np.array(starts),
        docs=np.array(docs),
        target=np.array(target, np.float32),
    )
    print(part, len(query), "groups,", len(docs), "pairs")


def trec(data: Path, work: Path) -> None:
    """The 2022 queries with the union of two runs; what SPLADE++ lacks gets its lowest score."""
    names = [json.loads(x)["id"] for x in (work / "pools/passages.jsonl").open()]
    asked = [json.loads(x)["id"] for x in (work / "pools/trec.jsonl").open()]
    row_of = {name: i for i, name in enumerate(names)}
    strong = read_run(data / "msmarco-dl21-22/runs/dl22.splade_p_p_ensemble_distil.trec")
    weak = read_run(data / "msmarco-dl21-22/runs/dl22.bm25.trec")
    query, starts, docs, target = [], [0], [], []
    for name in strong.queries.ids:
        found, scores = strong.query(strong.queries.ids.index(name))
        spread = float(scores.std()) + 1e-6
        known = dict(zip(strong.corpus.ids(found), (scores - scores.mean()) / spread, strict=True))
        rest = weak.corpus.ids(weak.query(weak.queries.ids.index(name))[0])
        low = float(min(known.values())) - 0.5
        everything = {**dict.fromkeys(rest, low), **known}
        rng = np.random.default_rng(len(query))
        every = list(everything.items())
        for part in np.array_split(rng.permutation(len(every)), max(1, len(every) // 10)):
            query.append(asked.index(name))
            docs += [row_of[every[i][0]] for i in part]
            target += [2.0 * float(every[i][1]) for i in part]
            starts.append(len(docs))
    save(work, "trec", query, starts, docs, target)


def main() -> None:
    """Prepares one part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--part", required=True)
    parser.add_argument("--limit", type=int, default=10**9)
    given = parser.parse_args()
    if given.part == "trec":
        trec(given.data, given.work)
    elif given.part == "wikiqa":
        write(given.work, "wikiqa", wikiqa(given.data), given.limit)
    elif given.part == "heldout":
        write(given.work, "heldout", contrast(list(HELD_OUT), 400, 2), given.limit)
    else:
        raise SystemExit(f"heldout, wikiqa or trec wanted, got {given.part}")


if __name__ == "__main__":
    main()
