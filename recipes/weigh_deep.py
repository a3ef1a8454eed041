"""How much of the way that deepen.py went is kept (WiSE-FT, Wortsman et al. 2022).

python recipes/weigh_deep.py --before BEFORE --work WORK --data DATA [--shares 0.6,0.8,1]

Prints for each share of the trained weights nDCG@10 on TREC DL 2021 (the dev set; BM25 top 100
re-ranked), the share of WikiQA dev questions' sentences in order, and of contrast pairs of domains
that were not trained on, none of them held out.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from blend import between
from deepen import UNSEEN, Group, Joint, contrast_groups, rightly_ordered, score, start
from pools import rows
from states import fast_numbers, token_ids
from tokenizers import Tokenizer
from torch import Tensor

from crossrank import Search
from crossrank.evaluate import evaluate, parse_measure
from crossrank.io.beir import judged_queries, read_beir_corpus, read_beir_queries
from crossrank.io.trec import read_candidates, read_qrels
from crossrank.types import Ranking


def wikiqa(tokenizer: Tokenizer, data: Path) -> list[Group]:
    """Questions of WikiQA dev with an answer among their sentences."""
    by_query: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for row in rows(data / "wikiqa/dev.jsonl.gz"):
        by_query[row["query"]].append((row["passage"], float(row["label"])))
    found = []
    for query, texts in by_query.items():
        target = np.array([label for _, label in texts], np.float32)
        if 0 < target.sum() < len(target):
            ids = token_ids(tokenizer, [text for text, _ in texts], "passage: ", 160)
            found.append(Group(token_ids(tokenizer, [query], "query: ", 60)[0], ids, target, True))
    return found


class Web:
    """The BM25 top 100 of msmarco-dl21."""

    def __init__(self, tokenizer: Tokenizer, data: Path) -> None:
        folder = data / "msmarco-dl21-22"
        self.qrels = read_qrels(folder / "qrels/dl21.tsv")
        asked = judged_queries(read_beir_queries(folder), self.qrels, folder)
        search = Search(asked, read_beir_corpus(folder))
        self.run: Ranking = read_candidates(folder / "runs/dl21.bm25.trec", search).top(100)
        queries = token_ids(tokenizer, list(self.run.queries.texts), "query: ", 60)
        texts = token_ids(tokenizer, list(self.run.corpus.texts(self.run.docs)), "passage: ", 160)
        self.pairs = [(queries[o], t) for o, t in zip(self.run.owners(), texts, strict=True)]

    def ndcg(self, model: Joint, rare: Tensor) -> float:
        """nDCG@10 of what the model makes of it."""
        with torch.no_grad(), fast_numbers():
            scores = score(model, rare, self.pairs).numpy()
        measure = parse_measure("nDCG@10")
        ranked = self.run.rescored(scores, self.run.scale)
        return float(evaluate(ranked, self.qrels, [measure]).mean(measure))


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--name", default="deep")
    parser.add_argument("--opening", type=float, default=-2.0)
    parser.add_argument("--shares", default="0.6,0.8,1")
    given = parser.parse_args()
    model, rare, tokenizer = start(given.before, given.opening)
    web, answers = Web(tokenizer, given.data), wikiqa(tokenizer, given.data)
    unseen = contrast_groups(tokenizer, UNSEEN, 120, 97, 0.0)
    first = {name: value.clone() for name, value in model.upper.state_dict().items()}
    last = torch.load(given.work / given.name / "last.pt", weights_only=True)["average"]
    print("share  nDCG@10  WikiQA  contrast", flush=True)
    for share in map(float, given.shares.split(",")):
        model.upper.load_state_dict(between(first, last, share))
        found = [rightly_ordered(model, rare, groups) for groups in (answers, unseen)]
        print(
            f"{share:5.2f}  {web.ndcg(model, rare):7.4f} {found[0]:7.4f} {found[1]:9.4f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
