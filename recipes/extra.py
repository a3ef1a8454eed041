"""Groups beside those of groups.py: contrast data, WikiQA, and the second year of TREC queries.

python recipes/extra.py --data DATA --work WORK

Writes WORK/trec.groups.npz (query, starts, docs, target): the published SPLADE++ run of the 2022
queries, to imitate. The 2021 queries are the dev set and are not trained on.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from pools import rows

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


def wikiqa(data: Path, split: str = "train") -> Iterator[Group]:
    """Questions with an answer sentence, and as many without."""
    by_query: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for row in rows(data / f"wikiqa/{split}.jsonl.gz"):
        by_query[row["query"]].append((row["passage"], 3.0 if row["label"] else -3.0))
    spare = 0
    for query, texts in by_query.items():
        answered = any(logit > 0 for _, logit in texts)
        spare += 0 if answered else 1
        if len(texts) > 2 and (answered or spare % 4 == 0):
            yield query, texts[:16]


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
    """Writes the groups of 2022."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    given = parser.parse_args()
    trec(given.data, given.work)


if __name__ == "__main__":
    main()
