"""Distils the teachers into the shipped bi-encoder: its upper layers, on prepared groups.

python recipes/train_embed.py --data DATA --work WORK --minutes 20

Same preparation as train_small.py. Loss: KL to the teachers over the documents of a group, InfoNCE
over the documents of the whole batch, and a pull towards the starting vectors, which keeps what
the groups do not ask about. Saves WORK/embed/best.pt.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from states import SPLIT
from torch import Tensor
from torch.nn import functional as F
from train_small import Dev, Source, Texts, load_sources, pick

from crossrank.train.gated import Encoder, load_encoder, mean_pool

SHARES = {"teacher": 0.3, "known answer": 0.4, "trec": 0.15, "wikiqa": 0.1, "contrast": 0.05}


def stacked(states: list[np.ndarray]) -> tuple[Tensor, Tensor]:
    """States [b, s, hidden] and mask [b, s]."""
    width = max(map(len, states))
    out = np.zeros((len(states), width, states[0].shape[1]), np.float16)
    mask = np.zeros((len(states), width), np.int64)
    for row, state in enumerate(states):
        out[row, : len(state)] = state
        mask[row, : len(state)] = 1
    return torch.from_numpy(out).float(), torch.from_numpy(mask)


def vectors(encoder: Encoder, states: list[np.ndarray]) -> Tensor:
    """Unit vectors [b, hidden]."""
    state, mask = stacked(states)
    with torch.autocast("cpu", torch.bfloat16):
        top = encoder.upper(state, mask)
    return F.normalize(mean_pool(top.float(), mask), dim=-1)


def encode_all(encoder: Encoder, texts: Texts, rows: list[int]) -> dict[int, np.ndarray]:
    """The vectors of chosen texts."""
    order = sorted(set(rows), key=lambda i: int(texts.offsets[i + 1] - texts.offsets[i]))
    found: dict[int, np.ndarray] = {}
    with torch.no_grad():
        for start in range(0, len(order), 32):
            part = order[start : start + 32]
            found |= dict(
                zip(part, vectors(encoder, [texts.get(i) for i in part]).numpy(), strict=True)
            )
    return found


def ndcg(encoder: Encoder, dev: Dev) -> float:
    """nDCG@10 on the dev set, re-ranking by cosine."""
    docs = encode_all(encoder, dev.documents, dev.rows)
    asked = encode_all(encoder, dev.queries, dev.asked)
    scores = [float(asked[q] @ docs[d]) for q, d in zip(dev.asked, dev.rows, strict=True)]
    return dev.measured(np.array(scores))


def batch_loss(
    encoder: Encoder,
    start: Encoder,
    chosen: list[tuple[Source, int, np.ndarray, np.ndarray, int]],
    scale: Tensor,
) -> Tensor:
    """The loss of one batch of groups."""
    queries = [source.queries.many([q])[0] for source, q, _, _, _ in chosen]
    docs = [state for source, _, rows, _, _ in chosen for state in source.documents.many(rows)]
    asked, found = vectors(encoder, queries), vectors(encoder, docs)
    with torch.no_grad():
        before = torch.cat([vectors(start, queries), vectors(start, docs)])
    keep = 1 - (torch.cat([asked, found]) * before).sum(-1).mean()
    logits = scale * asked @ found.T
    loss, at = 2.0 * keep, 0
    for i, (source, _, rows, target, label) in enumerate(chosen):
        wanted = F.softmax(torch.as_tensor(target, dtype=torch.float32), -1)
        if label >= 0:
            wanted = 0.3 * wanted
            wanted[label] += 0.7
        own = logits[i, at : at + len(rows)]
        weight = 0.3 if source.name == "contrast" else 1.0
        own_loss = F.kl_div(F.log_softmax(own, -1), wanted, reduction="sum")
        best = at + (label if label >= 0 else int(np.argmax(target)))
        others = [j for j in range(len(docs)) if not at <= j < at + len(rows)] + [best]
        wide = F.cross_entropy(logits[i, others][None], torch.tensor([len(others) - 1]))
        loss = loss + weight * (own_loss + 0.1 * wide) / len(chosen)
        at += len(rows)
    return loss


def train(given: argparse.Namespace) -> None:
    """Runs until the time is over."""
    torch.set_num_threads(1)
    torch.manual_seed(given.seed)
    documents = Texts.load(given.work / "states/passages")
    tensors = load_file(given.work / "base/model.safetensors")
    encoder, start = load_encoder(tensors, SPLIT), load_encoder(tensors, SPLIT)
    sources = load_sources(given.work, documents, start)
    shares = np.array([SHARES[s.name] for s in sources])
    scale = torch.nn.Parameter(torch.tensor(50.0))
    layers = list(encoder.layers[SPLIT:].parameters())
    optimiser = torch.optim.AdamW(
        [{"params": layers, "base": given.lr}, {"params": [scale], "base": 0.05}],
        lr=given.lr,
        weight_decay=0.01,
    )
    dev = Dev(given.work, given.data, documents, given.dev_queries)
    out = given.work / "embed"
    out.mkdir(exist_ok=True)
    step, used, best, losses, mark = 0, 0.0, 0.0, [], time.time()
    while True:
        if step % given.check == 0 or used >= given.minutes * 60:
            value = ndcg(encoder, dev)
            line = {"step": step, "minutes": round(used / 60, 1), "nDCG@10": round(value, 4)}
            line |= {"loss": round(float(np.mean(losses or [0])), 4), "scale": scale.item()}
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
        batch = [
            sources[i] for i in rng.choice(len(sources), given.groups, p=shares / shares.sum())
        ]
        loss = batch_loss(encoder, start, [(s, *pick(s, rng)) for s in batch], scale)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(layers, 1.0)
        optimiser.step()
        losses.append(loss.item())
        step += 1
        used += time.time() - mark
        mark = time.time()


def main() -> None:
    """Trains."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--lr", type=float, default=2e-5)
    parser.add_argument("--groups", type=int, default=6)
    parser.add_argument("--check", type=int, default=250)
    parser.add_argument("--dev-queries", type=int, default=53)
    parser.add_argument("--seed", type=int, default=13)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
