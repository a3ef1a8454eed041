"""Measures both voices of crossrank-small, the gated layers and the reader, and sums of them.

python recipes/weigh_reader.py --data DATA --model OUT/crossrank-small [--shares 0,0.5,1,1.5,2]

The graph as it ships, int8. Prints for every weight of the reader (the gated logit counts once):
nDCG@10 of the dev set (TREC DL 2021, BM25 top 100), the share of rightly ordered pairs of contrast
groups of the watched domains, mean reciprocal rank on WikiQA dev, and Spearman's correlation on
the dev sets of STS-b. None of these was trained on.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime as ort
from scipy.stats import spearmanr
from tokenizers import Tokenizer
from train_reader import WATCHED, contrast
from train_sts import pairs

from crossrank import Search
from crossrank.evaluate import evaluate, parse_measure
from crossrank.io.beir import judged_queries, read_beir_corpus, read_beir_queries
from crossrank.io.trec import read_candidates, read_qrels
from crossrank.models.backend_onnx import exact
from crossrank.models.files import read_files
from crossrank.models.wire import with_outputs

Pair = tuple[str, str]


class Voices:
    """The logits of both parts."""

    NAMES = ("logit", "reader.logit")

    def __init__(self, folder: Path, threads: int) -> None:
        files = read_files(folder)
        whole = files.content()
        content = exact(whole, whole)
        assert isinstance(content, bytes)
        options = ort.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = 1
        options.enable_mem_pattern = False
        self.session = ort.InferenceSession(with_outputs(content, self.NAMES, axes=2), options)
        self.tokenizer = Tokenizer.from_file(str(files.tokenizer))
        self.tokenizer.enable_truncation(files.settings.max_length, strategy="only_second")
        self.threads = threads

    def score(self, texts: list[Pair]) -> np.ndarray:
        """float32 [n, 2], each pair by itself."""
        with ThreadPoolExecutor(self.threads) as pool:
            return np.stack(list(pool.map(self._one, self.tokenizer.encode_batch(texts))))

    def _one(self, joined: object) -> np.ndarray:
        fed = {
            "input_ids": joined.ids,
            "attention_mask": joined.attention_mask,
            "token_type_ids": joined.type_ids,
        }
        rows = {name: np.array([each], np.int64) for name, each in fed.items()}
        return np.concatenate([x.ravel() for x in self.session.run(list(self.NAMES), rows)])


def mixed(voices: np.ndarray, share: float) -> np.ndarray:
    """The sum, with this weight of the reader."""
    return np.asarray(voices[:, 0] + share * voices[:, 1])


def dev_set(data: Path, model: Voices, shares: list[float]) -> list[float]:
    """nDCG@10."""
    folder = data / "msmarco-dl21-22"
    qrels = read_qrels(folder / "qrels/dl21.tsv")
    search = Search(
        judged_queries(read_beir_queries(folder), qrels, folder), read_beir_corpus(folder)
    )
    given = read_candidates(folder / "runs/dl21.bm25.trec", search).top(100)
    asked = [given.queries.texts[i] for i in given.owners()]
    voices = model.score(list(zip(asked, given.corpus.texts(given.docs), strict=True)))
    measure = parse_measure("nDCG@10")
    return [
        evaluate(given.rescored(mixed(voices, s), given.scale), qrels, [measure]).mean(measure)
        for s in shares
    ]


def watched(model: Voices, shares: list[float], count: int) -> list[float]:
    """The share of pairs in the right order."""
    source = contrast(555, list(WATCHED))
    groups = [next(source) for _ in range(count)]
    voices = model.score([(g.query, text) for g in groups for text in g.texts])
    right: list[list[bool]] = [[] for _ in shares]
    at = 0
    for group in groups:
        grades = np.array(group.target)
        own = voices[at : at + len(grades)]
        at += len(grades)
        better = grades[:, None] > grades[None]
        for share, found in zip(shares, right, strict=True):
            total = mixed(own, share)
            found += (total[:, None] > total[None])[better].tolist()
    return [float(np.mean(found)) for found in right]


def wikiqa(data: Path, model: Voices, shares: list[float]) -> list[float]:
    """Mean reciprocal rank of the first answer, over questions that have one."""
    by_query: dict[str, list[tuple[str, int]]] = {}
    with gzip.open(data / "wikiqa/dev.jsonl.gz", "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            by_query.setdefault(row["query"], []).append((row["passage"], row["label"]))
    kept = {q: each for q, each in by_query.items() if any(label for _, label in each)}
    voices = model.score([(q, text) for q, each in kept.items() for text, _ in each])
    ranks: list[list[float]] = [[] for _ in shares]
    at = 0
    for each in kept.values():
        own, labels = voices[at : at + len(each)], np.array([label for _, label in each])
        at += len(each)
        for share, found in zip(shares, ranks, strict=True):
            total = mixed(own, share)
            best = total[labels > 0].max()
            found.append(1 / (1 + float((total[labels == 0] >= best).sum())))
    return [float(np.mean(found)) for found in ranks]


def similarity(data: Path, model: Voices, shares: list[float], language: str) -> list[float]:
    """Spearman's correlation, both orders averaged."""
    rows = pairs(data, language, "dev")
    voices = (
        model.score([(a, b) for a, b, _ in rows]) + model.score([(b, a) for a, b, _ in rows])
    ) / 2
    truth = [value for _, _, value in rows]
    return [float(spearmanr(mixed(voices, s), truth).statistic) for s in shares]


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--shares", default="0,0.5,1,1.5,2,3,100")
    parser.add_argument("--groups", type=int, default=100)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    shares = [float(each) for each in given.shares.split(",")]
    model = Voices(given.model, given.threads)
    print("reader's weight   ", " ".join(f"{s:6g}" for s in shares))
    tests: dict[str, Callable[[], list[float]]] = {
        "contrast, watched": lambda: watched(model, shares, given.groups),
        "dl21 nDCG@10": lambda: dev_set(given.data, model, shares),
        "wikiqa dev MRR": lambda: wikiqa(given.data, model, shares),
        "stsb-de dev": lambda: similarity(given.data, model, shares, "de"),
        "stsb-en dev": lambda: similarity(given.data, model, shares, "en"),
    }
    for name, test in tests.items():
        print(f"{name:18}", " ".join(f"{v:6.3f}" for v in test()), flush=True)


if __name__ == "__main__":
    main()
