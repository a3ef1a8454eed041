"""Trains the joint layers of the shipped cross-encoder on prepared groups.

python recipes/train_small.py --data DATA --work WORK --minutes 80

Needs what start.py, pools.py, states.py, teachers.py, groups.py and extra.py wrote into WORK.
Saves WORK/small/{last,best}.pt; started again it goes on where
it stopped. One core, bf16. The dev set is msmarco-dl21 (BM25 top 100 re-ranked).
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from extra import contrast, taught
from safetensors.torch import load_file
from states import SPLIT, fast_numbers, padded, token_ids
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional as F

from crossrank.evaluate import evaluate, parse_measure
from crossrank.io.trec import read_qrels, read_run
from crossrank.train.gated import Encoder, Gated, load_encoder


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
    """Groups of one kind: `target` are logits to imitate, `graded` says they are labels."""

    name: str
    queries: Texts | Fresh
    documents: Texts | Fresh
    groups: list[tuple[int, np.ndarray, np.ndarray, int]]  # query, docs, target, label column
    graded: bool
    share: float


def collate(pairs: list[tuple[np.ndarray, np.ndarray]]) -> tuple[Tensor, Tensor, Tensor]:
    """States [b, s, hidden], mask and segment ids [b, s] of (query states, document states)."""
    width = max(len(q) + len(d) for q, d in pairs)
    states = np.zeros((len(pairs), width, pairs[0][0].shape[1]), np.float16)
    mask = np.zeros((len(pairs), width), np.int64)
    kinds = np.zeros((len(pairs), width), np.int64)
    for row, (q, d) in enumerate(pairs):
        end = len(q) + len(d)
        states[row, : len(q)] = q
        states[row, len(q) : end] = d
        mask[row, :end] = 1
        kinds[row, len(q) : end] = 1
    return torch.from_numpy(states).float(), torch.from_numpy(mask), torch.from_numpy(kinds)


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
    """Re-ranking of the BM25 top 100 of msmarco-dl21, and grades of held-out contrast groups."""

    def __init__(self, work: Path, data: Path, documents: Texts, queries: int = 53) -> None:
        names = [json.loads(x)["id"] for x in (work / "pools/passages.jsonl").open()]
        trec = [json.loads(x)["id"] for x in (work / "pools/trec.jsonl").open()]
        self.run = read_run(data / "msmarco-dl21-22/runs/dl21.bm25.trec").select(slice(queries))
        self.qrels = read_qrels(data / "msmarco-dl21-22/qrels/dl21.tsv")
        self.queries, self.documents = Texts.load(work / "states/trec"), documents
        row_of = {name: i for i, name in enumerate(names)}
        asked = {name: i for i, name in enumerate(trec)}
        self.rows = [row_of[name] for name in self.run.corpus.ids(self.run.docs)]
        self.asked = [asked[self.run.queries.ids[o]] for o in self.run.owners()]

    def ndcg(self, model: Gated) -> float:
        """nDCG@10 of the candidates re-ranked by the model."""
        pairs = [
            (self.queries.get(q), self.documents.get(d))
            for q, d in zip(self.asked, self.rows, strict=True)
        ]
        return self.measured(score(model, pairs))

    def measured(self, scores: np.ndarray) -> float:
        """nDCG@10 of the candidates under these scores, the mean over the queries in use."""
        measure = parse_measure("nDCG@10")
        found = evaluate(self.run.rescored(scores, self.run.scale), self.qrels, [measure])
        wanted = set(self.run.queries.ids)
        return float(np.mean(found.of(measure)[[name in wanted for name in found.queries]]))


def score(model: Gated, pairs: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Logits of pairs of states, batches sorted by length."""
    order = np.argsort([len(q) + len(d) for q, d in pairs], kind="stable")
    out = np.zeros(len(pairs), np.float32)
    model.eval()
    with torch.no_grad(), fast_numbers():
        for start in range(0, len(order), 32):
            part = order[start : start + 32]
            out[part] = model(*collate([pairs[i] for i in part])).float().numpy()
    model.train()
    return out


def logits_of(model: Gated, pairs: list[tuple[np.ndarray, np.ndarray]], parts: int = 4) -> Tensor:
    """Logits of a batch, with gradients; run in parts of similar length, to pad less."""
    order = np.argsort([len(q) + len(d) for q, d in pairs], kind="stable")
    with fast_numbers():
        found = [
            model(*collate([pairs[i] for i in part])).float()
            for part in np.array_split(order, parts)
        ]
    return torch.cat(found)[torch.from_numpy(np.argsort(order))]


