"""Distils the teachers into the bi-encoder that ships: its upper layers, on prepared groups.

python recipes/train_embed.py --data DATA --work WORK --minutes 30 --name embed-1 --seed 1
python recipes/train_embed.py --data DATA --work WORK --soup embed-1,embed-2 --shares 0.5,1

A batch is some queries of one pool with the candidates of all of them, so that every query sees
the others' candidates too. Loss: KL to the ensemble (groups.py) over all documents of the batch,
once for the cosine and once for the cosine with the match of rare pieces (crossrank.train.gated),
which is how the cross-encoder that starts from here reads the same states; and a pull towards the
starting vectors, stronger in German, whose only dense teacher is the start. Sentence pairs of STS-b
are put in the order of their grades (CoSENT, Su 2022). Saves WORK/NAME/{last,best}.pt. `--soup`
averages the ends of several runs (model soups, Wortsman et al. 2022), prints the dev set for shares
of the way from the start, and with `--keep SHARE` saves WORK/embed/best.pt.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from blend import between, mean
from groups import Moments, Teachers, ensemble, moments
from pools import stsb
from safetensors.torch import load_file
from states import SPLIT, fast_numbers, token_ids
from teachers import GERMAN
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional as F
from train_small import Dev, Fresh, Texts, distribution, stored

from crossrank.train.gated import CENTRE, Encoder, load_encoder, mean_pool
from crossrank.train.lexical import piece_frequencies, rarity

SHARES = {
    "web": 0.42,
    "science": 0.18,
    "medicine": 0.08,
    "law": 0.09,
    "web-de": 0.08,
    "commands": 0.03,
    "commands-de": 0.04,
    "trec": 0.08,
    "sts": 0.06,
}
SHARPNESS = 2.0
"""The ensemble's standardised scores times this are the teacher's logits."""

BOTH = (0.65, 0.35)
"""Weights of cosine and rare match where they are read together."""

HELD = 5
"""Every fifth claim of SciFact's training set is not trained on, to measure with."""


@dataclass
class Asked:
    """Training queries, tokens and all: `rare` are the weights of each token, float32 [tokens]."""

    states: Texts
    rare: list[np.ndarray]


def stacked(states: Sequence[np.ndarray]) -> tuple[Tensor, Tensor]:
    """States [b, s, hidden] and mask [b, s]."""
    width = max(map(len, states))
    out = np.zeros((len(states), width, states[0].shape[1]), np.float16)
    mask = np.zeros((len(states), width), np.int64)
    for row, state in enumerate(states):
        out[row, : len(state)] = state
        mask[row, : len(state)] = 1
    return torch.from_numpy(out).float(), torch.from_numpy(mask)


def top_states(encoder: Encoder, states: Sequence[np.ndarray]) -> tuple[Tensor, Tensor]:
    """Last states [b, s, hidden] and their mask."""
    state, mask = stacked(states)
    with fast_numbers():
        top = encoder.upper(state, mask)
    return top.float(), mask


def vectors(top: Tensor, mask: Tensor) -> Tensor:
    """Unit vectors [b, hidden]."""
    return F.normalize(mean_pool(top, mask), dim=-1)


def rare_matches(query: Tensor, weights: Tensor, top: Tensor, mask: Tensor) -> Tensor:
    """The match of rare pieces of one query [s, hidden] with every document: [b]."""
    unit = F.normalize(top, dim=-1)
    cosine = torch.einsum("qh,bsh->bqs", F.normalize(query, dim=-1), unit)
    best = (cosine - 4.0 * (1 - mask[:, None, :].float())).amax(-1)
    return best @ (weights / weights.sum().clamp(min=1e-6))


def encode_all(encoder: Encoder, texts: Texts, rows: Sequence[int]) -> dict[int, np.ndarray]:
    """The vectors of chosen texts."""
    order = sorted(set(rows), key=lambda i: int(texts.offsets[i + 1] - texts.offsets[i]))
    found: dict[int, np.ndarray] = {}
    with torch.no_grad():
        for start in range(0, len(order), 32):
            part = order[start : start + 32]
            made = vectors(*top_states(encoder, texts.many(part))).numpy()
            found |= dict(zip(part, made, strict=True))
    return found


