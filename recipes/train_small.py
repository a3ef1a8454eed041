"""Trains the joint layers of the shipped cross-encoder on prepared groups.

python recipes/train_small.py --data DATA --work WORK --models OUT [--minutes 52]

Needs what pools.py, states.py, teachers.py, groups.py and extra.py wrote into WORK, and
OUT/crossrank-embed. Starts at its score: the layers as they ship, nearly closed to the other text,
and the views by WEIGHTS. Layers below the split stay as they are, so that the model can borrow
them. Saves WORK/NAME/last.pt, which holds the moving average of the weights too; started again it
goes on where it stopped. One core, bf16. Watched: the dev set msmarco-dl21 (BM25 top 100
re-ranked), and order in contrast groups of taught domains that are not trained on.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from extra import Group, contrast, taught, wikiqa
from recover import Shipped
from safetensors.torch import load_file
from states import SPLIT, Rarities, fast_numbers, padded, token_ids
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional as F

from crossrank.evaluate import evaluate, parse_measure
from crossrank.io.trec import read_qrels, read_run
from crossrank.train.gated import Encoder, Gated, load_encoder

WEIGHTS = (65.0, 0.0, 20.0, 20.0)
"""Of cosine, lower, top and rare match at the start."""

MEMORY = 0.997
"""Share of the moving average that a step keeps."""

HELD = 20
"""Every 20th known answer is not trained on, to measure with."""

SHARES = {
    "web": 0.22,
    "other passages": 0.14,
    "known answer": 0.15,
    "trec": 0.13,
    "wikiqa": 0.06,
    "contrast": 0.3,
}
"""Of the groups of a step."""

Pair = tuple[np.ndarray, ...]
"""States of the query [tokens, hidden], of the document, and maybe the query tokens' rarities."""

Row = tuple[int, np.ndarray, np.ndarray, int]
"""Query, documents, target, column of the known answer or -1."""


@dataclass
class Texts:
    """States after the split of many texts: `get(i)` is float16 [tokens, hidden]."""

    states: np.ndarray
    offsets: np.ndarray

    @classmethod
    def load(cls, folder: Path) -> Texts:
        """What states.py wrote into `folder`."""
        return cls(np.load(folder / "states.npy", mmap_mode="r"), np.load(folder / "offsets.npy"))

    def get(self, i: int) -> np.ndarray:
        """The states of text i."""
        return self.states[self.offsets[i] : self.offsets[i + 1]]

    def many(self, rows: Iterable[int]) -> list[np.ndarray]:
        """The states of several texts."""
        return [self.get(int(i)) for i in rows]


@dataclass
class Fresh:
    """As `Texts`, but encoded when asked for: for short texts that are seen once."""

    encoder: Encoder
    ids: list[list[int]]

    def many(self, rows: Iterable[int]) -> list[np.ndarray]:
        """The states of several texts."""
        inputs, mask = padded([self.ids[int(i)] for i in rows])
        with torch.no_grad(), fast_numbers():
            states = self.encoder.lower(inputs, mask).to(torch.float16).numpy()
        return [state[:size] for state, size in zip(states, mask.sum(1).tolist(), strict=True)]


@dataclass
class Source:
    """Groups of one kind: targets are logits to imitate, `graded` says they are labels."""

    name: str
    queries: Texts | Fresh
    rare: Sequence[np.ndarray]
    documents: Texts | Fresh
    groups: list[Row]
    graded: bool

    def pairs(self, query: int, docs: np.ndarray) -> list[Pair]:
        """A query with each of these documents."""
        asked = self.queries.many([query])[0]
        return [(asked, state, self.rare[query]) for state in self.documents.many(docs)]


def collate(pairs: Sequence[Pair]) -> tuple[Tensor, ...]:
    """States [b, s, hidden], mask, segment ids and, where pairs have them, rarities [b, s]."""
    width = max(len(pair[0]) + len(pair[1]) for pair in pairs)
    states = np.zeros((len(pairs), width, pairs[0][0].shape[1]), np.float16)
    mask = np.zeros((len(pairs), width), np.int64)
    kinds = np.zeros((len(pairs), width), np.int64)
    rare = np.zeros((len(pairs), width), np.float32)
    for row, (q, d, *weights) in enumerate(pairs):
        end = len(q) + len(d)
        states[row, : len(q)] = q
        states[row, len(q) : end] = d
        mask[row, :end] = 1
        kinds[row, len(q) : end] = 1
        for each in weights:
            rare[row, : len(q)] = each
    found = torch.from_numpy(states).float(), torch.from_numpy(mask), torch.from_numpy(kinds)
    return found if len(pairs[0]) == 2 else (*found, torch.from_numpy(rare))


