"""The shipped cross-encoder: a bi-encoder whose upper layers learn to look across.

A pair is `<s> query : Q </s> <s> passage : D </s>`, segment ids 0 and 1, positions counted within
each segment. In the first `split` layers tokens attend within their own segment only, as in the
bi-encoder the model starts from (PreTTR, MacAvaney et al. 2020; DeFormer, Cao et al. 2020). Above,
attention to the other segment is open behind a learned bias for every layer and head, added to the
attention logits: it starts so far closed that the bi-encoder's own ranking survives, and training
starts there instead of at chance.

The head adds what three views say: a linear layer over tanh-pooled `[CLS]`, the cosine of the two
mean-pooled segments, and, at the split layer and at the top, the best cosine of each query token
with a document token (Khattab & Zaharia 2020), averaged with learned weights of the query tokens.
A fourth view averages those of the top by how rare the pieces are (train.lexical).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CENTRE = 0.85
"""Subtracted from every view before it is weighed, so that the views start near zero."""

CLOSED = -1e4
"""Added to the logit of an attention that must not happen."""

TRACE = 1e-6
"""Rarity of nothing in particular: a query without any rare piece gets `CENTRE` as fourth view."""


@dataclass(frozen=True)
class Shape:
    """Sizes of the encoder; `split` is the number of layers without attention across."""

    words: int
    hidden: int = 384
    layers: int = 12
    heads: int = 12
    inner: int = 1536
    positions: int = 512
    eps: float = 1e-12
    split: int = 8


class Layer(nn.Module):
    """One transformer layer (post-norm, as BERT's); attention logits get `bias` added."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.qkv = nn.Linear(shape.hidden, 3 * shape.hidden)
        self.mixed = nn.Linear(shape.hidden, shape.hidden)
        self.middle = nn.LayerNorm(shape.hidden, eps=shape.eps)
        self.wide = nn.Linear(shape.hidden, shape.inner)
        self.narrow = nn.Linear(shape.inner, shape.hidden)
        self.out = nn.LayerNorm(shape.hidden, eps=shape.eps)

    def forward(self, state: Tensor, bias: Tensor) -> Tensor:
        """[b, s, hidden] from [b, s, hidden] and a bias that broadcasts to [b, heads, s, s]."""
        b, s, width = state.shape
        parts = self.qkv(state).view(b, s, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        query, key, value = parts.unbind(0)
        logits = query @ key.transpose(-1, -2) * (width // self.heads) ** -0.5
        mixed = (logits + bias).softmax(-1).to(value.dtype) @ value
        mixed = self.mixed(mixed.transpose(1, 2).reshape(b, s, width))
        state = self.middle(state + mixed)
        out: Tensor = self.out(state + self.narrow(F.gelu(self.wide(state))))
        return out


class Embeddings(nn.Module):
    """Words plus positions, normalised; what BERT adds for type 0 is part of the positions."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.words = nn.Embedding(shape.words, shape.hidden)
        self.places = nn.Embedding(shape.positions, shape.hidden)
        self.norm = nn.LayerNorm(shape.hidden, eps=shape.eps)

    def forward(self, ids: Tensor, places: Tensor) -> Tensor:
        """[b, s, hidden] of ids and positions, both [b, s]."""
        out: Tensor = self.norm(self.words(ids) + self.places(places))
        return out


class Encoder(nn.Module):
    """The bi-encoder: mean of the last layer's states."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embeddings = Embeddings(shape)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))

    def lower(self, ids: Tensor, mask: Tensor) -> Tensor:
        """The states after `split` layers of single texts: [b, s, hidden]."""
        places = torch.arange(ids.shape[1]).expand_as(ids)
        state: Tensor = self.embeddings(ids, places)
        bias = (1.0 - mask[:, None, None, :].to(state.dtype)) * CLOSED
        for layer in self.layers[: self.shape.split]:
            state = layer(state, bias)
        return state

    def upper(self, state: Tensor, mask: Tensor) -> Tensor:
        """The last states of single texts, from those after `split` layers."""
        bias = (1.0 - mask[:, None, None, :].to(state.dtype)) * CLOSED
        for layer in self.layers[self.shape.split :]:
            state = layer(state, bias)
        return state


def mean_pool(state: Tensor, mask: Tensor) -> Tensor:
    """The mean of the states where mask is 1: [b, hidden]."""
    weight = mask[..., None].to(state.dtype)
    return (state * weight).sum(1) / weight.sum(1).clamp(min=1)


def load_encoder(tensors: dict[str, Tensor], split: int, heads: int = 12) -> Encoder:
    """The encoder of a BERT checkpoint (names as transformers', without `bert.`)."""
    words, hidden = tensors["embeddings.word_embeddings.weight"].shape
    layers = 1 + max(int(k.split(".")[2]) for k in tensors if k.startswith("encoder.layer."))
    inner = tensors["encoder.layer.0.intermediate.dense.bias"].shape[0]
    places = tensors["embeddings.position_embeddings.weight"]
    encoder = Encoder(Shape(words, hidden, layers, heads, inner, len(places), split=split))
    own: dict[str, Tensor] = {
        "embeddings.words.weight": tensors["embeddings.word_embeddings.weight"],
        "embeddings.places.weight": places + tensors["embeddings.token_type_embeddings.weight"][0],
        "embeddings.norm.weight": tensors["embeddings.LayerNorm.weight"],
        "embeddings.norm.bias": tensors["embeddings.LayerNorm.bias"],
    }
    names = {
        "mixed": "attention.output.dense",
        "middle": "attention.output.LayerNorm",
        "wide": "intermediate.dense",
        "narrow": "output.dense",
        "out": "output.LayerNorm",
    }
    for i in range(layers):
        theirs = f"encoder.layer.{i}."
        for kind in ("weight", "bias"):
            parts = [
                tensors[f"{theirs}attention.self.{p}.{kind}"] for p in ("query", "key", "value")
            ]
            own[f"layers.{i}.qkv.{kind}"] = torch.cat(parts)
            for mine, name in names.items():
                own[f"layers.{i}.{mine}.{kind}"] = tensors[f"{theirs}{name}.{kind}"]
    encoder.load_state_dict(own)
    return encoder


class Gated(nn.Module):
    """The joint upper layers and the head, over the states of both segments after the split."""

    def __init__(self, encoder: Encoder, opening: tuple[float, float] = (-2.0, -1.0)) -> None:
        super().__init__()
        shape = encoder.shape
        self.layers = nn.ModuleList(encoder.layers[shape.split :])
        gates = torch.tensor(opening).expand(len(self.layers), shape.heads, 2)
        self.gates = nn.Parameter(gates.clone())
        self.pool = nn.Linear(shape.hidden, shape.hidden)
        self.head = nn.Linear(shape.hidden, 1)
        self.views = nn.Parameter(torch.tensor([50.0, 0.0, 40.0]))
        self.weigh = nn.Linear(shape.hidden, 2)
        nn.init.zeros_(self.weigh.weight)
        nn.init.zeros_(self.weigh.bias)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(
        self, state: Tensor, mask: Tensor, kinds: Tensor, rarity: Tensor | None = None
    ) -> Tensor:
        """Logits [b] from states [b, s, hidden], mask and segment ids [b, s].

        `rarity` [b, s], the weights of the query's own tokens, adds a fourth view: `views` must
        have a weight for it.
        """
        read, views = self.parts(state, mask, kinds, rarity)
        return read + views @ self.views

    def parts(
        self, state: Tensor, mask: Tensor, kinds: Tensor, rarity: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """What the linear layer reads off `[CLS]` [b], and the centred views [b, 3 or 4]."""
        low = best_match(state, mask, kinds)
        for layer, gates in zip(self.layers, self.gates, strict=True):
            state = layer(state, joint_bias(gates, mask, kinds, state.dtype))
        first, second = mask * (1 - kinds), mask * kinds
        cosine = F.cosine_similarity(mean_pool(state, first), mean_pool(state, second))
        shares = self.weigh(state).float() + (1.0 - first[..., None].float()) * CLOSED
        shares = shares.softmax(1)
        top = best_match(state, mask, kinds)
        matches = (torch.stack([low, top], -1) * shares).sum(1)
        views = [cosine[:, None], matches]
        if rarity is not None:
            views.append(rare_match(top, rarity)[:, None])
        pooled = torch.tanh(self.pool(state[:, 0]))
        read: Tensor = self.head(pooled)[:, 0]
        return read, torch.cat(views, -1) - CENTRE


def joint_bias(gates: Tensor, mask: Tensor, kinds: Tensor, dtype: torch.dtype) -> Tensor:
    """[b, heads, s, s]: 0 within a segment, the gate across, closed towards padding.

    `gates` [heads, 2]: for query tokens looking at the document, and the other way.
    """
    kind = kinds.to(dtype)
    across = (kind[:, :, None] - kind[:, None, :]).abs()[:, None]
    side = kind[:, None, :, None]
    opening = gates[None, :, 0, None, None] * (1 - side) + gates[None, :, 1, None, None] * side
    return across * opening + (1.0 - mask[:, None, None, :].to(dtype)) * CLOSED


def best_match(state: Tensor, mask: Tensor, kinds: Tensor) -> Tensor:
    """For each token the highest cosine with a document token: [b, s]."""
    unit = F.normalize(state.float(), dim=-1)
    cosine = unit @ unit.transpose(-1, -2)
    document = (mask * kinds)[:, None, :].to(unit.dtype)
    return (cosine - 4.0 * (1 - document)).amax(-1)


def rare_match(best: Tensor, rarity: Tensor) -> Tensor:
    """The best matches [b, s] averaged by rarity [b, s]: [b]; `CENTRE` where nothing is rare."""
    return ((best * rarity).sum(1) + TRACE * CENTRE) / (rarity.sum(1) + TRACE)
