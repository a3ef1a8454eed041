"""Makes the files that ship from a trained checkpoint: int8 ONNX, tokenizer, settings.

python recipes/ship.py --work WORK --model small|embed|start --out DIR [--words 26000] [--float]

The 4-bit word embeddings stay as they came (216 bytes a row, exact); matrix products get int8
weights by column and activations scaled at run time. `--float` leaves everything in fp32, to
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
    for name, value in torch.load(work / f"{model}/best.pt", weights_only=True).items():
        if name.startswith("layers."):
            layer, rest = name.removeprefix("layers.").split(".", 1)
            name = f"layers.{int(layer) + SPLIT}.{rest}"
        found[name] = value.numpy()
    return found


def smoothing(work: Path, model: str, alpha: float = 0.8) -> dict[str, np.ndarray]:
    """SmoothQuant's scale of the inputs of each layer's last product, from passages of all pools.

    Those inputs have outliers in a few channels; without the scale they cost int8 most of what it
    loses. The other products are better off without one (measured on the starting model).
    """
    from safetensors.torch import load_file as load_torch
    from states import padded, token_ids

    from crossrank.train.gated import Gated, Layer, load_encoder

    encoder = load_encoder(load_torch(work / "base/model.safetensors"), SPLIT).eval()
    if model == "embed":
        encoder.load_state_dict(torch.load(work / "embed/best.pt", weights_only=True))
    if model not in ("embed", "start"):
        kept = torch.load(work / f"{model}/best.pt", weights_only=True)
        Gated(encoder).load_state_dict(kept)  # shares the upper layers
    largest: dict[str, torch.Tensor] = {}

    def watch(name: str, linear: torch.nn.Linear) -> None:
        def seen(module: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
            top = inputs[0].detach().abs().flatten(0, 1).amax(0)
            largest[name] = torch.maximum(largest.get(name, top), top)

        linear.register_forward_pre_hook(seen)

    for number, layer in enumerate(encoder.layers):
        assert isinstance(layer, Layer)
        watch(f"layers.{number}.narrow", layer.narrow)
    lines = (work / "pools/passages.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line)["text"] for line in lines[:: max(1, len(lines) // 160)]]
    tokenizer = Tokenizer.from_file(str(work / "base/tokenizer.json"))
    ids = token_ids(tokenizer, texts, PROMPTS["document"], 144)
    with torch.no_grad():
        for start in range(0, len(ids), 16):
            inputs, mask = padded(sorted(ids, key=len)[start : start + 16])
            encoder.upper(encoder.lower(inputs, mask), mask)
    found = {}
    for name, top in largest.items():
        weight = encoder.get_submodule(name).weight.detach().abs().amax(0)
        scale = top.clamp(min=1e-3) ** alpha / weight.clamp(min=1e-3) ** (1 - alpha)
        found[f"{name}.smooth"] = scale.numpy()
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
    if not given.float:
        tensors |= smoothing(given.work, given.model)
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
    """The graph as it is, or with int8 matrix products."""
    if plain:
        onnx.save(graph, path)
        return
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "float.onnx"
        onnx.save(graph, source)
        quantize_dynamic(
            source,
            path,
            op_types_to_quantize=["MatMul"],
            per_channel=True,
            weight_type=QuantType.QInt8,
        )


if __name__ == "__main__":
    main()
