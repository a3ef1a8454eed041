"""Chooses candidates for every training query and scores them with the ensemble of teachers.

python recipes/groups.py --data DATA --work WORK

Reads WORK/{pools,states,teach}; writes WORK/groups.npz: query [g], docs [g, 8], target [g, 8]
(teacher logits), label [g] (column of the passage known to answer, or -1).
Prints nDCG@10 of every teacher alone on the BM25 top 100 of msmarco-dl21 (the dev set).
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
import Stemmer
from teachers import GERMAN

from crossrank.evaluate import evaluate, parse_measure
from crossrank.io.trec import read_qrels, read_run

SIZE = 8
WEIGHTS = {"e5": 1.0, "mpnet": 1.2, "minilm": 0.5, "bm25": 0.5}
CLOSE = 0.47  # cosine of the nearest passage below which a question has no answer in the pool
_WORD = re.compile(r"\w+")


def bm25_matrices(texts: list[str], queries: list[str]) -> tuple[sp.csr_matrix, sp.csr_matrix]:
    """BM25 weights of passages [n, words] and term counts of queries [q, words] (k1 .9, b .4)."""
    stem = Stemmer.Stemmer("english")
    index: dict[str, int] = {}

    def rows(source: list[str], grow: bool) -> sp.csr_matrix:
        data, columns, starts = [], [], [0]
        for text in source:
            counts: dict[int, int] = {}
            for word in stem.stemWords(_WORD.findall(text.lower())):
                at = index.setdefault(word, len(index)) if grow else index.get(word, -1)
                if at >= 0:
                    counts[at] = counts.get(at, 0) + 1
            columns += counts.keys()
            data += counts.values()
            starts.append(len(columns))
        return sp.csr_matrix((data, columns, starts), shape=(len(source), len(index)), dtype="f4")

    tf, asked = rows(texts, True), rows(queries, False)
    length = np.asarray(tf.sum(1)).ravel()
    found = np.bincount(tf.indices, minlength=tf.shape[1])
    idf = np.log(1 + (len(texts) - found + 0.5) / (found + 0.5))
    norm = np.repeat(0.9 * (0.6 + 0.4 * length / length.mean()), np.diff(tf.indptr))
    tf.data = (tf.data * 1.9 / (tf.data + norm) * idf[tf.indices]).astype("f4")
    return tf, asked


class Teachers:
    """Scores of every teacher for queries against passages, from what was encoded before."""

    def __init__(self, work: Path, texts: list[str], side: str, queries: list[str]) -> None:
        load: Any = np.load
        files = {"e5": "states/{}/vectors.npy"}
        files |= {name: f"teach/{{}}/{name}.npy" for name in ("mpnet", "minilm")}
        self.dense = {
            name: (load(work / file.format("passages")), load(work / file.format(side)))
            for name, file in files.items()
        }
        self.bm25 = bm25_matrices(texts, queries)

    def scores(self, asked: np.ndarray, docs: np.ndarray) -> dict[str, np.ndarray]:
        """Each teacher's scores [len(asked), len(docs)]."""
        dense = {name: pair[1][asked] @ pair[0][docs].T for name, pair in self.dense.items()}
        weights, counts = self.bm25
        lexical = (counts[asked] @ weights[docs].T).todense()
        return {**dense, "bm25": np.asarray(lexical, np.float32)}


Moments = dict[str, tuple[float, float]]


def moments(scores: dict[str, np.ndarray], head: int = 100) -> Moments:
    """Mean and spread of each teacher over the best `head` of all queries together."""
    found = {}
    for name, values in scores.items():
        k = min(head, values.shape[1])
        top = -np.partition(-values, k - 1, axis=1)[:, :k]
        found[name] = float(top.mean()), float(top.std()) + 1e-6
    return found


def ensemble(scores: dict[str, np.ndarray], scale: Moments, german: bool) -> np.ndarray:
    """Weighted mean of standardised scores.

    The scale is that of all queries, not of each one: where nothing fits a query, what the
    teachers say of its candidates is noise, and stays small.
    """
    names = ("e5", "bm25") if german else tuple(WEIGHTS)
    total, weight = 0.0, sum(WEIGHTS[name] for name in names)
    for name in names:
        mean, spread = scale[name]
        total = total + WEIGHTS[name] / weight * (scores[name] - mean) / spread
    return np.asarray(total, np.float32)


