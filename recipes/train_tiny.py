"""Trains crossrank-tiny: the two lowest layers of crossrank-embed, and two joint ones above them.

python recipes/train_tiny.py --models OUT --work WORK --stage texts [--minutes 30]
python recipes/train_tiny.py --models OUT --work WORK --stage pairs [--minutes 16]

OUT holds crossrank-embed and crossrank-small. Needs what pools.py and `extra.py --part german`
wrote into WORK, and WORK/states-12: passages, queries and german by states.py `--split 12`.

texts  single texts: every token's last state shall be what crossrank-embed makes of it after twelve
       layers (hidden states as in TinyBERT, Jiao et al. 2020), and so shall the mean
pairs  the same for pairs and crossrank-small, whose head stays as it is; and its logit

No label is read. The lowest layers stay as they are, so that the model can borrow them. Both stages
save the moving average of the weights, WORK/tiny/STAGE.pt, and go on from there when started again.
`--data DATA` watches nDCG@10 on TREC DL 2021.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from extra import contrast, taught
from recover import Shipped
from states import fast_numbers, padded, token_ids
from tokenizers import Tokenizer
from torch import Tensor, nn
from train_small import Candidates, Texts

from crossrank.train.gated import Encoder, Gated, mean_pool

SPLIT = 2
KEPT = (10, 11)
"""Layers of crossrank-embed that the joint ones start as."""

NEAREST, OTHERS = 24, 8
"""Passages of a question that pairs are made of."""

MEMORY = 0.998
LONGEST = {"query": 40, "passage": 144}
OPENING = 4
"""Tokens of a query before its own: start and prompt."""


def student(models: Path) -> Encoder:
    """The layers below the split, and those of `KEPT` above it."""
    encoder = Shipped.load(models / "crossrank-embed").encoder(SPLIT)
    chosen = [*range(SPLIT), *KEPT]
    encoder.layers = nn.ModuleList(encoder.layers[i] for i in chosen)
    encoder.shape = replace(encoder.shape, layers=len(chosen))
    return encoder


@dataclass
class Pair:
    """What a cross-encoder made of pairs: states [b, s, hidden], masks of both texts, logits."""

    state: Tensor
    query: Tensor
    document: Tensor
    logits: Tensor


class Joint(nn.Module):
    """A gated model with the layers below it, which stay as they are."""

    def __init__(self, encoder: Encoder, upper: Gated, rarity: Tensor) -> None:
        super().__init__()
        self.encoder, self.upper, self.rarity = encoder, upper, rarity

    def forward(self, queries: list[list[int]], texts: list[list[int]]) -> Pair:
        """What it makes of pairs of token ids."""
        with torch.no_grad():
            q, q_mask = padded(queries)
            d, d_mask = padded(texts)
            low_q, low_d = self.encoder.lower(q, q_mask), self.encoder.lower(d, d_mask)
            ends, sizes = q_mask.sum(1), d_mask.sum(1)
            places = torch.arange(int((ends + sizes).max()))[None]
            asked = places < ends[:, None]
            told = ~asked & (places < (ends + sizes)[:, None])
            state = torch.zeros(*asked.shape, low_q.shape[-1], dtype=low_q.dtype)
            state[asked], state[told] = low_q[q_mask.bool()], low_d[d_mask.bool()]
            weights = torch.zeros(asked.shape)
            weights[asked] = self.rarity[q][q_mask.bool()]
            weights[:, :OPENING] = 0.0
        mask, kinds = (asked | told).long(), told.long()
        seen: list[Tensor] = []
        with self.upper.layers[-1].register_forward_hook(lambda _, __, out: seen.append(out)):
            logits = self.upper(state, mask, kinds, weights).float()
        return Pair(seen[0].float(), asked.long(), kinds, logits)


class Pools:
    """Token ids of what pools.py wrote."""

    def __init__(self, work: Path, models: Path) -> None:
        self.work = work
        self.tokenizer = Tokenizer.from_file(str(models / "crossrank-embed/tokenizer.json"))

    def ids(self, texts: Sequence[str], kind: str) -> list[list[int]]:
        """Ids behind the prompt of a query or passage."""
        return token_ids(self.tokenizer, list(texts), f"{kind}: ", LONGEST[kind])

    def read(self, name: str, key: str, kind: str) -> list[list[int]]:
        """The ids of one pool."""
        with (self.work / f"pools/{name}.jsonl").open(encoding="utf-8") as lines:
            return self.ids([json.loads(line)[key] for line in lines], kind)

    def pool_of(self, name: str) -> np.ndarray:
        """Which pool each row of a file belongs to."""
        with (self.work / f"pools/{name}.jsonl").open(encoding="utf-8") as lines:
            return np.array([json.loads(line)["pool"] for line in lines])

    def grouped(self, rng: np.random.Generator) -> Groups:
        """Questions with the passages that crossrank-embed finds for them, and some others."""
        queries, passages = (
            np.load(self.work / f"states-12/{name}/vectors.npy") for name in ("queries", "passages")
        )
        asked_of, in_pool = self.pool_of("queries"), self.pool_of("passages")
        groups = []
        for pool in np.unique(in_pool):
            docs, asked = np.flatnonzero(in_pool == pool), np.flatnonzero(asked_of == pool)
            for part in np.array_split(asked, 1 + len(asked) // 500):
                cosines = queries[part] @ passages[docs].T
                near = np.argpartition(-cosines, NEAREST, axis=1)[:, :NEAREST]
                others = rng.integers(len(docs), size=(len(part), OTHERS))
                found = docs[np.concatenate([near, others], axis=1)]
                groups += [(int(query), row) for query, row in zip(part, found, strict=True)]
        asked_ids = self.read("queries", "query", "query")
        return Groups(asked_ids, self.read("passages", "text", "passage"), groups)

    def contrasts(self) -> Groups:
        """Contrast groups of the domains that may be trained on."""
        numbers: dict[str, int] = {}
        queries, groups = [], []
        for query, candidates in contrast(taught(), 6_000, 1):
            groups.append(
                (
                    len(queries),
                    np.array([numbers.setdefault(text, len(numbers)) for text, _ in candidates]),
                )
            )
            queries.append(query)
        return Groups(self.ids(queries, "query"), self.ids(list(numbers), "passage"), groups)


@dataclass(frozen=True)
class Groups:
    """Queries, each with some texts."""

    queries: list[list[int]]
    texts: list[list[int]]
    groups: list[tuple[int, np.ndarray]]

    def pairs(self, rng: np.random.Generator) -> tuple[list[list[int]], list[list[int]]]:
        """Up to eight pairs of a random group."""
        query, texts = self.groups[rng.integers(len(self.groups))]
        some = rng.permutation(texts)[:8]
        return [self.queries[query]] * len(some), [self.texts[i] for i in some]


@dataclass
class Imitation:
    """Single texts and what crossrank-embed makes of them."""

    ids: list[list[int]]
    wanted: Texts

    def batches(self, rng: np.random.Generator, budget: int = 2000) -> Iterator[np.ndarray]:
        """Rows of similar length, in random order, without end."""
        lengths = np.array([len(each) for each in self.ids])
        while True:
            order = np.argsort(lengths + rng.random(len(lengths)), kind="stable")
            ends = np.flatnonzero(np.diff(np.cumsum(lengths[order]) // budget)) + 1
            cut = np.split(order, ends)
            for i in rng.permutation(len(cut)):
                yield cut[i]

    def pair(self, rows: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
        """Ids, mask and the states that are wanted, [b, s, hidden]."""
        inputs, mask = padded([self.ids[i] for i in rows])
        states = torch.zeros(*inputs.shape, self.wanted.states.shape[1])
        states[mask.bool()] = torch.from_numpy(
            np.concatenate([self.wanted.get(int(i)) for i in rows])
        ).float()
        return inputs, mask, states


def missed(found: Tensor, wanted: Tensor) -> Tensor:
    """Share of the variance [n, ...] that is not imitated."""
    spread = (wanted - wanted.mean(0)).square().sum()
    return (found.float() - wanted).square().sum() / spread


def missed_of_texts(encoder: Encoder, batch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """What is missed of tokens and means of single texts."""
    inputs, mask, wanted = batch
    with torch.no_grad():
        low = encoder.lower(inputs, mask)
    found, kept = encoder.upper(low, mask), mask.bool()
    return missed(found[kept], wanted[kept]) + missed(
        mean_pool(found, mask), mean_pool(wanted, mask)
    )


def missed_of_pairs(found: Pair, wanted: Pair) -> Tensor:
    """What is missed of tokens, of the means of both texts, and of the logits."""
    kept = (wanted.query + wanted.document).bool()
    loss = missed(found.state[kept], wanted.state[kept])
    for mine, theirs in ((found.query, wanted.query), (found.document, wanted.document)):
        means = mean_pool(found.state, mine), mean_pool(wanted.state, theirs)
        loss = loss + 0.5 * missed(*means)
    return loss + missed(found.logits, wanted.logits)


class Average:
    """The moving average of the weights of a module."""

    def __init__(self, module: nn.Module) -> None:
        self.module, self.steps = module, 0
        self.state = {name: value.clone() for name, value in module.state_dict().items()}

    def step(self) -> None:
        """Moves it towards the weights."""
        self.steps += 1
        kept = min(MEMORY, self.steps / (self.steps + 10))
        with torch.no_grad():
            for name, value in self.module.state_dict().items():
                self.state[name].lerp_(value, 1 - kept)


def rate(step: int, done: float) -> float:
    """Share of the learning rate: a short start, then half a cosine."""
    return min(1.0, (step + 1) / 50) * max(0.02, 0.5 * (1 + math.cos(math.pi * min(1.0, done))))


def run(
    given: argparse.Namespace,
    module: nn.Module,
    parts: list[dict[str, object]],
    losses: Iterator[Tensor],
) -> None:
    """Follows the losses until the time is over, and saves the average."""
    optimiser = torch.optim.AdamW(parts, lr=given.lr, betas=(0.9, 0.98))
    average = Average(module)
    start, step, kept = time.time(), 0, []
    while (done := (time.time() - start) / (60 * given.minutes)) < 1:
        for group in optimiser.param_groups:
            group["lr"] = group["faster"] * given.lr * rate(step, done)
        with fast_numbers():
            loss = next(losses)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimiser.step()
        average.step()
        step += 1
        kept.append(loss.item())
        if step % 100 == 0:
            print(step, f"{done:.2f} missed {np.mean(kept[-100:]):.4f}", flush=True)
    print(step, f"missed {np.mean(kept[-100:]):.4f}", flush=True)
    module.load_state_dict(average.state)
    torch.save(average.state, given.work / f"tiny/{given.stage}.pt")


def texts(given: argparse.Namespace, pools: Pools) -> None:
    """Stage one."""
    encoder = student(given.models)
    upper = encoder.layers[SPLIT:]
    if (kept := given.work / "tiny/texts.pt").exists():
        upper.load_state_dict(torch.load(kept, weights_only=True))
    kinds = {"passages": "passage", "german": "passage", "queries": "query"}
    rng = np.random.default_rng(given.seed)
    sources = []
    for name, kind in kinds.items():
        ids = pools.read(name, "query" if kind == "query" else "text", kind)
        sources.append(Imitation(ids, Texts.load(pools.work / f"states-12/{name}")))
    streams = [source.batches(rng) for source in sources]

    def losses() -> Iterator[Tensor]:
        while True:
            chosen = rng.choice(len(sources), p=(0.5, 0.3, 0.2))
            yield missed_of_texts(encoder, sources[chosen].pair(next(streams[chosen])))

    run(given, upper, [{"params": list(upper.parameters()), "faster": 1.0}], losses())


def watched(model: Joint, pools: Pools, data: Path) -> str:
    """nDCG@10 on TREC DL 2021."""
    dev = Candidates(pools.work, data)
    trec, passages = pools.read("trec", "query", "query"), pools.read("passages", "text", "passage")
    order = np.argsort([len(passages[i]) for i in dev.rows], kind="stable")
    scores = np.zeros(len(order), np.float32)
    with torch.no_grad(), fast_numbers():
        for start in range(0, len(order), 32):
            part = order[start : start + 32]
            asked = [trec[dev.asked[i]] for i in part]
            scores[part] = model(asked, [passages[dev.rows[i]] for i in part]).logits.numpy()
    return f"nDCG@10 {dev.measured(scores):.4f}"


def opened(models: Path, work: Path, small: Gated) -> tuple[Encoder, Gated]:
    """What was taught by texts, with the head of crossrank-small and its upper gates."""
    encoder = student(models)
    upper = Gated(encoder)
    upper.views = nn.Parameter(small.views.data.clone())
    upper.gates.data = small.gates.data[-len(upper.layers) :].clone()
    theirs = small.state_dict().items()
    head = {name: v for name, v in theirs if name.split(".")[0] in ("pool", "head", "weigh")}
    upper.load_state_dict(head, strict=False)
    upper.layers.load_state_dict(torch.load(work / "tiny/texts.pt", weights_only=True))
    return encoder, upper


def pairs(given: argparse.Namespace, pools: Pools) -> None:
    """Stage two."""
    small = Shipped.load(given.models / "crossrank-small")
    rarity = small.tensor("rare.table")
    teacher = Joint(*small.gated(small.joint()), rarity).requires_grad_(False).eval()
    encoder, upper = opened(given.models, given.work, teacher.upper)
    if (kept := given.work / "tiny/pairs.pt").exists():
        upper.load_state_dict(torch.load(kept, weights_only=True))
    model = Joint(encoder, upper, rarity).requires_grad_(False)
    upper.layers.requires_grad_(True)
    upper.gates.requires_grad_(True)
    if given.data:
        print("start:", watched(model, pools, given.data), flush=True)
    rng = np.random.default_rng(given.seed)
    sources = [pools.grouped(rng), pools.contrasts()]

    def losses() -> Iterator[Tensor]:
        while True:
            chosen = [sources[i].pairs(rng) for i in rng.choice(2, 3, p=(0.8, 0.2))]
            asked, told = ([ids for each in chosen for ids in each[side]] for side in (0, 1))
            with torch.no_grad():
                wanted = teacher(asked, told)
            yield missed_of_pairs(model(asked, told), wanted)

    parts: list[dict[str, object]] = [
        {"params": list(upper.layers.parameters()), "faster": 1.0},
        {"params": [upper.gates], "faster": 30.0, "weight_decay": 0.0},
    ]
    run(given, upper, parts, losses())
    if given.data:
        print("end:", watched(model, pools, given.data), flush=True)


def main() -> None:
    """Trains one stage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--stage", choices=("texts", "pairs"), required=True)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--minutes", type=float, default=16)
    parser.add_argument("--lr", type=float, default=8e-4)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=13)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    torch.manual_seed(given.seed)
    (given.work / "tiny").mkdir(parents=True, exist_ok=True)
    stage = {"texts": texts, "pairs": pairs}[given.stage]
    stage(given, Pools(given.work, given.models))


if __name__ == "__main__":
    main()
