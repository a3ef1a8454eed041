"""The cross-encoder that ships: the distilled bi-encoder plus what joint training added before.

python recipes/compose.py --data DATA --work WORK --before OLD/model.onnx [--shares 0,0.5,1]
python recipes/compose.py --data DATA --work WORK --before OLD/model.onnx --keep SHARE

The joint layers of an earlier crossrank-small minus those of the bi-encoder it started from are
what its training learned; that difference is added to the layers of the new bi-encoder (task
arithmetic, Ilharco et al. 2023; WORK/embed/best.pt). Gates and head are the earlier ones. Prints
nDCG@10 on the dev set for shares of the difference, every view alone and by the weights given;
`--keep` saves WORK/small/best.pt.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from recover import Shipped
from safetensors.torch import load_file
from states import SPLIT, fast_numbers, token_ids
from tokenizers import Tokenizer
from torch import Tensor
from train_embed import Rarities
from train_small import Dev, Texts, collate, contrast_accuracy, heldout_source

from crossrank.train.gated import Gated, load_encoder


def recovered(path: Path) -> dict[str, Tensor]:
    """The joint layers, gates and head of a shipped cross-encoder, under the names of `Gated`."""
    old = Shipped(path)
    found: dict[str, Tensor] = {}
    gates = []
    for i in range(old.layers() - SPLIT):
        found |= {f"layers.{i}.{name}": value for name, value in old.layer(i + SPLIT).items()}
        ask = old.array(f"gates.{i}.query").ravel()
        gates.append(np.stack([ask, ask + old.array(f"gates.{i}.step").ravel()], 1))
    found["gates"] = torch.from_numpy(np.stack(gates))
    for mine, theirs in (("pool", "pooled"), ("head", "head"), ("weigh", "weigh")):
        found[f"{mine}.weight"] = old.matrix(f"{theirs}.weight")
        found[f"{mine}.bias"] = old.tensor(f"{theirs}.bias")
    found["views"] = old.tensor("views.weight")[:3]
    return found


def composed(work: Path, old: dict[str, Tensor], share: float) -> Gated:
    """The new bi-encoder with this share of what joint training added to the old one."""
    encoder = load_encoder(load_file(work / "base/model.safetensors"), SPLIT)
    first = {name: value.clone() for name, value in Gated(encoder).state_dict().items()}
    encoder.load_state_dict(torch.load(work / "embed/best.pt", weights_only=True))
    model = Gated(encoder)
    new = model.state_dict()
    for name in new:
        if name.startswith("layers."):
            new[name] = new[name] + share * (old[name] - first[name])
        else:
            new[name] = old[name]
    model.load_state_dict(new)
    return model


def pair_views(model: Gated, dev: Dev, rare: list[np.ndarray]) -> np.ndarray:
    """Head and views of the dev set's pairs: [pairs, 5]."""
    pairs = [
        (dev.queries.get(q), dev.documents.get(d), rare[q])
        for q, d in zip(dev.asked, dev.rows, strict=True)
    ]
    order = np.argsort([len(q) + len(d) for q, d, _ in pairs], kind="stable")
    out = np.zeros((len(pairs), 5), np.float32)
    model.eval()
    with torch.no_grad(), fast_numbers():
        for start in range(0, len(order), 32):
            part = order[start : start + 32]
            state, mask, kinds = collate([pairs[i][:2] for i in part])
            weights = torch.zeros(mask.shape)
            for row, i in enumerate(part):
                weights[row, : len(pairs[i][2])] = torch.from_numpy(pairs[i][2])
            read, views = model.parts(state, mask, kinds, weights)
            out[part] = torch.cat([read[:, None], views], -1).float().numpy()
    return out


def rarities(work: Path) -> list[np.ndarray]:
    """The weights of the tokens of every TREC query."""
    tokenizer = Tokenizer.from_file(str(work / "base/tokenizer.json"))
    passages = [json.loads(line) for line in (work / "pools/passages.jsonl").open()]
    rare = Rarities.counted(tokenizer, passages)
    asked = [json.loads(line)["query"] for line in (work / "pools/trec.jsonl").open()]
    return [rare.of(ids) for ids in token_ids(tokenizer, asked, "query: ", 40)]


def main() -> None:
    """Prints a table, or keeps one composition."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--before", type=Path, required=True)
    parser.add_argument("--shares", default="0,0.5,1")
    parser.add_argument("--weights", default="65,0,20,20")
    parser.add_argument("--contrast", type=int, default=0, help="held-out groups, three views")
    parser.add_argument("--keep", type=float)
    given = parser.parse_args()
    old = recovered(given.before)
    if given.keep is not None:
        (given.work / "small").mkdir(exist_ok=True)
        model = composed(given.work, old, given.keep)
        torch.save(model.state_dict(), given.work / "small/best.pt")
        return
    torch.set_num_threads(1)
    weights = np.array([1.0, *map(float, given.weights.split(","))])
    dev = Dev(given.work, given.data, Texts.load(given.work / "states/passages"))
    rare = rarities(given.work)
    print("share  nDCG@10   head cosine  lower    top   rare", flush=True)
    for share in map(float, given.shares.split(",")):
        model = composed(given.work, old, share)
        found = pair_views(model, dev, rare)
        alone = " ".join(f"{dev.measured(column):6.3f}" for column in found.T)
        print(f"{share:5.2f}  {dev.measured(found @ weights):7.4f} {alone}", flush=True)
        if given.contrast:
            held = contrast_accuracy(model, heldout_source(given.work), given.contrast)
            print(f"       {held:.4f} of held-out contrast pairs", flush=True)


if __name__ == "__main__":
    main()