def contrast_accuracy(model: Gated, source: Source, count: int = 60) -> float:
    """Share of pairs of different grade that are ordered rightly."""
    right = total = 0
    for query, docs, target, _ in source.groups[:count]:
        asked = source.queries.many([query])[0]
        logits = score(model, [(asked, state) for state in source.documents.many(docs)])
        better = target[:, None] > target[None]
        right += int((better & (logits[:, None] > logits[None])).sum())
        total += int(better.sum())
    return right / max(total, 1)


def load_sources(work: Path, documents: Texts, encoder: Encoder) -> list[Source]:
    """Everything there is to train on."""
    found = np.load(work / "groups.npz")
    queries = Texts.load(work / "states/queries")
    columns = zip(found["query"], found["docs"], found["target"] * 2.0, found["label"], strict=True)
    teacher = [(int(q), d, t, int(k)) for q, d, t, k in columns]
    plain = [g for g in teacher if g[3] < 0]
    known = [g for g in teacher if g[3] >= 0]
    wikiqa = Texts.load(work / "states/wikiqa-queries"), Texts.load(work / "states/wikiqa")
    return [
        Source("teacher", queries, documents, plain, False, 0.2),
        Source("known answer", queries, documents, known, False, 0.2),
        Source(
            "trec", Texts.load(work / "states/trec"), documents, stored(work, "trec"), False, 0.16
        ),
        Source("wikiqa", *wikiqa, stored(work, "wikiqa"), True, 0.08),
        contrast_source(work, encoder),
    ]


def stored(work: Path, name: str) -> list[tuple[int, np.ndarray, np.ndarray, int]]:
    """The groups that extra.py wrote."""
    with np.load(work / f"{name}.groups.npz") as extra:  # every access reads the whole column
        queries, starts, docs, target = (extra[k] for k in ("query", "starts", "docs", "target"))
    return [
        (int(q), docs[a:b], target[a:b], -1)
        for q, a, b in zip(queries, starts[:-1], starts[1:], strict=True)
    ]


def contrast_source(work: Path, encoder: Encoder) -> Source:
    """The generated contrast groups (crossrank.train.contrast), encoded as they come."""
    tokenizer = Tokenizer.from_file(str(work / "base/tokenizer.json"))
    rows: dict[str, int] = {}
    queries, groups = [], []
    for query, candidates in contrast(taught(), 20_000, 1):
        docs = [rows.setdefault(text, len(rows)) for text, _ in candidates]
        target = np.array([logit for _, logit in candidates], np.float32)
        groups.append((len(queries), np.array(docs), target, -1))
        queries.append(query)
    asked = Fresh(encoder, token_ids(tokenizer, queries, "query: ", 60))
    texts = Fresh(encoder, token_ids(tokenizer, list(rows), "passage: ", 144))
    return Source("contrast", asked, texts, groups, True, 0.36)


def pick(source: Source, rng: np.random.Generator) -> tuple[int, np.ndarray, np.ndarray, int]:
    """A random group, at most 8 of its documents, those of high and low target both there."""
    query, docs, target, label = source.groups[rng.integers(len(source.groups))]
    if len(docs) > 8:
        keep = rng.permutation(len(docs))[:8]
        if source.graded:
            keep[0] = int(target.argmax())
            keep = np.array(list(dict.fromkeys(keep.tolist())))
        docs, target = docs[keep], target[keep]
    return query, docs, target, label


