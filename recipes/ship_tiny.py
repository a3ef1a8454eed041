"""Makes crossrank-tiny from trained weights: int8 ONNX that borrows the rest of crossrank-embed.

python recipes/ship_tiny.py --work WORK --models OUT [--share 0.5] [--float]

OUT holds crossrank-embed, whose words and lowest layers are taken to the last bit, and
crossrank-small, whose tokenizer, head and table of rare pieces it gets. `--share` keeps a part of
the way that training on pairs went (WiSE-FT). Run calibrate.py afterwards; the model card is
written by hand. `--float` writes OUT/crossrank-tiny-float, whole and in fp32, to compare with.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from blend import between
from recover import Shipped
from ship import EPS, HEADS, joint, write_cross
from tokenizers import Tokenizer
from train_tiny import OPENING, SPLIT, opened

from crossrank.train.gated_graph import gated_graph


def main() -> None:
    """Writes the directory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--share", type=float, default=0.5)
    parser.add_argument("--float", action="store_true")
    given = parser.parse_args()
    embed = Shipped.load(given.models / "crossrank-embed")
    small = Shipped.load(given.models / "crossrank-small")
    encoder, upper = opened(given.models, given.work, small.gated(small.joint())[1])
    end = torch.load(given.work / "tiny/pairs.pt", weights_only=True)
    state = between(upper.state_dict(), end, given.share)
    tensors = {name: value.numpy() for name, value in encoder.state_dict().items()}
    tensors |= joint(state, SPLIT) | {"rarity": small.array("rare.table")}
    graph = gated_graph(tensors, SPLIT, HEADS, EPS, embed.words(), OPENING)
    tokenizer = Tokenizer.from_file(str(given.models / "crossrank-small/tokenizer.json"))
    out = given.models / ("crossrank-tiny-float" if given.float else "crossrank-tiny")
    write_cross(graph, tokenizer, "relevance", SPLIT, out, given.float, trained=4)


if __name__ == "__main__":
    main()
