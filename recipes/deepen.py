"""Trains crossrank-small with eight joint layers instead of four, from the model as it was.

python recipes/deepen.py --models BEFORE --work WORK [--replay WORK/replay.jsonl ...] [--minutes 60]

BEFORE holds crossrank-embed and the crossrank-small with four joint layers. The layers 4 to 7,
which read both texts apart until now, get gates too; below, nothing changes, so that the model can
borrow it. Learned: the order of the texts in contrast groups (every pair of different grades,
RankNet), and, so that nothing else is forgotten, the scores that the model had for questions and
passages (replay.py). Saves WORK/NAME/last.pt with the moving average of the weights; started again
it goes on where it stopped. Watched: order in contrast groups of domains that are trained on, and
of UNSEEN, which are not; neither are the held-out ones.
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
from extra import taught
from recover import Shipped
from states import fast_numbers, padded, token_ids
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional as F

from crossrank.train.contrast import LANGUAGES, generate
from crossrank.train.gated import Encoder, Gated

SPLIT = 4
UNSEEN = ("coffee_machines", "tyres", "wheelchairs", "diabetes", "employment", "railway")
GRADES = (-4.0, -1.5, 1.5, 4.0)
MEMORY = 0.997
CONTRAST, REPLAY = 8, 6  # texts of a group in a step


@dataclass(frozen=True)
class Group:
    """Token ids of a query and of texts, and what is wanted of their logits."""

    query: list[int]
    texts: list[list[int]]
    target: np.ndarray
    graded: bool
    label: int = -1


def contrast_groups(
    tokenizer: Tokenizer, names: Sequence[str], count: int, seed: int, mix: float
) -> list[Group]:
    """Generated groups; the targets are grades."""
    made = list(generate(names, LANGUAGES, count, seed, mix))
    queries = token_ids(tokenizer, [group.query for group in made], "query: ", 100)
    texts = [text for group in made for text, _ in group.candidates]
    ids = token_ids(tokenizer, texts, "passage: ", 160)
    found, at = [], 0
    for group, query in zip(made, queries, strict=True):
        size = len(group.candidates)
        target = np.array([grade for _, grade in group.candidates], np.float32)
        found.append(Group(query, ids[at : at + size], target, True))
        at += size
    return found


def replay_groups(tokenizer: Tokenizer, paths: Sequence[Path]) -> list[Group]:
    """What replay.py wrote; the targets are logits."""
    rows = [json.loads(line) for path in paths for line in path.open(encoding="utf-8")]
    queries = token_ids(tokenizer, [row["query"] for row in rows], "query: ", 60)
    ids = token_ids(tokenizer, [t for row in rows for t in row["texts"]], "passage: ", 160)
    found, at = [], 0
    for row, query in zip(rows, queries, strict=True):
        size = len(row["texts"])
        target = np.array(row["logits"], np.float32)
        found.append(Group(query, ids[at : at + size], target, False, row["label"]))
        at += size
    return found


class Joint(torch.nn.Module):
    """A gated model with the frozen layers below it."""

    def __init__(self, encoder: Encoder, upper: Gated) -> None:
        super().__init__()
        self.encoder, self.upper = encoder, upper

    def forward(self, pairs: Sequence[tuple[list[int], list[int]]], rare: Tensor) -> Tensor:
        """Logits of pairs of token ids."""
        with torch.no_grad():
            asked, asked_mask = padded([q for q, _ in pairs])
            told, told_mask = padded([d for _, d in pairs])
            q, d = self.encoder.lower(asked, asked_mask), self.encoder.lower(told, told_mask)
            ends = asked_mask.sum(1)
            sizes = told_mask.sum(1)
            width = int((ends + sizes).max())
            state = torch.zeros(len(pairs), width, q.shape[-1], dtype=q.dtype)
            mask = torch.zeros(len(pairs), width, dtype=torch.long)
            kinds = torch.zeros(len(pairs), width, dtype=torch.long)
            weights = torch.zeros(len(pairs), width)
            for row, (a, b) in enumerate(zip(ends.tolist(), sizes.tolist(), strict=True)):
                state[row, :a] = q[row, :a]
                state[row, a : a + b] = d[row, :b]
                mask[row, : a + b] = 1
                kinds[row, a : a + b] = 1
                weights[row, 4:a] = rare[asked[row, 4:a]]
        return self.upper(state, mask, kinds, weights)


def start(models: Path, opening: float) -> tuple[Joint, Tensor, Tokenizer]:
    """The model as it was, the new gates at `opening`; rarities of the words; its tokenizer."""
    embed = Shipped.load(models / "crossrank-embed")
    small = Shipped.load(models / "crossrank-small")
    encoder = embed.encoder(SPLIT)
    before = small.layers() - sum(1 for name in small.held if name.startswith("gates.")) // 2
    for i in range(before, small.layers()):
        encoder.layers[i].load_state_dict(small.layer(i))
    upper = Gated(encoder)
    gates = torch.full_like(upper.gates, opening)
    for i in range(small.layers() - before):
        ask = small.array(f"gates.{i}.query").ravel()
        answer = ask + small.array(f"gates.{i}.step").ravel()
        gates[i + before - SPLIT] = torch.from_numpy(np.stack([ask, answer], 1))
    upper.gates.data = gates
    for mine, theirs in (("pool", "pooled"), ("head", "head"), ("weigh", "weigh")):
        part = getattr(upper, mine)
        part.weight.data = small.matrix(f"{theirs}.weight").clone()
        part.bias.data = small.tensor(f"{theirs}.bias")
    upper.views = torch.nn.Parameter(small.tensor("views.weight"))
    tokenizer = Tokenizer.from_file(str(models / "crossrank-embed/tokenizer.json"))
    return Joint(encoder, upper), small.tensor("rare.table"), tokenizer


def loss_of(logits: Tensor, group: Group, chosen: np.ndarray) -> Tensor:
    """RankNet over grades with a pointwise part, or listwise KL and margins to logits."""
    target = torch.from_numpy(group.target[chosen])
    if group.graded:
        better = target[:, None] > target[None]
        margin = (logits[:, None] - logits[None])[better]
        wanted = torch.tensor(GRADES)[target.long()].sigmoid()
        point = F.binary_cross_entropy_with_logits(logits, wanted)
        return F.softplus(-margin).mean() + 0.3 * point
    wanted = F.softmax(target, -1)
    if group.label in chosen:
        wanted = 0.5 * wanted + 0.5 * torch.from_numpy(chosen == group.label)
    listwise = F.kl_div(F.log_softmax(logits, -1), wanted.float(), reduction="sum")
    return listwise + 0.1 * (logits - target).square().clamp(max=25).mean()


def score(model: Joint, rare: Tensor, pairs: list[tuple[list[int], list[int]]]) -> Tensor:
    """Logits, in batches of similar length."""
    order = np.argsort([len(q) + len(d) for q, d in pairs], kind="stable")
    found = []
    for start_ in range(0, len(order), 24):
        part = order[start_ : start_ + 24]
        found.append(model([pairs[i] for i in part], rare).float())
    return torch.cat(found)[torch.from_numpy(np.argsort(order))]


def rightly_ordered(model: Joint, rare: Tensor, groups: list[Group]) -> float:
    """Share of pairs of different grade that are in order."""
    right = total = 0
    with torch.no_grad(), fast_numbers():
        every = score(model, rare, [(g.query, t) for g in groups for t in g.texts])
    for logits, group in zip(every.split([len(g.texts) for g in groups]), groups, strict=True):
        values = logits.numpy()
        better = group.target[:, None] > group.target[None]
        right += int((better & (values[:, None] > values[None])).sum())
        total += int(better.sum())
    return right / total


def remembered(model: Joint, rare: Tensor, groups: list[Group]) -> float:
    """Correlation of logits with those of replay groups."""
    with torch.no_grad(), fast_numbers():
        every = score(model, rare, [(g.query, t) for g in groups for t in g.texts]).numpy()
    wanted = np.concatenate([g.target for g in groups])
    return float(np.corrcoef(every, wanted)[0, 1])


def train(given: argparse.Namespace) -> None:
    """Runs until the time is over."""
    torch.set_num_threads(given.threads)
    torch.manual_seed(given.seed)
    model, rare, tokenizer = start(given.models, given.opening)
    model.encoder.requires_grad_(False)
    model.upper.requires_grad_(True)
    names = [name for name in taught() if name not in UNSEEN]
    watched = {
        "unseen": contrast_groups(tokenizer, UNSEEN, 72, 98, 0.0),
        "taught": contrast_groups(tokenizer, names, 44, 99, 0.0),
    }
    groups = contrast_groups(tokenizer, names, given.count, given.seed, given.mix)
    replay, kept_out = [], []
    if given.replay:
        replay = replay_groups(tokenizer, given.replay)
        kept_out, replay = replay[::110], [g for i, g in enumerate(replay) if i % 110]
    print(len(groups), "contrast groups", len(replay), "replay groups", flush=True)
    upper = model.upper
    head = [p for part in (upper.pool, upper.head, upper.weigh) for p in part.parameters()]
    optimiser = torch.optim.AdamW(
        [
            {"params": list(upper.layers.parameters()), "base": given.lr, "weight_decay": 0.01},
            {"params": head, "base": given.lr * 5, "weight_decay": 0.01},
            {"params": [upper.gates], "base": 1e-2, "weight_decay": 0.0},
            {"params": [upper.views], "base": given.lr * 100, "weight_decay": 0.0},
        ],
        lr=given.lr,
        betas=(0.9, 0.98),
    )
    out = given.work / given.name
    out.mkdir(exist_ok=True, parents=True)
    average = {name: value.clone() for name, value in upper.state_dict().items()}
    step, used, losses = 0, 0.0, {True: [], False: []}
    if (out / "last.pt").exists():
        kept: dict[str, Any] = torch.load(out / "last.pt", weights_only=True)
        upper.load_state_dict(kept["model"])
        optimiser.load_state_dict(kept["optimiser"])
        average, step, used = kept["average"], kept["step"], kept["used"]
    budget, mark, last = given.minutes * 60, time.time(), -1e9
    while True:
        if used - last >= given.check * 60 or used >= budget:
            last = used
            now = {name: value.clone() for name, value in upper.state_dict().items()}
            upper.load_state_dict(average)
            line: dict[str, Any] = {"step": step, "minutes": round(used / 60, 1)}
            line |= {k: round(rightly_ordered(model, rare, v), 4) for k, v in watched.items()}
            if kept_out:
                line["remembered"] = round(remembered(model, rare, kept_out), 4)
            upper.load_state_dict(now)
            for kind, name in ((True, "loss"), (False, "replay loss")):
                line[name] = round(float(np.mean(losses[kind] or [0])), 4)
            line |= {"views": [round(v, 1) for v in upper.views.tolist()]}
            line |= {"gates": [round(v, 2) for v in upper.gates.mean(1).flatten().tolist()]}
            print(json.dumps(line), flush=True)
            state = {"model": now, "optimiser": optimiser.state_dict()}
            state |= {"average": average, "step": step, "used": used}
            torch.save(state, out / "part.pt")
            (out / "part.pt").replace(out / "last.pt")
            losses, mark = {True: [], False: []}, time.time()
            if used >= budget:
                return
        done = min(1.0, used / budget)
        rate = min(1.0, (step + 1) / 60) * max(0.02, 0.5 * (1 + math.cos(math.pi * done)))
        for part in optimiser.param_groups:
            part["lr"] = part["base"] * rate
        rng = np.random.default_rng([given.seed, step])
        chosen = []
        for i in range(given.groups):
            pool = replay if replay and i < given.groups * given.share else groups
            group = pool[rng.integers(len(pool))]
            most = CONTRAST if group.graded else REPLAY
            chosen.append((group, rng.permutation(len(group.texts))[:most]))
        pairs = [(g.query, g.texts[i]) for g, keep in chosen for i in keep]
        with fast_numbers():
            logits = score(model, rare, pairs)
        loss, at = torch.zeros(()), 0
        for group, keep in chosen:
            own = loss_of(logits[at : at + len(keep)], group, keep)
            losses[group.graded].append(own.item())
            loss = loss + own / len(chosen)
            at += len(keep)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(upper.parameters(), 1.0)
        optimiser.step()
        step += 1
        with torch.no_grad():
            for name, value in upper.state_dict().items():
                average[name].lerp_(value, 1 - min(MEMORY, step / (step + 10)))
        used += time.time() - mark
        mark = time.time()
        if step in (3, 20):
            print(step, f"{used / step:.2f} s a step", loss.item(), flush=True)


def main() -> None:
    """Trains."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--replay", type=Path, nargs="*", default=[])
    parser.add_argument("--name", default="deep")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--lr", type=float, default=2e-4)
    parser.add_argument("--opening", type=float, default=-2.0)
    parser.add_argument("--groups", type=int, default=8)
    parser.add_argument("--share", type=float, default=0.25, help="of groups that are replay")
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--mix", type=float, default=0.3)
    parser.add_argument("--check", type=float, default=4)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=31)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
