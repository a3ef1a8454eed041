"""Encodes passages once with the starting bi-encoder: states after the split, and vectors.

python recipes/states.py --model BASE --texts passages.jsonl --out OUT [--prompt "passage: "]

OUT/states.npy   float16 [tokens, hidden]: after `split` layers, as the joint layers will see them
OUT/offsets.npy  int64 [texts + 1] into states
OUT/vectors.npy  float32 [texts, hidden]: mean-pooled last states, unit length
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor

from crossrank.train.gated import Encoder, load_encoder, mean_pool

SPLIT = 8


def fast_numbers() -> torch.autocast:
    """bf16 where the processor computes it; where it would imitate it, ten times slower, fp32."""
    able = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.autocast("cpu", torch.bfloat16, enabled=able)


def token_ids(tokenizer: Tokenizer, texts: list[str], prompt: str, longest: int) -> list[list[int]]:
    """Ids of `<s> prompt text </s>`, cut to `longest` with the end kept."""
    found = []
    for encoding in tokenizer.encode_batch([prompt + text for text in texts]):
        ids = encoding.ids
        found.append(ids if len(ids) <= longest else [*ids[: longest - 1], ids[-1]])
    return found


def batches(lengths: np.ndarray, budget: int) -> Iterator[np.ndarray]:
    """Indices sorted by length, cut so that a padded batch has about `budget` tokens."""
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        size = max(1, budget // int(lengths[order[start]]))
        yield order[start : start + size]
        start += size


def padded(ids: list[list[int]], pad: int = 1) -> tuple[Tensor, Tensor]:
    """Ids and mask, both int64 [b, longest]."""
    width = max(map(len, ids))
    out = np.full((len(ids), width), pad, np.int64)
    for row, each in zip(out, ids, strict=True):
        row[: len(each)] = each
    lengths = torch.tensor([len(each) for each in ids])
    return torch.from_numpy(out), (torch.arange(width)[None] < lengths[:, None]).long()


def encode(
    encoder: Encoder, ids: list[list[int]], out: Path, lower_only: bool, budget: int = 3000
) -> None:
    """Writes states, offsets and (unless `lower_only`) vectors of all texts."""
    lengths = np.array([len(each) for each in ids])
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    out.mkdir(parents=True, exist_ok=True)
    hidden = encoder.shape.hidden
    states = np.lib.format.open_memmap(
        out / "states.npy", "w+", np.float16, (int(offsets[-1]), hidden)
    )
    vectors = None if lower_only else np.zeros((len(ids), hidden), np.float32)
    done, start = 0, time.time()
    for batch in batches(lengths, budget):
        inputs, mask = padded([ids[i] for i in batch])
        with torch.no_grad(), fast_numbers():
            low = encoder.lower(inputs, mask)
            if vectors is not None:
                top = mean_pool(encoder.upper(low, mask).float(), mask)
                vectors[batch] = torch.nn.functional.normalize(top, dim=-1).numpy()
        half = low.to(torch.float16).numpy()
        for row, i in enumerate(batch):
            states[offsets[i] : offsets[i + 1]] = half[row, : lengths[i]]
        if done // 2000 != (done + len(batch)) // 2000:
            print(
                done + len(batch),
                f"{(done + len(batch)) / (time.time() - start):.1f}/s",
                flush=True,
            )
        done += len(batch)
    states.flush()
    np.save(out / "offsets.npy", offsets)
    if vectors is not None:
        np.save(out / "vectors.npy", vectors)


def main() -> None:
    """Encodes one file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--texts", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--prompt", default="passage: ")
    parser.add_argument("--key", default="text")
    parser.add_argument("--longest", type=int, default=144)
    parser.add_argument("--lower-only", action="store_true", help="no vectors")
    given = parser.parse_args()
    torch.set_num_threads(1)
    encoder = load_encoder(load_file(given.model / "model.safetensors"), SPLIT).eval()
    tokenizer = Tokenizer.from_file(str(given.model / "tokenizer.json"))
    with given.texts.open(encoding="utf-8") as lines:
        texts = [json.loads(line)[given.key] for line in lines]
    ids = token_ids(tokenizer, texts, given.prompt, given.longest)
    encode(encoder, ids, given.out, given.lower_only)


if __name__ == "__main__":
    main()
