"""Makes crossrank-similar from trained weights: int8 ONNX that borrows the rest of crossrank-embed.

python recipes/ship_similar.py --work WORK --models OUT --seeds 13,14 [--float]

Several trainings are averaged. OUT holds crossrank-embed as ship.py left it; its words and lower
layers are taken to the last bit. Run calibrate.py afterwards; the model card is written by hand.
`--float` writes OUT/crossrank-similar-float, whole and in fp32, to compare with.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import onnx
from borrow import write_borrowing
from recover import Shipped
from ship import EPS, HEADS, joint, write_graph
from states import SPLIT
from tokenizers import Tokenizer, processors
from train_similar import trained

from crossrank.train.gated_graph import gated_graph


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


def main() -> None:
    """Writes the directory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--seeds", default="13")
    parser.add_argument("--float", action="store_true")
    given = parser.parse_args()
    embed = given.models / "crossrank-embed"
    shipped = Shipped(embed / "model.onnx")
    tensors = {name: value.numpy() for name, value in shipped.encoder(SPLIT).state_dict().items()}
    tensors |= joint(trained(given.work, given.seeds))
    graph = gated_graph(tensors, SPLIT, HEADS, EPS, shipped.words())
    out = given.models / ("crossrank-similar-float" if given.float else "crossrank-similar")
    out.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer.from_file(str(embed / "tokenizer.json"))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s>:0 $A:0 </s>:0 <s>:1 $B:1 </s>:1",
        special_tokens=[(name, tokenizer.token_to_id(name)) for name in ("<s>", "</s>")],
    )
    tokenizer.save(str(out / "tokenizer.json"), pretty=False)
    settings = {
        "kind": "cross-encoder",
        "scale": "logit",
        "max_length": 512,
        "languages": ["de", "en"],
        "licence": "Apache-2.0",
        "prompts": {},
        "labels": ["similarity"],
    }
    (out / "crossrank.json").write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    if given.float:
        onnx.save(graph, out / "model.onnx")
        return
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "model.onnx"
        write_graph(graph, path, plain=False)
        whole = with_weights_of(onnx.load(path), onnx.load(embed / "model.onnx"))
    write_borrowing(whole, out, embed)


if __name__ == "__main__":
    main()
