"""Makes crossrank-similar from trained weights: int8 ONNX that borrows the rest of crossrank-embed.

python recipes/ship_similar.py --work WORK --models OUT --seeds 13,14 [--float]

Several trainings are averaged. OUT holds crossrank-embed as ship.py left it; its words and lower
layers are taken to the last bit. Run calibrate.py afterwards; the model card is written by hand.
`--float` writes OUT/crossrank-similar-float, whole and in fp32, to compare with.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from recover import Shipped
from ship import EPS, HEADS, joint, write_cross
from states import SPLIT
from tokenizers import Tokenizer, processors
from train_similar import trained

from crossrank.train.gated_graph import gated_graph


def main() -> None:
    """Writes the directory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--seeds", default="13")
    parser.add_argument("--float", action="store_true")
    given = parser.parse_args()
    embed = given.models / "crossrank-embed"
    shipped = Shipped.load(embed)
    tensors = {name: value.numpy() for name, value in shipped.encoder(SPLIT).state_dict().items()}
    tensors |= joint(trained(given.work, given.seeds))
    graph = gated_graph(tensors, SPLIT, HEADS, EPS, shipped.words())
    out = given.models / ("crossrank-similar-float" if given.float else "crossrank-similar")
    tokenizer = Tokenizer.from_file(str(embed / "tokenizer.json"))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s>:0 $A:0 </s>:0 <s>:1 $B:1 </s>:1",
        special_tokens=[(name, tokenizer.token_to_id(name)) for name in ("<s>", "</s>")],
    )
    write_cross(graph, tokenizer, "similarity", SPLIT, out, given.float)


if __name__ == "__main__":
    main()
