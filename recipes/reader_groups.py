"""Writes the groups that the reader learns from, as texts with targets.

python recipes/reader_groups.py --data DATA --work WORK --part labels
python recipes/reader_groups.py --data DATA --work WORK --part web --minilm MINILM --mpnet MPNET
python recipes/reader_groups.py --data DATA --work WORK --part gated

WORK/reader/trec.jsonl    the 2022 queries of TREC DL with standardised scores of SPLADE++
WORK/reader/wikiqa.jsonl  questions with sentences, 1 those that answer
WORK/reader/sts.jsonl     sentence pairs of STS-b, German and English, similarity 0 to 1
WORK/reader/web.jsonl     questions, claims and headings with some of their BM25 top 40 of the
                          passages of pools.py, scored by crossrank-embed, MiniLM, mpnet and BM25

`gated` adds the logits of crossrank-small, beside which the reader will stand.

Not read: SciFact test, XQuAD, the judgements of msmarco-dl21.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from extra import wikiqa
from groups import WEIGHTS, bm25_matrices, moments
from pools import rows
from teachers import GERMAN, dense
from train_sts import pairs

from crossrank.io.trec import read_run
from crossrank.models.encoder import BiEncoder
from crossrank.models.scorer import CrossEncoder

COUNTS = {
    "web": 2600,
    "science": 600,
    "medicine": 300,
    "law": 300,
    "web-de": 250,
    "commands-de": 100,
    "commands": 100,
}
"""Queries of each pool."""

TEXTS = 7
SHARPNESS = 2.0
LONGEST = 176
"""Tokens of a pair that the gated cross-encoder reads."""

KNOWN = 3.0
"""Added to the logit of a passage that is known to answer."""

Row = tuple[str, list[str], list[float]]


def trec(data: Path) -> Iterator[Row]:
    """SPLADE++ of 2022, with BM25's passages that it lacks just below its lowest."""
    texts = {r["_id"]: r["text"] for r in rows(data / "msmarco-dl21-22/corpus.jsonl.gz")}
    asked = {r["_id"]: r["text"] for r in rows(data / "msmarco-dl21-22/queries.jsonl.gz")}
    strong = read_run(data / "msmarco-dl21-22/runs/dl22.splade_p_p_ensemble_distil.trec")
    weak = read_run(data / "msmarco-dl21-22/runs/dl22.bm25.trec")
    rng = np.random.default_rng(22)
    for name in strong.queries.ids:
        found, scores = strong.query(strong.queries.ids.index(name))
        plain = (scores - scores.mean()) / (float(scores.std()) + 1e-6)
        known = dict(zip(strong.corpus.ids(found), plain, strict=True))
        rest = weak.corpus.ids(weak.query(weak.queries.ids.index(name))[0])
        every = list({**dict.fromkeys(rest, float(min(plain)) - 0.5), **known}.items())
        for part in np.array_split(rng.permutation(len(every)), len(every) // 7):
            chosen = [every[i] for i in part]
            yield asked[name], [texts[d] for d, _ in chosen], [2 * float(s) for _, s in chosen]


def similar(data: Path) -> Iterator[Row]:
    """STS-b pairs in both orders; each is its own group."""
    for language in ("de", "en"):
        for a, b, score in pairs(data, language, "train"):
            yield a, [b], [score / 5]
            yield b, [a], [score / 5]


def labelled(data: Path) -> Iterator[Row]:
    """WikiQA."""
    for query, texts in wikiqa(data):
        yield query, [t for t, _ in texts], [float(logit > 0) for _, logit in texts]


def chosen(order: np.ndarray, positive: int, rng: np.random.Generator) -> list[int]:
    """`TEXTS` candidates: the known one, three of BM25's first eight, others down to 40."""
    picked = [positive] if positive >= 0 else []
    for at in (*rng.permutation(8)[:3], *(8 + rng.permutation(32))):
        if len(picked) == TEXTS:
            break
        if order[at] not in picked:
            picked.append(int(order[at]))
    return picked


def web(work: Path, folders: dict[str, Path]) -> Iterator[Row]:
    """Everything that the teachers score."""
    rng = np.random.default_rng(13)
    passages = [json.loads(line) for line in (work / "pools/passages.jsonl").open()]
    asked = [json.loads(line) for line in (work / "pools/queries.jsonl").open()]
    row_of = {row["id"]: i for i, row in enumerate(passages)}
    queries: list[dict[str, str]] = []
    docs: list[list[int]] = []
    lexical: list[np.ndarray] = []
    german: list[bool] = []
    for pool, count in COUNTS.items():
        own = [i for i, row in enumerate(passages) if row["pool"] == pool]
        some = [row for row in asked if row["pool"] == pool][:count]
        weights, counts = bm25_matrices(
            [passages[i]["text"] for i in own], [r["query"] for r in some]
        )
        scores = np.asarray((counts @ weights.T).todense())
        for row, each in zip(some, scores, strict=True):
            at = own.index(row_of[row["positive"]]) if row["positive"] else -1
            if len(np.flatnonzero(each)) < 40 and at < 0:
                continue
            picked = chosen(np.argsort(-each, kind="stable"), at, rng)
            queries.append(row)
            docs.append([own[i] for i in picked])
            lexical.append(each[picked])
            german.append(pool in GERMAN)
    used = sorted({d for each in docs for d in each})
    at = {d: i for i, d in enumerate(used)}
    texts = [passages[d]["text"] for d in used]
    words = [row["query"] for row in queries]
    print(len(queries), "queries,", len(used), "passages", flush=True)
    embed = BiEncoder("crossrank-embed")
    columns = np.array([[at[d] for d in each] for each in docs])
    found = {"bm25": np.array(lexical)}
    vectors = {"e5": (embed.encode_queries(words), embed.encode_documents(texts))}
    english = [i for i, d in enumerate(used) if passages[d]["pool"] not in GERMAN]
    for name, folder in folders.items():
        side = dense(folder, [texts[i] for i in english], 128)
        every = np.zeros((len(texts), side.shape[1]), np.float32)
        every[english] = side
        vectors[name] = dense(folder, words, 40), every
        print(name, "done", flush=True)
    for name, (q, d) in vectors.items():
        found[name] = np.einsum("qh,qkh->qk", q, d[columns])
    alike = ~np.array(german)  # the English teachers' rows of German text are zero
    scale = moments({name: each[alike] for name, each in found.items()}, head=TEXTS)
    for name, (mean, spread) in scale.items():
        found[name] = (found[name] - mean) / spread
    for i, row in enumerate(queries):
        names = ("e5", "bm25") if german[i] else tuple(WEIGHTS)
        total = sum(WEIGHTS[name] for name in names)
        logits = [
            SHARPNESS * float(sum(WEIGHTS[name] * found[name][i, k] for name in names)) / total
            for k in range(len(docs[i]))
        ]
        if row["positive"]:
            logits[0] += KNOWN
        yield row["query"], [passages[d]["text"] for d in docs[i]], logits


def gated(path: Path, model: CrossEncoder) -> Iterator[tuple[str, list[str], list[float], Any]]:
    """The groups of a file with the logits of the gated cross-encoder."""
    with path.open(encoding="utf-8") as lines:
        groups = [json.loads(line) for line in lines]
    asked = {(query, text): 0.0 for query, texts, *_ in groups for text in texts}
    for query, text in list(asked):  # what was turned around is scored in one order
        if text != query and (text, query) in asked and (query, text) in asked:
            del asked[text, query]
    asked = dict(zip(asked, model.score(asked).tolist(), strict=True))
    for query, texts, target, *_ in groups:
        logits = [asked[(query, t) if (query, t) in asked else (t, query)] for t in texts]
        yield query, texts, target, [round(logit, 4) for logit in logits]


def write(path: Path, groups: Iterator[Any]) -> None:
    """One group a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    count = 0
    with part.open("w", encoding="utf-8") as out:
        for group in groups:
            out.write(json.dumps(group, ensure_ascii=False) + "\n")
            count += 1
    part.replace(path)
    print(path.stem, count, "groups", flush=True)


def main() -> None:
    """Writes some of the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--part", required=True, choices=("labels", "web", "gated"))
    parser.add_argument("--minilm", type=Path)
    parser.add_argument("--mpnet", type=Path)
    given = parser.parse_args()
    out: Path = given.work / "reader"
    if given.part == "labels":
        write(out / "trec.jsonl", trec(given.data))
        write(out / "wikiqa.jsonl", labelled(given.data))
        write(out / "sts.jsonl", similar(given.data))
    elif given.part == "gated":
        model = CrossEncoder("crossrank-small", max_length=LONGEST)
        for path in sorted(out.glob("*.jsonl")):
            with path.open(encoding="utf-8") as lines:
                if len(json.loads(next(lines))) < 4:
                    write(path, gated(path, model))
    else:
        folders = {"minilm": given.minilm, "mpnet": given.mpnet}
        write(out / "web.jsonl", web(given.work, folders))


if __name__ == "__main__":
    main()
