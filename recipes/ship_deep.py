"""Makes the crossrank-small that ships from what deepen.py trained: int8 ONNX, borrowing the rest.

python recipes/ship_deep.py --before BEFORE --work WORK --models OUT [--share 1] [--float]

OUT holds crossrank-embed; its words and lower layers are taken to the last bit. Tokenizer and the
table of rare pieces are those of the crossrank-small in BEFORE. `--share` keeps a part of the way
only (WiSE-FT). Run calibrate.py afterwards; the model card is written by hand. `--float` writes
OUT/crossrank-small-float, whole and in fp32, to compare with.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path

import onnx
import torch
from blend import between
from borrow import with_weights_of, write_borrowing
from deepen import SPLIT, start
from recover import Shipped
from ship import EPS, HEADS, joint, write_graph

from crossrank.train.gated_graph import gated_graph


def main() -> None:
    """Writes the directory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--name", default="deep")
    parser.add_argument("--opening", type=float, default=-2.0)
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--float", action="store_true")
    given = parser.parse_args()
    before = Shipped.load(given.before / "crossrank-small")
    embed = Shipped.load(given.models / "crossrank-embed")
    first, rare, _ = start(given.before, given.opening)
    last = torch.load(given.work / given.name / "last.pt", weights_only=True)["average"]
    state = between(first.upper.state_dict(), last, given.share)
    tensors = {key: value.numpy() for key, value in embed.encoder(SPLIT).state_dict().items()}
    tensors |= joint(state, SPLIT) | {"rarity": rare.numpy()}
    opening = int(before.array("rare.opening")) + 1
    graph = gated_graph(tensors, SPLIT, HEADS, EPS, embed.words(), opening)
    out = given.models / ("crossrank-small-float" if given.float else "crossrank-small")
    out.mkdir(parents=True, exist_ok=True)
    shutil.copy(given.before / "crossrank-small/tokenizer.json", out / "tokenizer.json")
    settings = {
        "kind": "cross-encoder",
        "scale": "logit",
        "max_length": 512,
        "languages": ["de", "en"],
        "licence": "Apache-2.0",
        "prompts": {},
        "labels": ["relevance"],
    }
    (out / "crossrank.json").write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    if given.float:
        onnx.save(graph, out / "model.onnx")
        return
    lender = given.models / "crossrank-embed"
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "model.onnx"
        write_graph(graph, path, plain=False, split=SPLIT)
        whole = with_weights_of(onnx.load(path), onnx.load(lender / "model.onnx"), SPLIT)
    write_borrowing(whole, out, lender)


if __name__ == "__main__":
    main()
