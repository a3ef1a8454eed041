"""What the shipped models reach: every stage on judged sets, tested against the stage below.

python bench/shipped.py --data DATA [--set dl21 ...] [--cross NAME] [--embed NAME] [--depth N]
    [--tokens N] [--every N] [--json FILE]

dl21       the given BM25 top 100 of TREC DL 2021 (the dev set of the training), nDCG@10
scifact    SciFact test, our BM25 top 100, nDCG@10
xquad-de   XQuAD German: BM25, fused with the bi-encoder, re-ranked by the cross-encoder alone and
           as the pipeline `full` does it, MRR@10
xquad-en   the same in English

`blend` and `full` re-rank as the pipeline `full`: the candidates of BM25 and bi-encoder fused, the
cross-encoder blended with that; then those that violate a condition of the query lowered.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from crossrank import Queries, Ranking, Scale, Search
from crossrank.evaluate import parse_measure
from crossrank.evaluate.compare import compare_scores
from crossrank.evaluate.scores import Scores, evaluate
from crossrank.fuse import fuse
from crossrank.io.beir import judged_queries, read_beir, read_beir_corpus, read_beir_queries
from crossrank.io.trec import read_candidates, read_qrels
from crossrank.models import BiEncoder, CrossEncoder
from crossrank.pipelines.named import SHARE
from crossrank.rerank import CachedScorer, Rerank
from crossrank.rerank.conditions import Conditions
from crossrank.retrieve import MemoryBM25
from crossrank.text.analyzer import Setting
from crossrank.types import Encoder, Scorer

Stages = dict[str, Ranking]


def by_cosine(candidates: Ranking, encoder: Encoder) -> Ranking:
    """The same candidates ordered by the bi-encoder."""
    rows = np.unique(candidates.docs)
    vectors = encoder.encode_documents(candidates.corpus.texts(rows))
    asked = encoder.encode_queries(candidates.queries.texts)
    at = np.searchsorted(rows, candidates.docs)
    scores = np.einsum("ij,ij->i", asked[candidates.owners()], vectors[at])
    return candidates.rescored(scores, Scale.COSINE)


def nearest(search: Search, encoder: BiEncoder, depth: int) -> Ranking:
    """The `depth` nearest documents of every query, exactly."""
    rows = search.corpus.rows()
    vectors = encoder.encode_documents(search.corpus.texts(rows))
    scores = encoder.encode_queries(search.queries.texts) @ vectors.T
    best = np.argsort(-scores, axis=1, kind="stable")[:, :depth]
    found = [scores[i, row] for i, row in enumerate(best)]
    return Ranking.of_lists(search, [rows[b] for b in best], found, Scale.COSINE)


def lexical(search: Search, language: Setting, depth: int = 100) -> Ranking:
    """BM25 by our analyser, its vocabulary learned from the corpus."""
    return MemoryBM25.learned(search.corpus, language, depth)(search)


def re_ranked(given: Ranking, cross: CrossEncoder, encoder: BiEncoder) -> Stages:
    """BM25's candidates ordered by each model alone, by all three, and as `full` does it."""
    once, dense = CachedScorer(cross), by_cosine(given, encoder)
    depth = int(given.depths().max())
    return {
        "bi-encoder": dense,
        "cross-encoder": Rerank(once, depth=depth)(given),
        **as_full(fuse([given, dense], "rrf"), once, depth),
    }


def as_full(fused: Ranking, scorer: Scorer, depth: int) -> Stages:
    """The last two stages of the pipeline `full` over its fused first stage."""
    blend = Rerank(scorer, depth=depth, weight=SHARE)(fused)
    return {"blend": blend, "full": Conditions(scorer, depth=depth)(blend)}


def given_dl21(data: Path) -> tuple[Ranking, Ranking]:
    """The given BM25 top 100 of TREC DL 2021, and its judgements."""
    folder = data / "msmarco-dl21-22"
    qrels = read_qrels(folder / "qrels/dl21.tsv")
    queries: Queries = judged_queries(read_beir_queries(folder), qrels, folder)
    search = Search(queries, read_beir_corpus(folder))
    return read_candidates(folder / "runs/dl21.bm25.trec", search).top(100), qrels