def choose(order: np.ndarray, bm25: np.ndarray, rng: np.random.Generator) -> list[int]:
    """Eight different columns: from the top, the middle and the depths, and what BM25 likes."""
    places = [
        *rng.choice(3, 2, replace=False),
        *(3 + rng.choice(7, 2, replace=False)),
        *(10 + rng.choice(50, 2, replace=False)),
    ]
    picked = list(dict.fromkeys(int(order[p]) for p in places))
    spare = [*bm25[rng.permutation(20)], *order[rng.integers(60, len(order), 20)]]
    for at in (int(spare[0]), *map(int, spare[20:]), *map(int, spare[1:20])):
        if len(picked) == SIZE:
            break
        if at not in picked:
            picked.append(at)
    return picked


def dev_table(work: Path, data: Path, texts: list[str], names: list[str]) -> None:
    """nDCG@10 of each teacher on the dev set."""
    trec = [json.loads(line) for line in (work / "pools/trec.jsonl").open()]
    row_of = {name: i for i, name in enumerate(names)}
    query_of = {row["id"]: i for i, row in enumerate(trec)}
    teachers = Teachers(work, texts, "trec", [row["query"] for row in trec])
    run = read_run(data / "msmarco-dl21-22/runs/dl21.bm25.trec")
    qrels = read_qrels(data / "msmarco-dl21-22/qrels/dl21.tsv")
    found: dict[str, list[np.ndarray]] = {}
    for i, name in enumerate(run.queries.ids):
        docs = np.array([row_of[d] for d in run.corpus.ids(run.query(i)[0])])
        scores = teachers.scores(np.array([query_of[name]]), docs)
        scores["ensemble"] = ensemble(scores, moments(scores), german=False)
        for key, value in scores.items():
            found.setdefault(key, []).append(value[0])
    measure = parse_measure("nDCG@10")
    for key, values in found.items():
        scored = run.rescored(np.concatenate(values), run.scale)
        print(
            f"{key:10} nDCG@10 {evaluate(scored, qrels, [measure]).mean(measure):.4f}", flush=True
        )


def main() -> None:
    """Writes the groups."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--dev-only", action="store_true")
    given = parser.parse_args()
    rng = np.random.default_rng(13)
    passages = [json.loads(line) for line in (given.work / "pools/passages.jsonl").open()]
    texts = [row["text"] for row in passages]
    names = [row["id"] for row in passages]
    dev_table(given.work, given.data, texts, names)
    if given.dev_only:
        return
    queries = [json.loads(line) for line in (given.work / "pools/queries.jsonl").open()]
    teachers = Teachers(given.work, texts, "queries", [row["query"] for row in queries])
    pools = np.array([row["pool"] for row in passages])
    out: dict[str, list[Any]] = {"query": [], "docs": [], "target": [], "label": []}
    row_of = {name: i for i, name in enumerate(names)}
    for pool in dict.fromkeys(pools):
        docs = np.flatnonzero(pools == pool)
        asked = np.array([i for i, row in enumerate(queries) if row["pool"] == pool], int)
        scale = moments(teachers.scores(rng.choice(asked, min(400, len(asked))), docs))
        for part in np.array_split(asked, max(1, len(asked) // 200)):
            scores = teachers.scores(part, docs)
            total = ensemble(scores, scale, pool in GERMAN)
            close = scores["minilm"].max(1)
            order = np.argsort(-total, axis=1, kind="stable")
            lexical = np.argsort(-scores["bm25"], axis=1, kind="stable")[:, :20]
            for i, query in enumerate(part):
                picked = choose(order[i], lexical[i], rng)
                label, positive = -1, queries[query]["positive"]
                if not positive and close[i] < CLOSE:
                    continue
                if positive:
                    at = int(np.searchsorted(docs, row_of[positive]))
                    picked = [at, *[p for p in picked if p != at]][:SIZE]
                    label = 0
                out["query"].append(query)
                out["docs"].append(docs[picked])
                out["target"].append(total[i, picked])
                out["label"].append(label)
        print(pool, len(asked), "asked,", len(out["query"]), "groups so far", flush=True)
    np.savez(given.work / "groups.npz", **{key: np.array(value) for key, value in out.items()})


if __name__ == "__main__":
    main()
