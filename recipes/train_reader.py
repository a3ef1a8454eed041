"""Trains the reader of the shipped cross-encoder: on contrast data, teachers' scores and labels.

torchrun --nproc-per-node 2 recipes/train_reader.py --work WORK --minutes 70

One process a core, bf16 where the processor computes it. WORK/reader/*.jsonl are the groups
(reader_groups.py); contrast groups are generated as they are needed. WORK/reader/last.pt holds
everything; started again, with another number of processes if need be, it goes on where it
stopped. Progress is judged on contrast groups of `WATCHED`, four domains that are not taught here.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from extra import taught
from recover import Shipped
from states import fast_numbers, padded
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional as F

from crossrank.train.contrast import LANGUAGES, generate
from crossrank.train.gated import Encoder
from crossrank.train.reader import START, Reader

MODELS = Path(__file__).resolve().parents[1] / "src/crossrank/assets/models"
WATCHED = ("bicycles", "coffee_machines", "employment", "diabetes")
SHARES = {
    "contrast": 0.5,
    "web": 0.28,
    "trec": 0.05,
    "wikiqa": 0.05,
    "sts": 0.12,
}
MIX = 0.5
"""Share of contrast groups with facts of two domains."""

SIZE = 6
LONGEST = {"query": 48, "passage": 104}
WEIGHT = 2.0
"""How much the reader's logit counts beside the gated one."""

SCALES = {
    "contrast": (1 / WEIGHT, 0.0),
    "web": (0.56, 0.0),
    "trec": (0.77, 0.0),
    "wikiqa": (0.33, -3.05),
    "sts": (0.35, -2.48),
}
"""Slope and intercept that fit the gated logit best to the targets; the reader need not learn them.
Where they do not fit, it learns to take back what the gated layers say."""

LIKELY = (0.03, 0.1, 0.75, 0.95)
"""What a contrast grade is worth as a probability."""


@dataclass
class Group:
    """A query with texts; `target` are grades (contrast), logits (teachers) or labels 0 to 1."""

    source: str
    query: str
    texts: list[str]
    target: list[float]
    gated: list[float]
    """Logits of the gated layers, beside which the reader's stands; 0 where they are not known."""


def contrast(seed: int, names: list[str], mix: float = 0.0) -> Iterator[Group]:
    """Contrast groups without end; in a share of them a domain has facts of another."""
    while True:
        for group in generate(names, LANGUAGES, 100, seed, mix):
            texts, grades = zip(*group.candidates, strict=True)
            none = [0.0] * len(texts)
            yield Group("contrast", group.query, list(texts), list(map(float, grades)), none)
        seed += 1000


def some(group: Group, rng: np.random.Generator) -> Group:
    """At most `SIZE` of the texts: one of every grade, and what differs least from the best one."""
    order = rng.permutation(len(group.texts)).tolist()
    kept = order[:SIZE]
    if group.source in ("contrast", "wikiqa"):
        first = {group.target[i]: i for i in order}
        best = first[max(first)]
        lower = [i for i in order if group.target[i] == max(first) - 2]
        if lower:  # the twin that violates one condition, word for word the same otherwise
            words = set(group.texts[best].split())
            first[max(first) - 2] = max(lower, key=lambda i: alike(words, group.texts[i]))
        kept = list(dict.fromkeys([*first.values(), *order]))[:SIZE]
    return Group(
        group.source,
        group.query,
        [group.texts[i] for i in kept],
        [group.target[i] for i in kept],
        [group.gated[i] for i in kept],
    )


def alike(words: set[str], text: str) -> float:
    """Shared words over all words (Jaccard)."""
    other = set(text.split())
    return len(words & other) / len(words | other)


def loss_of(logits: Tensor, group: Group) -> Tensor:
    """RankNet and a pointwise part for grades; listwise KL and margins for teachers.

    `logits` are the reader's; what is judged is their sum with the gated ones, scaled.
    """
    slope, intercept = SCALES[group.source]
    logits = slope * (torch.tensor(group.gated) + WEIGHT * logits) + intercept
    target = torch.tensor(group.target)
    if group.source in ("contrast", "wikiqa", "sts"):
        grades = group.source == "contrast"
        likely = torch.tensor([LIKELY[int(grade)] for grade in group.target]) if grades else target
        pointwise = F.binary_cross_entropy_with_logits(logits, likely)
        better = target[:, None] > target[None]
        pairs = F.softplus(logits[None] - logits[:, None])[better]
        return 2 * pairs.mean() + 0.25 * pointwise if len(pairs) else pointwise
    listwise = F.kl_div(F.log_softmax(logits, -1), F.softmax(target, -1), reduction="sum")
    margins = (logits[:, None] - logits[None]) - (target[:, None] - target[None])
    return listwise + 0.1 * margins.square().clamp(max=16).mean()