def of(qrels: Ranking, queries: Queries) -> Ranking:
    """The judgements of these queries."""
    at = {name: i for i, name in enumerate(qrels.queries.ids)}
    docs, grades = zip(*(qrels.query(at[name]) for name in queries.ids), strict=True)
    return Ranking.of_lists(Search(queries, qrels.corpus), docs, grades, qrels.scale)


def dl21(
    data: Path, cross: CrossEncoder, encoder: BiEncoder, depth: int, part: slice
) -> tuple[Stages, Ranking]:
    """The given candidates, re-ranked."""
    given, qrels = given_dl21(data)
    given = given.select(part)
    return {"bm25": given, **re_ranked(given.top(depth), cross, encoder)}, of(qrels, given.queries)


def scifact(
    data: Path, cross: CrossEncoder, encoder: BiEncoder, depth: int, part: slice
) -> tuple[Stages, Ranking]:
    """Our BM25 top 100, re-ranked."""
    dataset = read_beir(data / "scifact", "test")
    given = lexical(dataset.search.select(part), "en")
    stages = {"bm25": given, **re_ranked(given.top(depth), cross, encoder)}
    return stages, of(dataset.qrels, given.queries)


Run = Callable[[Path, CrossEncoder, BiEncoder, int, slice], tuple[Stages, Ranking]]


def xquad(language: Setting) -> Run:
    """The full pipeline on one language of XQuAD."""

    def run(
        data: Path, cross: CrossEncoder, encoder: BiEncoder, depth: int, part: slice
    ) -> tuple[Stages, Ranking]:
        dataset = read_beir(data / f"xquad-{language}", "test")
        search = dataset.search.select(part)
        words = lexical(search, language)
        dense = nearest(search, encoder, 100)
        hybrid = fuse([words, dense], "rrf").top(100)
        once = CachedScorer(cross)
        return {
            "bm25": words,
            "bi-encoder": dense,
            "hybrid": hybrid,
            "cross-encoder": Rerank(once, depth=depth)(hybrid),
            **as_full(hybrid, once, depth),
        }, of(dataset.qrels, search.queries)

    return run


SETS = {
    "dl21": (dl21, "nDCG@10"),
    "scifact": (scifact, "nDCG@10"),
    "xquad-de": (xquad("de"), "RR@10"),
    "xquad-en": (xquad("en"), "RR@10"),
}


def main() -> None:
    """Prints one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--set", action="append", choices=list(SETS), dest="sets")
    parser.add_argument("--cross", default="crossrank-small")
    parser.add_argument("--embed", default="crossrank-embed")
    parser.add_argument("--depth", type=int, default=100, help="what is re-ranked")
    parser.add_argument("--tokens", type=int, default=0, help="read of a pair or text; 0: all")
    parser.add_argument("--every", type=int, default=1, help="only each so manyth query")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    cross = CrossEncoder(given.cross, max_length=given.tokens)
    encoder = BiEncoder(given.embed, max_length=given.tokens)
    rows = []
    print(f"{'set':10} {'stage':14} {'measure':8} {'value':>7}  {'p against the stage above':>26}")
    for name in given.sets or SETS:
        run, text = SETS[name]
        measure = parse_measure(text)
        stages, qrels = run(given.data, cross, encoder, given.depth, slice(None, None, given.every))
        scores: dict[str, Scores] = {k: evaluate(v, qrels, [measure]) for k, v in stages.items()}
        names = list(scores)
        pairs = compare_scores(scores, list(zip(names[1:], names[:-1], strict=True))).pairs
        p_values = ["", *(f"{pair.p.randomisation:.4f}" for pair in pairs)]
        for stage, p_value in zip(names, p_values, strict=True):
            value = scores[stage].mean(measure)
            rows.append({"set": name, "stage": stage, "measure": text, "value": value})
            print(f"{name:10} {stage:14} {text:8} {value:7.4f}  {p_value:>26}", flush=True)
    if given.json:
        given.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
