"""The sentence-transformers modules that may follow an encoder, as torch modules of our own.

Each maps (state, attention_mask) to the next state. Padding is on the right.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from crossrank.errors import ModelError

_LEGACY_POOLING: Final = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}


def load_step(folder: Path, kind: str) -> nn.Module:
    """The module of class name `kind` in `folder`. Raises ModelError for one not supported."""
    if kind not in _STEPS:
        raise ModelError(
            f"{folder}: a module of {', '.join(sorted(_STEPS))} wanted, got {kind or 'no type'}"
        )
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    step = _STEPS[kind](config)
    if step.state_dict():
        _load_weights(step, folder)
    return step


class Pooling(nn.Module):
    """Token vectors [b, s, h] to one vector a text [b, h * modes]."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        named = config.get("pooling_mode")
        chosen = [named] if isinstance(named, str) else list(named or [])
        self.modes = chosen or [new for old, new in _LEGACY_POOLING.items() if config.get(old)]
        unknown = set(self.modes) - set(_POOL)
        if unknown or not self.modes or config.get("include_prompt") is False:
            raise ModelError(f"pooling of {', '.join(_POOL)} over all tokens wanted, got {config}")

    def forward(self, state: Tensor, mask: Tensor) -> Tensor:
        """The pooled vectors, modes side by side."""
        weights = mask.to(state.dtype).unsqueeze(-1)
        return torch.cat([_POOL[mode](state, weights) for mode in self.modes], dim=-1)


class Dense(nn.Module):
    """A linear layer and its activation."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        bias = bool(config.get("bias", True))
        width, out = int(config["in_features"]), int(config["out_features"])
        self.linear = nn.Linear(width, out, bias=bias)
        self.activation = _activation(str(config.get("activation_function", "torch.nn.Tanh")))
        self.residual: nn.Module | None = None
        if config.get("use_residual"):
            same = width == out
            self.residual = nn.Identity() if same else nn.Linear(width, out, bias=False)

    def forward(self, state: Tensor, _mask: Tensor) -> Tensor:
        """activation(W x + b), plus the residual where the model has one."""
        out: Tensor = self.activation(self.linear(state))
        return out if self.residual is None else out + self.residual(state)


class LayerNorm(nn.Module):
    """A layer normalisation of the vector."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(int(config["dimension"]))

    def forward(self, state: Tensor, _mask: Tensor) -> Tensor:
        """The normalised vectors."""
        normed: Tensor = self.norm(state)
        return normed


class Normalize(nn.Module):
    """Vectors of unit length."""

    def __init__(self, _config: Mapping[str, Any]) -> None:
        super().__init__()

    def forward(self, state: Tensor, _mask: Tensor) -> Tensor:
        """The vectors divided by their length."""
        return torch.nn.functional.normalize(state, dim=-1)


class Dropout(nn.Module):
    """Nothing: dropout only acts in training."""

    def __init__(self, _config: Mapping[str, Any]) -> None:
        super().__init__()

    def forward(self, state: Tensor, _mask: Tensor) -> Tensor:
        """The state as it is."""
        return state


_STEPS: Final[dict[str, Callable[[Mapping[str, Any]], nn.Module]]] = {
    "Pooling": Pooling,
    "Dense": Dense,
    "LayerNorm": LayerNorm,
    "Normalize": Normalize,
    "Dropout": Dropout,
}


def _cls(state: Tensor, _weights: Tensor) -> Tensor:
    return state[:, 0]


def _max(state: Tensor, weights: Tensor) -> Tensor:
    return state.masked_fill(weights == 0, float("-inf")).amax(dim=1)


def _mean(state: Tensor, weights: Tensor) -> Tensor:
    return (state * weights).sum(1) / weights.sum(1).clamp(min=1e-9)


def _mean_sqrt(state: Tensor, weights: Tensor) -> Tensor:
    return (state * weights).sum(1) / weights.sum(1).clamp(min=1e-9).sqrt()


def _weighted_mean(state: Tensor, weights: Tensor) -> Tensor:
    return _mean(state, weights * weights.cumsum(1))


def _last_token(state: Tensor, weights: Tensor) -> Tensor:
    place = weights.cumsum(1)
    last = (place == place[:, -1:]) & (weights > 0)
    return (state * last.to(state.dtype)).sum(1)


_POOL: Final[dict[str, Callable[[Tensor, Tensor], Tensor]]] = {
    "cls": _cls,
    "max": _max,
    "mean": _mean,
    "mean_sqrt_len_tokens": _mean_sqrt,
    "weightedmean": _weighted_mean,
    "lasttoken": _last_token,
}


def _activation(name: str) -> nn.Module:
    """A parameterless activation of torch.nn by its dotted name; nothing else is imported."""
    found = getattr(nn, name.rpartition(".")[2], None)
    if not (name.startswith("torch.nn.") and isinstance(found, type)):
        raise ModelError(f"an activation of torch.nn wanted, got {name!r}")
    module = found()
    if not isinstance(module, nn.Module):
        raise ModelError(f"an activation of torch.nn wanted, got {name!r}")
    return module


def _load_weights(step: nn.Module, folder: Path) -> None:
    from safetensors.torch import load_file

    path = folder / "model.safetensors"
    if not path.is_file():
        raise ModelError(
            f"{path} wanted, it is not there (pickled weights are not read): save the model again "
            "with a recent sentence-transformers"
        )
    try:
        step.load_state_dict(load_file(path))
    except RuntimeError as error:
        raise ModelError(f"{path}: {error}") from error
