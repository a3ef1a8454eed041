"""Trains crossrank-similar: the four upper layers of crossrank-embed, opened to the other text.

python recipes/train_similar.py --data DATA --models OUT --work WORK [--minutes 32] [--seed 13]
    [--start 13,14 --offers 16]

Needs what similar_pairs.py wrote. Starts at the cosine of both texts without prompts, fitted to
STS-b, with the layers as crossrank-embed ships them; the lower ones stay as they are, so that the
model can borrow them. The logit through a sigmoid against the similarity, cross-entropy, both texts
in random order and, where there are two, in a random language. Prints Spearman on STS-b dev, both
orders averaged, and saves the moving average of the weights.

WORK/similar/SEED.pt  the weights that are the model's own
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from blend import mean
from pools import stsb
from recover import Shipped
from scipy.stats import spearmanr
from similar_pairs import KINDS, Unit, fitted
from states import SPLIT, fast_numbers, token_ids
from tokenizers import Tokenizer
from torch.nn import functional as F
from train_small import Fresh, collate, logits_of, score

from crossrank.train.gated import CENTRE, Encoder, Gated

SHORT = {"stsb": 20, "sick": 6, "msrp": 6, "taught sentences": 16}
LONG = {"contrast": 4, "taught texts": 4, "taught german": 4}
"""Pairs of each kind in a step; short and long ones are padded apart."""

LONGEST = 128
MEMORY = 0.998
"""Share of the moving average that a step keeps."""

RATES = ((1, 0.01), (10, 0.0), (50, 0.0), (1000, 0.0))
"""How many times faster layers, head, gates and views learn, and their weight decay."""


class Lower:
    """States after the split of texts, computed once."""

    def __init__(self, encoder: Encoder, tokenizer: Tokenizer) -> None:
        self.encoder, self.tokenizer = encoder.eval(), tokenizer
        self.known: dict[str, np.ndarray] = {}

    def __call__(self, texts: list[str]) -> list[np.ndarray]:
        """float16 [tokens, hidden] of each."""
        new = sorted({text for text in texts if text not in self.known}, key=len)
        for start in range(0, len(new), 64):
            part = new[start : start + 64]
            ids = token_ids(self.tokenizer, part, "", LONGEST)
            states = Fresh(self.encoder, ids).many(range(len(part)))
            self.known |= {text: state.copy() for text, state in zip(part, states, strict=True)}
        return [self.known[text] for text in texts]

    def pairs(self, left: list[str], right: list[str]) -> list[tuple[np.ndarray, np.ndarray]]:
        """The states of both texts of each pair."""
        both = self([*left, *right])
        return list(zip(both[: len(left)], both[len(left) :], strict=True))


def opened(encoder: Encoder, lower: Lower, rows_of: list[tuple[str, str, float]]) -> Gated:
    """The model at the start: its logit is the fitted cosine."""
    model = Gated(encoder, opening=(-2.0, -2.0))
    pairs = lower.pairs([a for a, _, _ in rows_of], [b for _, b, _ in rows_of])
    model.eval()
    closed = Gated(encoder, opening=(-1e4, -1e4)).eval()
    with torch.no_grad(), fast_numbers():
        cosines = [
            closed.parts(*collate(pairs[start : start + 64]))[1][:, 0].float()
            for start in range(0, len(pairs), 64)
        ]
    x = torch.cat(cosines).numpy()[:, None]
    target = np.array([value / 5 for _, _, value in rows_of])
    slope, middle = fitted(x, target).tolist()
    with torch.no_grad():
        model.views.copy_(torch.tensor([slope, 0.0, 0.0]))
        model.head.bias.fill_(middle)
    print(f"start: {slope:.2f} * (cosine - {CENTRE}) + {middle:.2f}", flush=True)
    return model


class Source:
    """Pairs of one kind, drawn anew when all were seen."""

    def __init__(self, chosen: np.ndarray, rng: np.random.Generator) -> None:
        self.chosen, self.rng, self.order = chosen, rng, np.empty(0, int)

    def draw(self, count: int) -> np.ndarray:
        """The next rows."""
        if len(self.order) < count:
            self.order = np.concatenate([self.order, self.rng.permutation(self.chosen)])
        found, self.order = self.order[:count], self.order[count:]
        return found


def version(unit: Unit, rng: np.random.Generator) -> str:
    """A text in one of its languages."""
    return unit[list(unit)[rng.integers(len(unit))]]


def trained(work: Path, seeds: str) -> dict[str, torch.Tensor]:
    """The mean of several trainings."""
    files = [work / f"similar/{seed}.pt" for seed in seeds.split(",")]
    return mean([torch.load(file, weights_only=True) for file in files])


def both_orders(model: Gated, lower: Lower, left: list[str], right: list[str]) -> np.ndarray:
    """The mean logit of both orders."""
    a, b = score(model, lower.pairs(left, right)), score(model, lower.pairs(right, left))
    return (a + b) / 2


def watched(model: Gated, lower: Lower, data: Path, every: int) -> str:
    """Spearman on the dev sets."""
    found = []
    for language in ("de", "en"):
        left, right, labels = zip(*stsb(data, language, "dev")[::every], strict=True)
        logits = both_orders(model, lower, list(left), list(right))
        found.append(f"{language} {spearmanr(logits, labels).statistic:.4f}")
    return "stsb dev " + " ".join(found)


def main() -> None:
    """Trains and saves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=32)
    parser.add_argument("--start", default="", help="go on from the mean of these trainings")
    parser.add_argument("--offers", type=int, default=LONG["contrast"], help="of them in a step")
    parser.add_argument("--lr", type=float, default=1e-4)
    parser.add_argument("--seed", type=int, default=13)
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(given.seed)
    rng = np.random.default_rng(given.seed)
    folder = given.models / "crossrank-embed"
    encoder = Shipped(folder / "model.onnx").encoder(SPLIT)
    lower = Lower(encoder, Tokenizer.from_file(str(folder / "tokenizer.json")))
    model = opened(
        encoder, lower, [r for x in ("de", "en") for r in stsb(given.data, x, "train")[::3]]
    )
    print(watched(model, lower, given.data, 5), flush=True)
    if given.start:
        model.load_state_dict(trained(given.work, given.start))
    mixes = (SHORT, 3), (LONG | {"contrast": given.offers}, 2)
    units: list[Unit] = json.loads((given.work / "similar/units.json").read_text())
    with np.load(given.work / "similar/pairs.npz") as found:
        left, right, kind = found["left"], found["right"], found["kind"]
        target = torch.from_numpy(found["target"]).float()
    sources = [Source(np.flatnonzero(kind == i), rng) for i in range(len(KINDS))]
    head = [p for part in (model.pool, model.head, model.weigh) for p in part.parameters()]
    parts_of = (list(model.layers.parameters()), head, [model.gates], [model.views])
    groups = [
        {"params": params, "base": given.lr * faster, "weight_decay": decay}
        for params, (faster, decay) in zip(parts_of, RATES, strict=True)
    ]
    optimiser = torch.optim.AdamW(groups, lr=given.lr)
    average = {name: value.detach().clone() for name, value in model.state_dict().items()}
    start, step, losses = time.time(), 0, []
    model.train()
    while (done := (time.time() - start) / (60 * given.minutes)) < 1:
        for group in optimiser.param_groups:
            group["lr"] = (
                group["base"] * min(1, (step + 1) / 100) * 0.5 * (1 + math.cos(math.pi * done))
            )
        loss = torch.zeros(())
        for mix, parts in mixes:
            chosen = np.concatenate([sources[KINDS.index(k)].draw(n) for k, n in mix.items()])
            swap = rng.random(len(chosen)) < 0.5
            first, second = np.where(
                swap, (right[chosen], left[chosen]), (left[chosen], right[chosen])
            )
            a, b = ([version(units[i], rng) for i in side] for side in (first, second))
            logits = logits_of(model, lower.pairs(a, b), parts)
            loss = loss + F.binary_cross_entropy_with_logits(
                logits, target[chosen], reduction="sum"
            )
        total = sum(sum(mix.values()) for mix, _ in mixes)
        optimiser.zero_grad()
        (loss / total).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        step += 1
        losses.append(loss.item() / total)
        kept = min(MEMORY, step / (step + 10))
        with torch.no_grad():
            for name, value in model.state_dict().items():
                average[name].lerp_(value, 1 - kept)
        if step % 100 == 0:
            said = watched(model, lower, given.data, 5) if step % 400 == 0 else ""
            print(step, f"{done:.2f} loss {np.mean(losses[-100:]):.4f}", said, flush=True)
    model.load_state_dict(average)
    print(step, "averaged:", watched(model, lower, given.data, 1), flush=True)
    torch.save(average, given.work / f"similar/{given.seed}.pt")


if __name__ == "__main__":
    main()
