"""Makes crossrank-base: crossrank-small with the trained reader beside its gated layers.

python recipes/ship_reader.py --work WORK --models OUT [--weights 1,0.75] [--float]

OUT holds crossrank-small as borrow.py left it. crossrank-base borrows of it all but the reader.
Run calibrate.py afterwards.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

import onnx
import torch
from borrow import read_whole, write_borrowing
from ship import EPS, HEADS, write_graph

from crossrank.train.reader_graph import reader_graph, with_reader


def main() -> None:
    """Writes the directory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--weights", default="1,0.75", help="of the gated logit and the reader's")
    parser.add_argument("--float", action="store_true", help="the reader in fp32, to compare with")
    given = parser.parse_args()
    kept = torch.load(given.work / "reader/last.pt", weights_only=True)["model"]
    graph = reader_graph({name: value.numpy() for name, value in kept.items()}, HEADS, EPS)
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "reader.onnx"
        write_graph(graph, path, given.float, four_bits=lambda name: False)
        reader = onnx.load(path)
    small, base = (given.models / f"crossrank-{name}" for name in ("small", "base"))
    base.mkdir(exist_ok=True)
    for name in ("tokenizer.json", "crossrank.json"):
        shutil.copy(small / name, base / name)
    gated, read = map(float, given.weights.split(","))
    write_borrowing(with_reader(read_whole(small), reader, (gated, read)), base, small)


if __name__ == "__main__":
    main()
