"""Weights between the start of the training and its end (WiSE-FT, Wortsman et al. 2022).

python recipes/blend.py --data DATA --work WORK --shares 0.25,0.5,0.75,1 [--keep SHARE]

Prints for each share of the trained weights nDCG@10 on the dev set and the share of held-out
contrast pairs in the right order; `--keep` saves that blend as WORK/small/best.pt, `--views` with
other weights of cosine, lower and upper token match (chosen on the dev set).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file
from states import SPLIT
from torch import Tensor
from train_small import Dev, Texts, contrast_accuracy, heldout_source

from crossrank.train.gated import Gated, load_encoder


def between(start: dict[str, Tensor], end: dict[str, Tensor], share: float) -> dict[str, Tensor]:
    """The weights `share` of the way from one model to another."""
    return {name: (1 - share) * value + share * end[name] for name, value in start.items()}


def mean(states: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The mean of the weights of several models (model soups, Wortsman et al. 2022)."""
    return {name: sum(state[name] for state in states) / len(states) for name in states[0]}


def blended(work: Path, share: float) -> Gated:
    """The model whose weights are `share` of the way from the start to the end."""
    end = torch.load(work / "small/last.pt", weights_only=True)["model"]
    model = Gated(load_encoder(load_file(work / "base/model.safetensors"), SPLIT))
    model.load_state_dict(between(model.state_dict(), end, share))
    return model


def main() -> None:
    """Prints a table, or keeps one blend."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--shares", default="0.25,0.5,0.75,1")
    parser.add_argument("--dev-queries", type=int, default=53)
    parser.add_argument("--keep", type=float)
    parser.add_argument("--views", default="")
    given = parser.parse_args()
    if given.keep is not None:
        chosen = blended(given.work, given.keep)
        if given.views:
            chosen.views.data = torch.tensor([float(v) for v in given.views.split(",")])
        torch.save(chosen.state_dict(), given.work / "small/best.pt")
        return
    torch.set_num_threads(1)
    documents = Texts.load(given.work / "states/passages")
    dev = Dev(given.work, given.data, documents, given.dev_queries)
    heldout = heldout_source(given.work)
    print("share  nDCG@10  contrast")
    for share in map(float, given.shares.split(",")):
        model = blended(given.work, share)
        held = contrast_accuracy(model, heldout, 80)
        print(f"{share:5.2f}  {dev.ndcg(model):7.4f}  {held:8.4f}", flush=True)


if __name__ == "__main__":
    main()
