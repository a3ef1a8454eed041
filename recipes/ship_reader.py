"""Adds the trained reader to crossrank-small, and lets it borrow what crossrank-embed has too.

python recipes/ship_reader.py --work WORK --models OUT [--weights 1,1] [--float]

OUT holds crossrank-small and crossrank-embed as ship.py and lexical.py made them; a reader that is
there already is replaced. The words and lower layers of both come from the same start and differ
by rounding: crossrank-embed's are taken for both, and stay in its file alone. Run calibrate.py
afterwards.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import onnx
import torch
from ship import EPS, HEADS, write_graph
from states import SPLIT

from crossrank.io.lines import replaced
from crossrank.models.files import read_files
from crossrank.train.borrow import without_borrowed
from crossrank.train.reader_graph import reader_graph, with_reader


def lower(name: str) -> bool:
    """Whether a constant belongs to the words or the layers that both models have."""
    first, _, rest = name.partition(".")
    if first == "layer":
        return int(rest.split(".")[0]) < SPLIT
    return first in ("words", "positions", "embeddings")


def with_lower_of(model: onnx.ModelProto, other: onnx.ModelProto) -> onnx.ModelProto:
    """The model with the words and lower layers of the other."""
    theirs = {each.name: each for each in other.graph.initializer if lower(each.name)}
    out = onnx.ModelProto()
    out.CopyFrom(model)
    for each in out.graph.initializer:
        same = theirs.get(each.name)
        if same is not None:
            if list(same.dims) != list(each.dims) or same.data_type != each.data_type:
                raise SystemExit(f"{each.name}: both models must come from the same start")
            each.CopyFrom(same)
    return out


def main() -> None:
    """Writes crossrank-small again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--weights", default="1,1", help="of the gated logit and the reader's")
    parser.add_argument("--float", action="store_true", help="the reader in fp32, to compare with")
    given = parser.parse_args()
    folder, lender = given.models / "crossrank-small", given.models / "crossrank-embed/model.onnx"
    kept = torch.load(given.work / "reader/last.pt", weights_only=True)["model"]
    graph = reader_graph({name: value.numpy() for name, value in kept.items()}, HEADS, EPS)
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "reader.onnx"
        write_graph(graph, path, given.float, four_bits=lambda name: False)
        reader = onnx.load(path)
    whole = read_files(folder).whole()
    model = onnx.load_from_string(whole) if isinstance(whole, bytes) else onnx.load(whole)
    gated, read = map(float, given.weights.split(","))
    made = with_reader(with_lower_of(model, onnx.load(lender)), reader, (gated, read))
    lean, digest = without_borrowed(made, lender)
    settings = json.loads((folder / "crossrank.json").read_text(encoding="utf-8"))
    settings["borrows"] = {"model": "crossrank-embed", "sha256": digest}
    onnx.save(lean, folder / "model.onnx")
    with replaced(folder / "crossrank.json") as out:
        out.write(json.dumps(settings, indent=2, ensure_ascii=False) + "\n")
    print(f"{folder}: {(folder / 'model.onnx').stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
