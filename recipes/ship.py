"""Makes the files that ship from a trained checkpoint: int8 ONNX, tokenizer, settings.

python recipes/ship.py --work WORK --model small|embed|start --out DIR [--words 26000] [--float]

The 4-bit word embeddings stay as they came (216 bytes a row, exact); matrix products are int8 with
activations scaled at run time. `--float` leaves everything in fp32, to
compare with. The model card is written by hand.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.matmul_nbits_quantizer import (
    DefaultWeightOnlyQuantConfig,
    MatMulNBitsQuantizer,
)
from start import CORPORA, texts
from states import SPLIT
from tokenizers import Tokenizer, processors

from crossrank.train.e5file import Vocabulary
from crossrank.train.gated_graph import encoder_graph, gated_graph
from crossrank.train.graph import pack_rows
from crossrank.train.trim import choose_pieces, count_pieces

HEADS, EPS = 12, 1e-12
PROMPTS = {"query": "query: ", "document": "passage: "}


def vocabulary(tokenizer: Tokenizer) -> Vocabulary:
    """Pieces and log probabilities of a unigram tokenizer."""
    found = json.loads(tokenizer.to_str())["model"]["vocab"]
    return Vocabulary(tuple(p for p, _ in found), tuple(s for _, s in found), {})


def smaller(tokenizer: Tokenizer, data: Path, size: int) -> list[int]:
    """The ids of the most useful pieces, as start.py chooses them, with those of the prompts."""
    counts = {name: count_pieces(tokenizer, texts(data, name)) for name in CORPORA}
    ids = set(choose_pieces(vocabulary(tokenizer), counts, size))
    for prompt in PROMPTS.values():
        ids |= set(tokenizer.encode(prompt, add_special_tokens=False).ids)
    return sorted(ids)


def trimmed(tokenizer: Tokenizer, ids: list[int]) -> Tokenizer:
    """The tokenizer with these pieces only."""
    content = json.loads(tokenizer.to_str())
    every = content["model"]["vocab"]
    content["model"]["vocab"] = [every[i] for i in ids]
    new = {old: i for i, old in enumerate(ids)}
    for token in content["added_tokens"]:
        token["id"] = new[token["id"]]
    return Tokenizer.from_str(json.dumps(content))


def pair_template(tokenizer: Tokenizer) -> Tokenizer:
    """The tokenizer with both texts behind their prompts, segments 0 and 1."""
    special = {"<s>": [tokenizer.token_to_id("<s>")], "</s>": [tokenizer.token_to_id("</s>")]}
    special |= {name: _ids(tokenizer, prompt) for name, prompt in PROMPTS.items()}

    def part(text: str, prompt: str, kind: int) -> list[dict[str, object]]:
        before = [{"SpecialToken": {"id": name, "type_id": kind}} for name in ("<s>", prompt)]
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


def _ids(tokenizer: Tokenizer, text: str) -> list[int]:
    return list(tokenizer.encode(text, add_special_tokens=False).ids)


def checkpoint(work: Path, model: str) -> dict[str, np.ndarray]:
    """The tensors of encoder and head under the names of gated_graph."""
    from safetensors.torch import load_file as load_torch

    from crossrank.train.gated import load_encoder

    encoder = load_encoder(load_torch(work / "base/model.safetensors"), SPLIT)
    if model == "embed":
        encoder.load_state_dict(torch.load(work / "embed/best.pt", weights_only=True))
    found = {name: value.numpy() for name, value in encoder.state_dict().items()}
    if model in ("embed", "start"):
        return found
    return found | joint(torch.load(work / f"{model}/best.pt", weights_only=True))


def joint(state: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    """The tensors of `Gated` under the names of gated_graph, which counts the lower layers too."""
    found = {}
    for name, value in state.items():
        if name.startswith("layers."):
            layer, rest = name.removeprefix("layers.").split(".", 1)
            name = f"layers.{int(layer) + SPLIT}.{rest}"
        found[name] = value.numpy()
    return found


def main() -> None:
    """Writes the directory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", default="small")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--words", type=int, default=26_000)
    parser.add_argument("--float", action="store_true")
    given = parser.parse_args()
    whole = Tokenizer.from_file(str(given.work / "base/tokenizer.json"))
    kept = given.work / f"pieces-{given.words}.json"
    if not kept.exists():
        kept.write_text(json.dumps(smaller(whole, given.data, given.words)))
    ids: list[int] = json.loads(kept.read_text())
    tokenizer = trimmed(whole, ids)
    tensors = checkpoint(given.work, given.model)
    words = "embeddings.words.weight"
    tensors[words] = tensors[words][np.array(ids)]
    packed = pack_rows(tensors[words])
    cross = given.model not in ("embed", "start")
    if cross:
        tokenizer = pair_template(tokenizer)
        graph = gated_graph(tensors, SPLIT, HEADS, EPS, packed)
    else:
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<s> $A </s>",
            pair="<s> $A </s> </s> $B </s>",
            special_tokens=[("<s>", 0), ("</s>", 2)],
        )
        graph = encoder_graph(tensors, HEADS, EPS, packed)
    given.out.mkdir(parents=True, exist_ok=True)
    write_graph(graph, given.out / "model.onnx", given.float)
    tokenizer.save(str(given.out / "tokenizer.json"), pretty=False)
    settings = {
        "kind": "cross-encoder" if cross else "bi-encoder",
        "scale": "logit" if cross else "cosine",
        "max_length": 512,
        "languages": ["de", "en"],
        "licence": "Apache-2.0",
        "prompts": {} if cross else PROMPTS,
    }
    if cross:
        settings["labels"] = ["relevance"]
    else:
        settings |= {"pooling": "mean", "normalise": True}
    text = json.dumps(settings, indent=2, ensure_ascii=False) + "\n"
    (given.out / "crossrank.json").write_text(text, encoding="utf-8")
    size = sum(path.stat().st_size for path in given.out.iterdir())
    print(f"{given.out}: {len(ids)} pieces, {size / 1e6:.1f} MB")


def write_graph(graph: onnx.ModelProto, path: Path, plain: bool) -> None:
    """The graph as it is, or quantised.

    Each layer's last product, whose inputs have outliers, goes by blocks of 32 weights: 4 bits
    where the weights came as such blocks, so that nothing is lost, 8 bits where they were trained.
    All other products get int8 weights by column.
    """
    if plain:
        onnx.save(graph, path)
        return
    products = [n.name for n in graph.graph.node if n.op_type == "MatMul"]
    last = [name for name in products if ".narrow.product" in name]
    lower = [name for name in last if int(name.split(".")[1]) < SPLIT]
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "float.onnx"
        for bits, chosen in ((4, lower), (8, [name for name in last if name not in lower])):
            config = DefaultWeightOnlyQuantConfig(
                block_size=32, is_symmetric=True, accuracy_level=4, bits=bits
            )
            rest = [name for name in products if name not in chosen]
            by_block = MatMulNBitsQuantizer(graph, algo_config=config, nodes_to_exclude=rest)
            by_block.process()
            graph = by_block.model.model
        onnx.save(graph, source)
        quantize_dynamic(
            source,
            path,
            op_types_to_quantize=["MatMul"],
            per_channel=True,
            weight_type=QuantType.QInt8,
            extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
        )


if __name__ == "__main__":
    main()
