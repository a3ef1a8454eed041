"""Fine-tunes the cross-encoder to graded similarity on STS-b, German and English together.

python recipes/train_sts.py --data DATA --work WORK

The head's logit through a sigmoid against score / 5, squared error, each pair in a random order;
at the end both orders are averaged. Prints Spearman on the dev and test sets of both languages,
of the starting bi-encoder's cosine and of the trained model. Nothing of it ships.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from scipy.stats import spearmanr
from states import SPLIT, token_ids
from tokenizers import Tokenizer
from train_small import Fresh, logits_of, score

from crossrank.train.gated import Gated, load_encoder

Rows = list[tuple[str, str, float]]


def pairs(data: Path, language: str, split: str) -> Rows:
    """Sentence pairs with their similarity, 0 to 5."""
    file = data / f"stsb-{language}/{split}.jsonl.gz"
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [(row["text_a"], row["text_b"], float(row["score"])) for row in rows]


class Sides:
    """The sentences of pairs as queries and as passages, encoded when asked for."""

    def __init__(self, work: Path, encoder: object, rows: Rows) -> None:
        tokenizer = Tokenizer.from_file(str(work / "base/tokenizer.json"))
        texts = [text for a, b, _ in rows for text in (a, b)]
        self.queries = Fresh(encoder, token_ids(tokenizer, texts, "query: ", 96))
        self.passages = Fresh(encoder, token_ids(tokenizer, texts, "passage: ", 96))

    def states(self, chosen: np.ndarray, swap: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """(query states, passage states) of pairs, sides swapped where `swap` is 1."""
        first = self.queries.many(2 * chosen + swap)
        return list(zip(first, self.passages.many(2 * chosen + 1 - swap), strict=True))


def spearman(model: Gated, sides: Sides, rows: Rows) -> float:
    """Rank correlation, both orders averaged."""
    every = np.arange(len(rows))
    total = np.zeros(len(rows))
    for swap in (0, 1):
        for part in np.array_split(every, max(1, len(rows) // 200)):
            states = sides.states(part, np.full(len(part), swap))
            total[part] += score(model, states)
    return float(spearmanr(total, [value for _, _, value in rows]).statistic)


def main() -> None:
    """Trains and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=18)
    parser.add_argument("--lr", type=float, default=1.5e-4)
    parser.add_argument("--seed", type=int, default=13)
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(given.seed)
    encoder = load_encoder(load_file(given.work / "base/model.safetensors"), SPLIT)
    model = Gated(encoder)
    train = pairs(given.data, "de", "train") + pairs(given.data, "en", "train")
    sides = Sides(given.work, encoder, train)
    target = torch.tensor([value / 5 for _, _, value in train])
    optimiser = torch.optim.AdamW(model.parameters(), lr=given.lr, weight_decay=0.01)
    rng, start, step = np.random.default_rng(given.seed), time.time(), 0
    model.train()
    while (done := (time.time() - start) / (60 * given.minutes)) < 1:
        for group in optimiser.param_groups:
            group["lr"] = given.lr * min(1, (step + 1) / 50) * 0.5 * (1 + math.cos(math.pi * done))
        chosen = rng.integers(len(train), size=48)
        logits = logits_of(model, sides.states(chosen, rng.integers(2, size=48)))
        loss = torch.nn.functional.mse_loss(logits.sigmoid(), target[chosen])
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        step += 1
        if step % 50 == 0:
            print(step, f"loss {loss.item():.4f}", flush=True)
    start_model = Gated(load_encoder(load_file(given.work / "base/model.safetensors"), SPLIT))
    for language in ("de", "en"):
        rows = pairs(given.data, language, "test")
        held = Sides(given.work, encoder, rows)
        before, after = spearman(start_model, held, rows), spearman(model, held, rows)
        print(f"stsb-{language} test  Spearman {before:.4f} at the start, {after:.4f} trained")


if __name__ == "__main__":
    main()