class Inputs:
    """Ids and states after `START` layers of texts."""

    def __init__(self, encoder: Encoder, folder: Path) -> None:
        self.encoder = encoder.eval()
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_truncation()

    def ids(self, kind: str, texts: list[str]) -> list[list[int]]:
        """`<s> kind: text </s>` of every text, cut to `LONGEST`."""
        found = [e.ids for e in self.tokenizer.encode_batch([f"{kind}: {t}" for t in texts])]
        longest = LONGEST[kind]
        return [i if len(i) <= longest else [*i[: longest - 1], i[-1]] for i in found]

    def states(self, ids: list[list[int]]) -> list[Tensor]:
        """[tokens, hidden] of every text."""
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        found: list[Tensor] = [torch.empty(0)] * len(ids)
        with torch.no_grad(), fast_numbers():
            for part in np.array_split(order, max(1, len(order) // 16)):
                inputs, mask = padded([ids[i] for i in part])
                for i, state in zip(part, self.encoder.lower(inputs, mask), strict=True):
                    found[i] = state[: len(ids[i])]
        return found

    def pairs(self, groups: list[tuple[str, list[str]]]) -> Iterator[tuple[Any, ...]]:
        """(which pairs, states, ids, mask, kinds): batches of pairs of similar length."""
        asked = self.ids("query", [query for query, _ in groups])
        texts = self.ids("passage", [text for _, each in groups for text in each])
        states = self.states(asked + texts)
        owner = [i for i, (_, each) in enumerate(groups) for _ in each]
        sizes = np.array([len(asked[o]) + len(t) for o, t in zip(owner, texts, strict=True)])
        order = np.argsort(sizes, kind="stable")
        for part in np.array_split(order, max(1, int(sizes.sum() // 1000))):
            rows = [asked[owner[i]] + texts[i] for i in part]
            ids, mask = padded(rows)
            state = torch.zeros(*ids.shape, states[0].shape[1])
            kinds = torch.zeros_like(ids)
            for row, i in enumerate(part):
                first, second = states[owner[i]], states[len(asked) + i]
                state[row, : len(first)] = first
                state[row, len(first) : len(first) + len(second)] = second
                kinds[row, len(first) : len(first) + len(second)] = 1
            yield part, state, ids, mask, kinds


def scored(model: Reader, inputs: Inputs, groups: list[tuple[str, list[str]]]) -> np.ndarray:
    """Logits of all pairs, in their order."""
    out = np.zeros(sum(len(texts) for _, texts in groups), np.float32)
    start = 0
    with torch.no_grad(), fast_numbers():
        for some_groups in (groups[i : i + 8] for i in range(0, len(groups), 8)):
            for part, *rest in inputs.pairs(some_groups):
                out[start + part] = model(*rest).float().numpy()
            start += sum(len(texts) for _, texts in some_groups)
    return out


def ordered(model: Reader, inputs: Inputs, groups: list[Group]) -> dict[str, float]:
    """Share of pairs of different grade in the right order, over all and for pairs of grades."""
    logits = scored(model, inputs, [(g.query, g.texts) for g in groups])
    right: dict[str, list[float]] = {}
    at = 0
    for group in groups:
        own = logits[at : at + len(group.texts)]
        at += len(group.texts)
        for i, high in enumerate(group.target):
            for j, low in enumerate(group.target):
                if high > low:
                    for key in ("all", f"{high:.0f}{low:.0f}"):
                        right.setdefault(key, []).append(float(own[i] > own[j]))
    return {key: round(float(np.mean(found)), 3) for key, found in sorted(right.items())}


class Sources:
    """Groups to learn from, drawn by share."""

    def __init__(self, work: Path, rank: int, seed: int) -> None:
        every = [name for name in taught() if name not in WATCHED]
        self.contrast = contrast(seed * 7919 + rank * 101, every, MIX)
        self.stored: dict[str, list[Group]] = {}
        for path in sorted((work / "reader").glob("*.jsonl")):
            with path.open(encoding="utf-8") as lines:
                self.stored[path.stem] = [Group(path.stem, *json.loads(x)) for x in lines]
        self.names = ["contrast", *self.stored]
        shares = np.array([SHARES[name] for name in self.names])
        self.shares = shares / shares.sum()

    def draw(self, count: int, seed: list[int], rank: int) -> list[Group]:
        """Groups of the same sources for every process, so that none waits for another's."""
        names = np.random.default_rng(seed).choice(self.names, count, p=self.shares)
        rng = np.random.default_rng([*seed, rank])
        found = []
        for name in names:
            stored = self.stored.get(str(name))
            group = stored[rng.integers(len(stored))] if stored else next(self.contrast)
            found.append(some(group, rng))
        return found


def averaged(model: Reader) -> None:
    """Gradients summed over the processes and divided by their number."""
    if not dist.is_initialized():
        return
    held = [p for p in model.parameters() if p.grad is not None]
    flat = torch.cat([p.grad.flatten() for p in held if p.grad is not None])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    at = 0
    for p in held:
        assert p.grad is not None
        p.grad.copy_(flat[at : at + p.numel()].view_as(p))
        at += p.numel()


def train(given: argparse.Namespace) -> None:
    """Until the minutes are over."""
    rank, ranks = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    torch.set_num_threads(1)
    torch.manual_seed(given.seed)
    if ranks > 1:
        dist.init_process_group("gloo")
    inputs = Inputs(
        Shipped(MODELS / "crossrank-embed/model.onnx").encoder(START), MODELS / "crossrank-embed"
    )
    model = Reader(inputs.encoder)
    for p in inputs.encoder.parameters():
        p.requires_grad_(False)
    slow = list(model.layers.parameters())
    head = [*model.pool.parameters(), *model.head.parameters()]
    base = {"slow": given.lr, "head": 2 * given.lr, "fast": 20 * given.lr}
    optimiser = torch.optim.AdamW(
        [
            {"params": slow, "name": "slow"},
            {"params": head, "name": "head"},
            {"params": [model.gates, model.marks], "name": "fast", "weight_decay": 0.0},
        ],
        lr=given.lr,
        weight_decay=0.01,
        betas=(0.9, 0.98),
    )
    out: Path = given.work / "reader"
    out.mkdir(parents=True, exist_ok=True)
    step, used = 0, 0.0
    if (out / "last.pt").exists():
        kept: dict[str, Any] = torch.load(out / "last.pt", weights_only=True)
        model.load_state_dict(kept["model"])
        optimiser.load_state_dict(kept["optimiser"])
        step, used = kept["step"], kept["used"]
    sources = Sources(given.work, rank, given.seed + step)
    watched = contrast(77, list(WATCHED))
    watch = [next(watched) for _ in range(60)]
    begun, first = time.time() - used, step
    ends = begun + given.minutes * 60
    losses: dict[str, list[float]] = {}
    while True:
        used = time.time() - begun
        over = torch.tensor([float(time.time() >= ends)])
        if ranks > 1:
            dist.broadcast(over, 0)
        if rank == 0 and (bool(over) or (step % given.check == 0 and step > first)):
            line: dict[str, Any] = {"step": step, "minutes": round(used / 60, 1)}
            line |= {name: round(float(np.mean(each)), 3) for name, each in losses.items()}
            line["watched"] = ordered(model, inputs, watch)
            line["gates"] = [round(v, 2) for v in model.gates.mean((1, 2)).tolist()]
            line["marks"] = round(float(model.marks.detach().norm()), 2)
            with (out / "curve.json").open("a") as curve:
                curve.write(json.dumps(line) + "\n")
            print(json.dumps(line), flush=True)
            losses = {}
            state = {"model": model.state_dict(), "optimiser": optimiser.state_dict()}
            torch.save(state | {"step": step, "used": used}, out / "part.pt")
            (out / "part.pt").replace(out / "last.pt")
        if bool(over):
            return
        rate = min(1.0, (step + 1) / 60)
        if not given.hold:
            left = max(0.0, ends - time.time()) / (given.minutes * 60 * given.cool)
            rate *= max(0.03, min(1.0, left))
        for group in optimiser.param_groups:
            group["lr"] = base[group["name"]] * rate
        groups = sources.draw(given.groups, [given.seed, step], rank)
        starts = np.cumsum([0, *(len(g.texts) for g in groups)])
        with fast_numbers():
            found: list[tuple[np.ndarray, Tensor]] = [
                (part, model(*rest).float())
                for part, *rest in inputs.pairs([(g.query, g.texts) for g in groups])
            ]
        places = np.argsort(np.concatenate([part for part, _ in found]))
        logits = torch.cat([each for _, each in found])[torch.from_numpy(places)]
        parts = [
            loss_of(logits[a:b], g) for g, a, b in zip(groups, starts, starts[1:], strict=False)
        ]
        optimiser.zero_grad()
        torch.stack(parts).mean().backward()
        averaged(model)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        for g, part in zip(groups, parts, strict=True):
            losses.setdefault(g.source, []).append(part.item())
        step += 1
        if rank == 0 and step - first in (2, 10):
            print(step, f"{(time.time() - begun - used):.2f} s", flush=True)


def main() -> None:
    """Trains."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=70, help="altogether, with earlier starts")
    parser.add_argument("--groups", type=int, default=8, help="of one step and process")
    parser.add_argument("--lr", type=float, default=1.6e-4)
    parser.add_argument("--cool", type=float, default=0.5, help="last share of the time, falling")
    parser.add_argument("--hold", action="store_true", help="no falling yet: this goes on later")
    parser.add_argument("--check", type=int, default=100)
    parser.add_argument("--seed", type=int, default=13)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
