"""Makes the cross-encoders: int8 ONNX of trained layers, the rest borrowed of crossrank-embed.

python recipes/ship_joint.py --work WORK --models OUT [--data DATA] [--float]
python recipes/ship_joint.py --work WORK --models OUT --similar --seeds 13,14 [--float]

OUT holds crossrank-embed as ship.py left it; its words and lower layers are taken to the last bit.
crossrank-small (WORK/small/best.pt, from blend.py) reads both texts behind their prompts and gets
its view of rare pieces from DATA; crossrank-similar is the mean of several trainings. Run
calibrate.py afterwards; the model cards are written by hand. `--float` writes OUT/NAME-float, whole
and in fp32, to compare with.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from lexical import rarity_table
from recover import Shipped
from ship import EPS, HEADS, PROMPTS, write_graph
from states import SPLIT
from tokenizers import Tokenizer
from torch import Tensor
from train_similar import trained

from crossrank.io.lines import replaced
from crossrank.train.borrow import without_borrowed
from crossrank.train.gated_graph import gated_graph
from crossrank.train.lexical import with_rare_view


def pair_template(tokenizer: Tokenizer, prompts: dict[str, str]) -> Tokenizer:
    """The tokenizer with both texts behind their prompts, segments 0 and 1."""
    special = {name: [tokenizer.token_to_id(name)] for name in ("<s>", "</s>")}
    for name, prompt in prompts.items():
        special[name] = list(tokenizer.encode(prompt, add_special_tokens=False).ids)

    def part(text: str, side: str, kind: int) -> list[dict[str, object]]:
        names = ["<s>", *([side] if side in prompts else [])]
        before = [{"SpecialToken": {"id": name, "type_id": kind}} for name in names]
        sequence = {"Sequence": {"id": text, "type_id": kind}}
        return [*before, sequence, {"SpecialToken": {"id": "</s>", "type_id": kind}}]

    content = json.loads(tokenizer.to_str())
    content["post_processor"] = {
        "type": "TemplateProcessing",
        "single": part("A", "query", 0),
        "pair": part("A", "query", 0) + part("B", "document", 1),
        "special_tokens": {
            name: {"id": name, "ids": ids, "tokens": [tokenizer.id_to_token(i) for i in ids]}
            for name, ids in special.items()
        },
    }
    return Tokenizer.from_str(json.dumps(content))


def joint(state: dict[str, Tensor]) -> dict[str, np.ndarray]:
    """The tensors of `Gated` under the names of gated_graph, which counts the lower layers too."""
    found = {}
    for name, value in state.items():
        if name.startswith("layers."):
            layer, rest = name.removeprefix("layers.").split(".", 1)
            name = f"layers.{int(layer) + SPLIT}.{rest}"
        found[name] = value.numpy()
    return found


def with_weights_of(model: onnx.ModelProto, lender: onnx.ModelProto) -> onnx.ModelProto:
    """The model with the lender's constants where only rounding sets them apart."""
    theirs = {each.name: each for each in lender.graph.initializer}
    lower = tuple(f"layer.{i}." for i in range(SPLIT))
    for own in model.graph.initializer:
        if own.name in theirs and own.name.startswith(
            (*lower, "words.", "embeddings.", "positions")
        ):
            other = theirs[own.name]
            if (own.data_type, own.dims) != (other.data_type, other.dims):
                raise ValueError(f"{own.name}: not of the shape and type it has in crossrank-embed")
            own.CopyFrom(other)
    return model


def write_borrowing(model: onnx.ModelProto, folder: Path, lender: Path) -> None:
    """Saves the cross-encoder in `folder` without what the model in `lender` has."""
    lean = without_borrowed(model, onnx.load(lender / "model.onnx"))
    digest = hashlib.sha256((lender / "model.onnx").read_bytes()).hexdigest()
    settings = json.loads((folder / "crossrank.json").read_text(encoding="utf-8"))
    settings["borrows"] = {"model": lender.name, "sha256": digest}
    onnx.save(lean, folder / "model.onnx")
    with replaced(folder / "crossrank.json") as out:
        out.write(json.dumps(settings, indent=2, ensure_ascii=False) + "\n")
    print(f"{folder}: {(folder / 'model.onnx').stat().st_size / 1e6:.1f} MB")


def main() -> None:
    """Writes the directory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--data", type=Path, help="for crossrank-small: where pieces are counted")
    parser.add_argument("--similar", action="store_true")
    parser.add_argument("--seeds", default="13")
    parser.add_argument("--float", action="store_true")
    given = parser.parse_args()
    embed = given.models / "crossrank-embed"
    shipped = Shipped(embed / "model.onnx")
    name, prompts, label = "crossrank-small", PROMPTS, "relevance"
    if given.similar:
        name, prompts, label = "crossrank-similar", {}, "similarity"
        state = trained(given.work, given.seeds)
    else:
        state = torch.load(given.work / "small/best.pt", weights_only=True)
    tokenizer = pair_template(Tokenizer.from_file(str(embed / "tokenizer.json")), prompts)
    views = state["views"].numpy()
    tensors = {key: value.numpy() for key, value in shipped.encoder(SPLIT).state_dict().items()}
    tensors |= joint({**state, "views": state["views"][:3]})
    graph = gated_graph(tensors, SPLIT, HEADS, EPS, shipped.words())
    out = given.models / (f"{name}-float" if given.float else name)
    out.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(out / "tokenizer.json"), pretty=False)
    settings: dict[str, Any] = {"kind": "cross-encoder", "scale": "logit", "max_length": 512}
    settings |= {"languages": ["de", "en"], "licence": "Apache-2.0"}
    settings |= {"prompts": {}, "labels": [label]}
    (out / "crossrank.json").write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    if not given.float:
        with tempfile.TemporaryDirectory() as place:
            path = Path(place) / "model.onnx"
            write_graph(graph, path, plain=False)
            graph = with_weights_of(onnx.load(path), onnx.load(embed / "model.onnx"))
    if len(views) == 4:
        table, opening = rarity_table(out / "tokenizer.json", given.data)
        graph = with_rare_view(graph, table, views, opening)
    if given.float:
        onnx.save(graph, out / "model.onnx")
    else:
        write_borrowing(graph, out, embed)


if __name__ == "__main__":
    main()
