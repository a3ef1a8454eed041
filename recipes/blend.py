"""Weights between the start of the training and its end (WiSE-FT, Wortsman et al. 2022).

python recipes/blend.py --data DATA --work WORK --models OUT [--names small,other]
    [--shares 0,0.5,1] [--keep SHARE]

The end is the mean of the moving averages of all trainings named (model soups, Wortsman et al.
2022). Prints for each share of the way what train_small.py watches; `--keep` saves that blend as
WORK/small/best.pt.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from train_small import Dev, rightly_ordered, start_encoder, start_model, watched

from crossrank.train.gated import Gated


def between(start: dict[str, Tensor], end: dict[str, Tensor], share: float) -> dict[str, Tensor]:
    """The weights `share` of the way from one model to another."""
    return {name: (1 - share) * value + share * end[name] for name, value in start.items()}


def mean(states: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The mean of the weights of several models (model soups, Wortsman et al. 2022)."""
    return {name: sum(state[name] for state in states) / len(states) for name in states[0]}


def blended(model: Gated, work: Path, names: str, share: float) -> Gated:
    """The start, moved `share` of the way to the mean of the trainings."""
    files = [work / name / "last.pt" for name in names.split(",")]
    end = mean([torch.load(file, weights_only=True)["average"] for file in files])
    model.load_state_dict(between(model.state_dict(), end, share))
    return model


def main() -> None:
    """Prints a table, or keeps one blend."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--names", default="small")
    parser.add_argument("--shares", default="0,0.25,0.5,0.75,1")
    parser.add_argument("--keep", type=float)
    given = parser.parse_args()

    def blend(share: float) -> Gated:
        model = start_model(start_encoder(given.work, given.models))
        return blended(model, given.work, given.names, share)

    if given.keep is not None:
        (given.work / "small").mkdir(exist_ok=True)
        torch.save(blend(given.keep).state_dict(), given.work / "small/best.pt")
        return
    torch.set_num_threads(1)
    dev = Dev(given.work, given.data)
    unseen = watched(given.work, given.data, start_encoder(given.work, given.models))
    print("share  nDCG@10  " + "  ".join(source.name for source in unseen))
    for share in map(float, given.shares.split(",")):
        model = blend(share)
        order = "  ".join(
            f"{rightly_ordered(model, source):{len(source.name)}.4f}" for source in unseen
        )
        print(f"{share:5.2f}  {dev.ndcg(model):7.4f}  {order}", flush=True)


if __name__ == "__main__":
    main()