def by_length(pairs: Sequence[Pair]) -> np.ndarray:
    """Places of the pairs, the short ones first."""
    return np.argsort([len(pair[0]) + len(pair[1]) for pair in pairs], kind="stable")


def distribution(logits: Tensor, label: int) -> Tensor:
    """What a teacher wants of the documents; mostly the known answer, if `label` is its column."""
    wanted = F.softmax(logits, -1)
    if label >= 0:
        wanted = 0.3 * wanted
        wanted[label] += 0.7
    return wanted


def loss_of(logits: Tensor, target: Tensor, label: int, graded: bool) -> Tensor:
    """Listwise KL plus MSE of margins to the teacher, or to labels with a pointwise part too."""
    wanted = distribution(target, label)
    listwise = F.kl_div(F.log_softmax(logits, -1), wanted, reduction="sum")
    if graded:
        return listwise + 0.5 * F.binary_cross_entropy_with_logits(logits, target.sigmoid())
    margins = (logits[:, None] - logits[None]) - (target[:, None] - target[None])
    if label >= 0:
        margins = margins[label + 1 :, label + 1 :]
    return listwise + 0.1 * margins.square().clamp(max=16).mean()


class Dev:
    """Re-ranking of the BM25 top 100 of msmarco-dl21."""

    def __init__(self, work: Path, data: Path, queries: int = 53) -> None:
        names = [json.loads(x)["id"] for x in (work / "pools/passages.jsonl").open()]
        trec = [json.loads(x)["id"] for x in (work / "pools/trec.jsonl").open()]
        self.run = read_run(data / "msmarco-dl21-22/runs/dl21.bm25.trec").select(slice(queries))
        self.qrels = read_qrels(data / "msmarco-dl21-22/qrels/dl21.tsv")
        self.documents = Texts.load(work / "states/passages")
        self.queries = Texts.load(work / "states/trec")
        self.rare = rarities(work, "trec")
        row_of = {name: i for i, name in enumerate(names)}
        asked = {name: i for i, name in enumerate(trec)}
        self.rows = [row_of[name] for name in self.run.corpus.ids(self.run.docs)]
        self.asked = [asked[self.run.queries.ids[o]] for o in self.run.owners()]

    def pairs(self) -> list[Pair]:
        """All pairs of the run."""
        return [
            (self.queries.get(q), self.documents.get(d), self.rare[q])
            for q, d in zip(self.asked, self.rows, strict=True)
        ]

    def ndcg(self, model: Gated) -> float:
        """nDCG@10 of the candidates re-ranked by the model."""
        return self.measured(score(model, self.pairs()))

    def measured(self, scores: np.ndarray) -> float:
        """nDCG@10 of the candidates under these scores, the mean over the queries in use."""
        measure = parse_measure("nDCG@10")
        found = evaluate(self.run.rescored(scores, self.run.scale), self.qrels, [measure])
        wanted = set(self.run.queries.ids)
        return float(np.mean(found.of(measure)[[name in wanted for name in found.queries]]))


def rarities(work: Path, queries: str) -> list[np.ndarray]:
    """The weights of the tokens of every query in a file of WORK/pools."""
    tokenizer = Tokenizer.from_file(str(work / "base/tokenizer.json"))
    table = Rarities.of_work(work, tokenizer)
    asked = [json.loads(line)["query"] for line in (work / f"pools/{queries}.jsonl").open()]
    return [table.of(ids) for ids in token_ids(tokenizer, asked, "query: ", 40)]


def score(model: Gated, pairs: Sequence[Pair]) -> np.ndarray:
    """Logits of pairs of states, batches sorted by length."""
    order = by_length(pairs)
    out = np.zeros(len(pairs), np.float32)
    model.eval()
    with torch.no_grad(), fast_numbers():
        for start in range(0, len(order), 32):
            part = order[start : start + 32]
            out[part] = model(*collate([pairs[i] for i in part])).float().numpy()
    model.train()
    return out


def logits_of(model: Gated, pairs: Sequence[Pair], parts: int = 4) -> Tensor:
    """Logits of a batch, with gradients; run in parts of similar length, to pad less."""
    order = by_length(pairs)
    with fast_numbers():
        found = [
            model(*collate([pairs[i] for i in part])).float()
            for part in np.array_split(order, parts)
        ]
    return torch.cat(found)[torch.from_numpy(np.argsort(order))]


def rightly_ordered(model: Gated, source: Source) -> float:
    """Share of pairs of different grade that are ordered rightly."""
    with torch.no_grad(), fast_numbers():
        pairs = [source.pairs(query, docs) for query, docs, _, _ in source.groups]
    every = np.split(
        score(model, [pair for group in pairs for pair in group]),
        np.cumsum([len(group) for group in pairs])[:-1],
    )
    right = total = 0
    for logits, (_, _, target, _) in zip(every, source.groups, strict=True):
        better = target[:, None] > target[None]
        right += int((better & (logits[:, None] > logits[None])).sum())
        total += int(better.sum())
    return right / max(total, 1)