def ndcg(encoder: Encoder, dev: Dev) -> float:
    """nDCG@10 on the dev set, re-ranking by cosine."""
    docs = encode_all(encoder, dev.documents, dev.rows)
    asked = encode_all(encoder, dev.queries, dev.asked)
    scores = [float(asked[q] @ docs[d]) for q, d in zip(dev.asked, dev.rows, strict=True)]
    return dev.measured(np.array(scores))


class Sides:
    """The sentences of pairs as queries and as passages, encoded when asked for."""

    def __init__(self, work: Path, encoder: Encoder, rows: list[tuple[str, str, float]]) -> None:
        tokenizer = Tokenizer.from_file(str(work / "base/tokenizer.json"))
        texts = [text for a, b, _ in rows for text in (a, b)]
        self.queries = Fresh(encoder, token_ids(tokenizer, texts, "query: ", 96))
        self.passages = Fresh(encoder, token_ids(tokenizer, texts, "passage: ", 96))

    def states(self, chosen: np.ndarray, swap: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """(query states, passage states) of pairs, sides swapped where `swap` is 1."""
        first = self.queries.many(2 * chosen + swap)
        return list(zip(first, self.passages.many(2 * chosen + 1 - swap), strict=True))


class Groups:
    """Everything that is trained on, by pool."""

    def __init__(self, work: Path, data: Path, encoder: Encoder) -> None:
        passages = [json.loads(line) for line in (work / "pools/passages.jsonl").open()]
        queries = [json.loads(line) for line in (work / "pools/queries.jsonl").open()]
        self.documents = Texts.load(work / "states/passages")
        tokenizer = Tokenizer.from_file(str(work / "base/tokenizer.json"))
        texts = [row["text"] for row in passages]
        self.rare = Rarities.counted(tokenizer, passages)
        self.teachers = Teachers(work, texts, "queries", [row["query"] for row in queries])
        self.asked = self._asked(work, "queries", tokenizer, [row["query"] for row in queries])
        trec = [json.loads(line)["query"] for line in (work / "pools/trec.jsonl").open()]
        self.trec = self._asked(work, "trec", tokenizer, trec)
        load: Any = np.load
        self.start = load(work / "states/passages/vectors.npy")
        self.start_asked = load(work / "states/queries/vectors.npy")
        found = np.load(work / "groups.npz")
        claims = {row["query"] for row in queries if row["pool"] == "science" and row["positive"]}
        held = set(sorted(claims)[::HELD])
        self.held = np.flatnonzero([row["query"] in held for row in queries])
        about = zip(found["query"].tolist(), found["docs"][:, 0].tolist(), strict=True)
        self.claim_of = dict(about)
        used = ~np.isin(found["query"], self.held)
        self.query, self.docs = found["query"][used], found["docs"][used]
        self.label = found["label"][used]
        pools = np.array([row["pool"] for row in passages])
        self.science = np.flatnonzero(pools == "science")
        self.of_pool = {
            p: np.flatnonzero(pools[self.docs[:, 0]] == p) for p in dict.fromkeys(pools)
        }
        rng = np.random.default_rng(5)
        self.scale: dict[str, Moments] = {}
        for pool, rows in self.of_pool.items():
            some = self.query[rng.choice(rows, min(200, len(rows)), replace=False)]
            self.scale[pool] = moments(self.teachers.scores(some, np.flatnonzero(pools == pool)))
        self.graded = stored(work, "trec")
        self.pairs = stsb(data, "de", "train") + stsb(data, "en", "train")
        self.sides = Sides(work, encoder, self.pairs)

    def _asked(self, work: Path, name: str, tokenizer: Tokenizer, texts: list[str]) -> Asked:
        ids = token_ids(tokenizer, texts, "query: ", 40)
        return Asked(Texts.load(work / f"states/{name}"), [self.rare.of(each) for each in ids])


@dataclass
class Rarities:
    """How rare each piece is, and how many tokens stand before a query's own text."""

    table: np.ndarray
    opening: int

    @classmethod
    def counted(cls, tokenizer: Tokenizer, passages: list[dict[str, str]]) -> Rarities:
        """Counted over the passages, English and German apart."""
        texts: dict[bool, list[str]] = {True: [], False: []}
        for row in passages:
            texts[row["pool"] in GERMAN].append(row["text"])
        counts = [piece_frequencies(tokenizer, each) for each in texts.values()]
        table = rarity(counts, list(tokenizer.get_added_tokens_decoder()))
        return cls(table, len(tokenizer.encode("query: ").ids) - 1)

    def of(self, ids: list[int]) -> np.ndarray:
        """The weights of a query's tokens: those before its own text have none."""
        found: np.ndarray = self.table[ids]
        found[: self.opening] = 0.0
        return found


def divergence(logits: Tensor, target: Tensor) -> Tensor:
    """KL to the target distribution, summed over documents."""
    return F.kl_div(F.log_softmax(logits, -1), target, reduction="sum")


def encoded(encoder: Encoder, states: list[np.ndarray], parts: int) -> list[tuple[Tensor, Tensor]]:
    """Last states and vector of each text, run in parts of similar length to pad less."""
    order = np.argsort([len(each) for each in states], kind="stable")
    found: dict[int, tuple[Tensor, Tensor]] = {}
    for part in np.array_split(order, parts):
        top, mask = top_states(encoder, [states[i] for i in part])
        made = vectors(top, mask)
        for row, i in enumerate(part):
            found[int(i)] = top[row, : len(states[i])], made[row]
    return [found[i] for i in range(len(states))]


@dataclass
class Batch:
    """Some queries, the documents of all of them, and what each should think of its own.

    asked: states of each query, rare: weights of its tokens, rows: documents, own: which of these
    each query is compared with, target: its wanted distribution over them, before: the starting
    vectors of the queries, where they are kept.
    """

    asked: list[np.ndarray]
    rare: list[np.ndarray]
    rows: np.ndarray
    own: list[np.ndarray]
    target: list[Tensor]
    before: Tensor | None


def graded_batch(groups: Groups, size: int, rng: np.random.Generator) -> Batch:
    """Queries whose candidates have the scores of a published run, each with its own."""
    picked = [groups.graded[i] for i in rng.choice(len(groups.graded), size)]
    ends = np.cumsum([len(docs) for _, docs, _, _ in picked])
    return Batch(
        [groups.trec.states.get(q) for q, _, _, _ in picked],
        [groups.trec.rare[q] for q, _, _, _ in picked],
        np.concatenate([docs for _, docs, _, _ in picked]),
        [np.arange(end - len(p[1]), end) for p, end in zip(picked, ends, strict=True)],
        [torch.tensor(t, dtype=torch.float32).softmax(-1) for _, _, t, _ in picked],
        None,
    )


def pool_batch(groups: Groups, pool: str, size: int, rng: np.random.Generator) -> Batch:
    """Queries of one pool, each with the candidates of all of them."""
    some = rng.choice(groups.of_pool[pool], size, replace=False)
    queries = groups.query[some]
    rows = np.array(list(dict.fromkeys(groups.docs[some].ravel().tolist())))
    teacher = ensemble(groups.teachers.scores(queries, rows), groups.scale[pool], pool in GERMAN)
    target = []
    for row, group in zip(teacher, some, strict=True):
        label = int(groups.label[group])
        if label >= 0:
            label = int(np.flatnonzero(rows == groups.docs[group][label])[0])
        target.append(distribution(torch.from_numpy(row) * SHARPNESS, label))
    return Batch(
        groups.asked.states.many(queries),
        [groups.asked.rare[q] for q in queries],
        rows,
        [np.arange(len(rows))] * size,
        target,
        torch.from_numpy(groups.start_asked[queries]),
    )


def batch_loss(
    encoder: Encoder, groups: Groups, pool: str, size: int, scale: Tensor, rng: np.random.Generator
) -> Tensor:
    """The loss of one batch: `size` queries of a pool, or 4 times as many sentence pairs."""
    if pool == "sts":
        return pair_loss(encoder, groups, 4 * size, rng)
    graded = pool == "trec"
    batch = graded_batch(groups, size, rng) if graded else pool_batch(groups, pool, size, rng)
    documents = encoded(encoder, groups.documents.many(batch.rows), 4)
    questions = encoded(encoder, batch.asked, 1)
    found = torch.stack([vector for _, vector in documents])
    keep = 1 - (found * torch.from_numpy(groups.start[batch.rows])).sum(-1).mean()
    if batch.before is not None:
        made = torch.stack([vector for _, vector in questions])
        keep = keep + 1 - (made * batch.before).sum(-1).mean()
    width = max(len(top) for top, _ in documents)
    every = torch.stack([F.pad(top, (0, 0, 0, width - len(top))) for top, _ in documents])
    mask = torch.tensor([[i < len(top) for i in range(width)] for top, _ in documents])
    loss = (2.0 if pool in GERMAN else 0.5) * keep
    for (top, vector), rare, own, target in zip(
        questions, batch.rare, batch.own, batch.target, strict=True
    ):
        cosine = found[own] @ vector - CENTRE
        match = rare_matches(top, torch.from_numpy(rare), every[own], mask[own]) - CENTRE
        both = BOTH[0] * cosine + BOTH[1] * match
        loss = loss + divergence(scale[0] * cosine, target) / size
        loss = loss + divergence(scale[1] * both, target) / size
    return loss


def pair_loss(
    encoder: Encoder, groups: Groups, size: int, rng: np.random.Generator, sharpness: float = 20.0
) -> Tensor:
    """Pairs of sentences, ordered by their grades."""
    chosen, swap = rng.integers(len(groups.pairs), size=size), rng.integers(2, size=size)
    sides = groups.sides.states(chosen, swap)
    first = encoded(encoder, [query for query, _ in sides], 2)
    second = encoded(encoder, [passage for _, passage in sides], 2)
    rare = [groups.rare.of(groups.sides.queries.ids[i]) for i in 2 * chosen + swap]
    grades = torch.tensor([groups.pairs[i][2] for i in chosen])
    higher = grades[:, None] > grades[None] + 0.25
    cosine = torch.stack([a @ b for (_, a), (_, b) in zip(first, second, strict=True)])
    match = torch.stack(
        [
            rare_matches(a, torch.from_numpy(weights), b[None], torch.ones(1, len(b)))[0]
            for (a, _), (b, _), weights in zip(first, second, rare, strict=True)
        ]
    )
    loss = torch.zeros(())
    for scores in (cosine, BOTH[0] * cosine + BOTH[1] * match):
        wrong = sharpness * (scores[None] - scores[:, None])[higher]
        loss = loss + torch.cat([torch.zeros(1), wrong]).logsumexp(0)
    return loss


def held_claims(encoder: Encoder, groups: Groups) -> float:
    """Mean reciprocal rank, among all abstracts, of those that held claims are about."""
    docs = encode_all(encoder, groups.documents, groups.science.tolist())
    matrix = np.stack([docs[int(i)] for i in groups.science])
    asked = encode_all(encoder, groups.asked.states, groups.held.tolist())
    ranks = []
    for query in groups.held.tolist():
        scores = matrix @ asked[query]
        answer = int(np.flatnonzero(groups.science == groups.claim_of[query])[0])
        ranks.append(1 / (1 + int((scores > scores[answer]).sum())))
    return float(np.mean(ranks))


def train(given: argparse.Namespace) -> None:
    """Runs until the time is over."""
    torch.set_num_threads(1)
    torch.manual_seed(given.seed)
    encoder = load_encoder(load_file(given.work / "base/model.safetensors"), SPLIT)
    groups = Groups(given.work, given.data, encoder)
    pools = list(SHARES)
    shares = np.array([SHARES[pool] for pool in pools])
    scale = torch.nn.Parameter(torch.tensor([50.0, 50.0]))
    layers = list(encoder.layers[SPLIT:].parameters())
    optimiser = torch.optim.AdamW(
        [
            {"params": layers, "base": given.lr},
            {"params": [scale], "base": 0.05, "weight_decay": 0.0},
        ],
        lr=given.lr,
        weight_decay=0.01,
        betas=(0.9, 0.98),
    )
    dev = Dev(given.work, given.data, groups.documents, given.dev_queries)
    out = given.work / given.name
    out.mkdir(exist_ok=True)
    step, used, best, losses, mark = 0, 0.0, 0.0, [], time.time()
    while True:
        if step % given.check == 0 or used >= given.minutes * 60:
            value = ndcg(encoder, dev)
            line = {"step": step, "minutes": round(used / 60, 1), "nDCG@10": round(value, 4)}
            line |= {"loss": round(float(np.mean(losses or [0])), 4)}
            line |= {"scale": [round(each, 1) for each in scale.tolist()]}
            print(json.dumps(line), flush=True)
            with (out / "curve.jsonl").open("a") as curve:
                curve.write(json.dumps(line) + "\n")
            if value > best:
                best = value
                torch.save(encoder.state_dict(), out / "best.pt")
            torch.save(encoder.state_dict(), out / "last.pt")
            losses, mark = [], time.time()
            if used >= given.minutes * 60:
                return
        rng = np.random.default_rng([given.seed, step])
        done = used / (given.minutes * 60)
        rate = min(1.0, (step + 1) / 100) * max(0.02, 0.5 * (1 + math.cos(math.pi * min(done, 1))))
        for group in optimiser.param_groups:
            group["lr"] = group["base"] * rate
        pool = pools[int(rng.choice(len(pools), p=shares / shares.sum()))]
        loss = batch_loss(encoder, groups, pool, given.groups, scale, rng)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(layers, 1.0)
        optimiser.step()
        losses.append(loss.item())
        step += 1
        used += time.time() - mark
        mark = time.time()
        if step in (5, 50):
            print(step, f"{used / step:.2f} s a step", round(loss.item(), 3), flush=True)


def soup(given: argparse.Namespace) -> None:
    """Prints what shares of the way to the mean of several runs are worth, or keeps one."""
    torch.set_num_threads(1)
    runs = given.soup.split(",")
    ends = [torch.load(given.work / run / "last.pt", weights_only=True) for run in runs]
    encoder = load_encoder(load_file(given.work / "base/model.safetensors"), SPLIT)
    start = {name: value.clone() for name, value in encoder.state_dict().items()}
    middle = mean(ends)
    if given.keep is not None:
        (given.work / "embed").mkdir(exist_ok=True)
        torch.save(between(start, middle, given.keep), given.work / "embed/best.pt")
        return
    groups = Groups(given.work, given.data, encoder)
    dev = Dev(given.work, given.data, groups.documents, given.dev_queries)
    print("share  nDCG@10  held claims", flush=True)
    for share in map(float, given.shares.split(",")):
        encoder.load_state_dict(between(start, middle, share))
        print(
            f"{share:5.2f}  {ndcg(encoder, dev):.4f}  {held_claims(encoder, groups):.4f}",
            flush=True,
        )


def main() -> None:
    """Trains, or joins what was trained."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--name", default="embed-1")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--lr", type=float, default=1e-4)
    parser.add_argument("--groups", type=int, default=8)
    parser.add_argument("--check", type=int, default=300)
    parser.add_argument("--dev-queries", type=int, default=53)
    parser.add_argument("--seed", type=int, default=13)
    parser.add_argument("--soup", default="")
    parser.add_argument("--shares", default="0,0.5,0.75,1")
    parser.add_argument("--keep", type=float)
    given = parser.parse_args()
    if given.soup:
        soup(given)
    else:
        train(given)


if __name__ == "__main__":
    main()