def train(given: argparse.Namespace) -> None:
    """Runs until the time is over."""
    work: Path = given.work
    torch.set_num_threads(1)
    torch.manual_seed(given.seed)
    documents = Texts.load(work / "states/passages")
    encoder = load_encoder(load_file(work / "base/model.safetensors"), SPLIT)
    sources = load_sources(work, documents, encoder)
    shares = np.array([s.share for s in sources])
    print({s.name: len(s.groups) for s in sources}, flush=True)
    model = Gated(encoder)
    fast = [model.gates, model.views]
    fast += [p for part in (model.pool, model.head, model.weigh) for p in part.parameters()]
    ids = {id(p) for p in fast}
    slow = [p for p in model.parameters() if id(p) not in ids]
    optimiser = torch.optim.AdamW(
        [
            {"params": slow, "lr": given.lr, "base": given.lr},
            {"params": fast[2:], "lr": 5e-4, "base": 5e-4},
            {"params": fast[:2], "lr": 1e-2, "base": 1e-2, "weight_decay": 0.0},
        ],
        weight_decay=0.01,
        betas=(0.9, 0.98),
    )
    out = work / given.name
    out.mkdir(exist_ok=True)
    dev = Dev(work, given.data, documents, given.dev_queries)
    heldout = heldout_source(work)
    step, used, best = 0, 0.0, 0.0
    by_source: dict[str, list[float]] = {}
    if (out / "last.pt").exists():
        kept: dict[str, Any] = torch.load(out / "last.pt", weights_only=True)
        model.load_state_dict(kept["model"])
        optimiser.load_state_dict(kept["optimiser"])
        step, used, best = kept["step"], kept["used"], kept["best"]
    budget, losses = given.minutes * 60, []
    mark = time.time()
    while True:
        rng = np.random.default_rng([given.seed, step])
        if step % given.check == 0 or used >= budget:
            ndcg = dev.ndcg(model)
            held = contrast_accuracy(model, heldout)
            line = {"step": step, "minutes": round(used / 60, 1), "nDCG@10": round(ndcg, 4)}
            line |= {"contrast": round(held, 4), "loss": round(float(np.mean(losses or [0])), 4)}
            line |= {"views": [round(v, 2) for v in model.views.tolist()]}
            line |= {"gates": [round(v, 2) for v in model.gates.mean((1,)).flatten().tolist()]}
            with (out / "curve.jsonl").open("a") as curve:
                curve.write(json.dumps(line) + "\n")
            line |= {name: round(float(np.mean(v)), 3) for name, v in by_source.items()}
            print(json.dumps(line), flush=True)
            losses, by_source = [], {}
            state = {"model": model.state_dict(), "optimiser": optimiser.state_dict()}
            state |= {"step": step, "used": used, "best": max(best, ndcg)}
            torch.save(state, out / "part.pt")
            (out / "part.pt").replace(out / "last.pt")
            if ndcg > best:
                best = ndcg
                torch.save(model.state_dict(), out / "best.pt")
            mark = time.time()
            if used >= budget:
                return
        done = used / budget
        rate = min(1.0, (step + 1) / 150) * max(0.02, 0.5 * (1 + math.cos(math.pi * min(done, 1))))
        for group in optimiser.param_groups:
            group["lr"] = group["base"] * rate
        batch = [
            sources[i] for i in rng.choice(len(sources), given.groups, p=shares / shares.sum())
        ]
        chosen = [(source, *pick(source, rng)) for source in batch]
        pairs = [
            (source.queries.many([q])[0], state)
            for source, q, docs, _, _ in chosen
            for state in source.documents.many(docs)
        ]
        logits = logits_of(model, pairs)
        loss, at, parts = torch.zeros(()), 0, []
        for source, _, docs, target, label in chosen:
            wanted = torch.as_tensor(target, dtype=torch.float32)
            part = logits[at : at + len(docs)]
            own = loss_of(part, wanted, label, source.graded)
            parts.append((source.name, own.item()))
            loss = loss + own / len(chosen)
            at += len(docs)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        losses.append(loss.item())
        for name, value in parts:
            by_source.setdefault(name, []).append(value)
        step += 1
        used += time.time() - mark
        mark = time.time()
        if step in (5, 50):
            print(step, f"{used / step:.2f} s a step", loss.item(), flush=True)


def heldout_source(work: Path) -> Source:
    """The held-out domains of the contrast generator."""
    asked, texts = Texts.load(work / "states/heldout-queries"), Texts.load(work / "states/heldout")
    return Source("heldout", asked, texts, stored(work, "heldout"), True, 0.0)


def main() -> None:
    """Trains."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--name", default="small")
    parser.add_argument("--minutes", type=float, default=80)
    parser.add_argument("--lr", type=float, default=4e-5)
    parser.add_argument("--groups", type=int, default=6)
    parser.add_argument("--check", type=int, default=500)
    parser.add_argument("--dev-queries", type=int, default=53)
    parser.add_argument("--seed", type=int, default=13)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