def start_encoder(work: Path, models: Path) -> Encoder:
    """multilingual-e5-small with all its kept words, the upper layers those of crossrank-embed."""
    encoder = load_encoder(load_file(work / "base/model.safetensors"), SPLIT)
    shipped = Shipped(models / "crossrank-embed/model.onnx")
    for i in range(SPLIT, shipped.layers()):
        encoder.layers[i].load_state_dict(shipped.layer(i))
    return encoder


def start_model(encoder: Encoder) -> Gated:
    """The score of the bi-encoder: cosine, best matches and rare matches."""
    model = Gated(encoder)
    model.views = torch.nn.Parameter(torch.tensor(WEIGHTS))
    return model


def load_sources(work: Path, data: Path, encoder: Encoder) -> list[Source]:
    """Everything there is to train on, in the order of SHARES."""
    found = np.load(work / "groups.npz")
    documents = Texts.load(work / "states/passages")
    queries = Texts.load(work / "states/queries"), rarities(work, "queries"), documents
    trec = Texts.load(work / "states/trec"), rarities(work, "trec"), documents
    columns = zip(found["query"], found["docs"], found["target"] * 2.0, found["label"], strict=True)
    groups = [(int(q), d, t, int(k)) for q, d, t, k in columns]
    plain, web = found["label"] < 0, found["pool"] == "web"

    def those(chosen: np.ndarray) -> list[Row]:
        return [groups[i] for i in np.flatnonzero(chosen)]

    known = those(~plain)
    return [
        Source("web", *queries, those(plain & web), False),
        Source("other passages", *queries, those(plain & ~web), False),
        Source("known answer", *queries, [g for i, g in enumerate(known) if i % HELD], False),
        Source("trec", *trec, stored(work, "trec"), False),
        labelled("wikiqa", wikiqa(data), work, encoder),
        labelled("contrast", contrast(taught(), 20_000, 1), work, encoder),
    ]


def watched(work: Path, data: Path, encoder: Encoder) -> list[Source]:
    """Groups that nothing is trained on, of domains and collections that are."""
    known = np.load(work / "groups.npz")
    rows = np.flatnonzero(known["label"] >= 0)[::HELD]
    answers = np.eye(known["docs"].shape[1])[known["label"][rows]]
    columns = zip(known["query"][rows], known["docs"][rows], answers, strict=True)
    found: list[Row] = [(int(q), d, t, 0) for q, d, t in columns]
    documents = Texts.load(work / "states/passages")
    queries = Texts.load(work / "states/queries"), rarities(work, "queries"), documents
    return [
        labelled("contrast", islice(contrast(taught(), 80, 99), 80), work, encoder),
        labelled("wikiqa", islice(wikiqa(data, "dev"), 120), work, encoder),
        Source("known answer", *queries, found[:300], True),
    ]


def stored(work: Path, name: str) -> list[Row]:
    """The groups that extra.py wrote."""
    with np.load(work / f"{name}.groups.npz") as extra:  # every access reads the whole column
        queries, starts, docs, target = (extra[k] for k in ("query", "starts", "docs", "target"))
    return [
        (int(q), docs[a:b], target[a:b], -1)
        for q, a, b in zip(queries, starts[:-1], starts[1:], strict=True)
    ]


def labelled(name: str, groups: Iterable[Group], work: Path, encoder: Encoder) -> Source:
    """Groups with labels, their texts encoded as they come."""
    tokenizer = Tokenizer.from_file(str(work / "base/tokenizer.json"))
    rows: dict[str, int] = {}
    queries, found = [], []
    for query, candidates in groups:
        docs = np.array([rows.setdefault(text, len(rows)) for text, _ in candidates])
        target = np.array([logit for _, logit in candidates], np.float32)
        found.append((len(queries), docs, target, -1))
        queries.append(query)
    ids = token_ids(tokenizer, queries, "query: ", 60)
    table = Rarities.of_work(work, tokenizer)
    texts = Fresh(encoder, token_ids(tokenizer, list(rows), "passage: ", 144))
    return Source(name, Fresh(encoder, ids), [*map(table.of, ids)], texts, found, True)


def pick(source: Source, rng: np.random.Generator) -> Row:
    """A random group, at most 8 of its documents, those of high and low target both there."""
    query, docs, target, label = source.groups[rng.integers(len(source.groups))]
    if len(docs) > 8:
        keep = rng.permutation(len(docs))[:8]
        if source.graded:
            keep[0] = int(target.argmax())
            keep = np.array(list(dict.fromkeys(keep.tolist())))
        docs, target = docs[keep], target[keep]
    return query, docs, target, label


def optimiser_of(model: Gated, rate: float) -> torch.optim.AdamW:
    """Head, gates and views learn faster than layers."""
    head = [p for part in (model.pool, model.head, model.weigh) for p in part.parameters()]
    parts = (
        (list(model.layers.parameters()), rate),
        (head, 5e-4),
        ([model.gates, model.views], 1e-2),
    )
    groups = [
        {"params": params, "base": base, "weight_decay": 0.01 if base < 1e-2 else 0.0}
        for params, base in parts
    ]
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98))


def step_loss(
    model: Gated, sources: list[Source], shares: np.ndarray, count: int, rng: np.random.Generator
) -> Tensor:
    """The mean loss of some groups."""
    batch = [sources[i] for i in rng.choice(len(sources), count, p=shares / shares.sum())]
    chosen = [(source, *pick(source, rng)) for source in batch]
    with fast_numbers():  # around everything, so that weights are rounded once
        pairs = [pair for source, q, docs, _, _ in chosen for pair in source.pairs(q, docs)]
        logits = logits_of(model, pairs)
    loss, at = torch.zeros(()), 0
    for source, _, docs, target, label in chosen:
        wanted = torch.as_tensor(target, dtype=torch.float32)
        loss = loss + loss_of(logits[at : at + len(docs)], wanted, label, source.graded) / count
        at += len(docs)
    return loss


def train(given: argparse.Namespace) -> None:
    """Runs until the time is over."""
    work: Path = given.work
    torch.set_num_threads(1)
    torch.manual_seed(given.seed)
    encoder = start_encoder(work, given.models)
    sources = load_sources(work, given.data, encoder)
    print({s.name: len(s.groups) for s in sources}, flush=True)
    of_each = SHARES | {"contrast": given.contrast}
    shares = np.array([of_each[source.name] for source in sources])
    model = start_model(encoder)
    optimiser = optimiser_of(model, given.lr)
    average = {name: value.clone() for name, value in model.state_dict().items()}
    out = work / given.name
    out.mkdir(exist_ok=True)
    dev = Dev(work, given.data, given.dev_queries)
    unseen = watched(work, given.data, encoder)
    step, used, losses = 0, 0.0, []
    if (out / "last.pt").exists():
        kept: dict[str, Any] = torch.load(out / "last.pt", weights_only=True)
        model.load_state_dict(kept["model"])
        optimiser.load_state_dict(kept["optimiser"])
        average, step, used = kept["average"], kept["step"], kept["used"]
    budget, ahead = given.minutes * 60, start_model(start_encoder(work, given.models))
    mark = time.time()
    while True:
        if step % given.check == 0 or used >= budget:
            ahead.load_state_dict(average)
            line: dict[str, Any] = {"step": step, "minutes": round(used / 60, 1)}
            line |= {"nDCG@10": round(dev.ndcg(ahead), 4)}
            line |= {s.name: round(rightly_ordered(ahead, s), 4) for s in unseen}
            line |= {"loss": round(float(np.mean(losses or [0])), 4)}
            line |= {"views": [round(v, 2) for v in ahead.views.tolist()]}
            line |= {"gates": [round(v, 2) for v in ahead.gates.mean(1).flatten().tolist()]}
            print(json.dumps(line), flush=True)
            with (out / "curve.jsonl").open("a") as curve:
                curve.write(json.dumps(line) + "\n")
            state = {"model": model.state_dict(), "optimiser": optimiser.state_dict()}
            state |= {"average": average, "step": step, "used": used}
            torch.save(state, out / "part.pt")
            (out / "part.pt").replace(out / "last.pt")
            losses, mark = [], time.time()
            if used >= budget:
                return
        done = min(1.0, used / budget)
        rate = min(1.0, (step + 1) / 150) * max(0.02, 0.5 * (1 + math.cos(math.pi * done)))
        for group in optimiser.param_groups:
            group["lr"] = group["base"] * rate
        rng = np.random.default_rng([given.seed, step])
        loss = step_loss(model, sources, shares, given.groups, rng)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        losses.append(loss.item())
        step += 1
        with torch.no_grad():
            for name, value in model.state_dict().items():
                average[name].lerp_(value, 1 - min(MEMORY, step / (step + 10)))
        used += time.time() - mark
        mark = time.time()
        if step in (5, 50):
            print(step, f"{used / step:.2f} s a step", loss.item(), flush=True)


def main() -> None:
    """Trains."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--name", default="small")
    parser.add_argument("--minutes", type=float, default=52)
    parser.add_argument("--lr", type=float, default=4e-5)
    parser.add_argument("--contrast", type=float, default=SHARES["contrast"])
    parser.add_argument("--groups", type=int, default=6)
    parser.add_argument("--check", type=int, default=700)
    parser.add_argument("--dev-queries", type=int, default=53)
    parser.add_argument("--seed", type=int, default=13)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
