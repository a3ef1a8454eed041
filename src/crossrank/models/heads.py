"""From the outputs of a graph to one score a pair, whose scale is stated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from crossrank.errors import BadInput, ModelError
from crossrank.models.settings import Settings
from crossrank.types import Floats, Scale

Reals = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Head:
    """How outputs [n, labels] become scores [n].

    One output is the score. Two or more classes: with `label` the log-odds of that class against
    the others, else the grade to expect, the sum of i * P(class i). cumulative: output k is the
    logit of `grade > k`, the score the grade to expect, the sum of their probabilities.
    """

    labels: tuple[str, ...]
    scale: Scale
    label: int = -1
    cumulative: bool = False

    def scores(self, outputs: Floats) -> Floats:
        """float32 [n], on `scale`."""
        if self.cumulative:
            return np.asarray(sigmoid(outputs).sum(axis=1), dtype=np.float32)
        if outputs.shape[1] == 1:
            return outputs[:, 0]
        values = outputs.astype(np.float64)
        if self.label >= 0:
            others = np.delete(values, self.label, axis=1)
            return (values[:, self.label] - _log_sum(others)).astype(np.float32)
        return (softmax(values) @ np.arange(outputs.shape[1])).astype(np.float32)


def head_of(settings: Settings, count: int, label: str = "") -> Head:
    """The head of a model with `count` outputs.

    `label` names the class whose log-odds are the score. Without it: one output is a logit (or
    what the settings say), of two classes the second is "relevant", numbered classes are grades.
    Raises BadInput where classes have names and none was chosen.
    """
    known = len(settings.labels) == count
    names = settings.labels if known else tuple(map(str, range(count)))
    if settings.cumulative:
        return Head(names, Scale.GRADE, cumulative=True)
    if count == 1:
        if label:
            raise BadInput(f"no label wanted for a model with one output, got {label!r}")
        return Head(names, settings.scale or Scale.LOGIT)
    if label:
        return Head(names, Scale.LOGIT, _index(names, label))
    if settings.scale is Scale.GRADE or (count > 2 and _numbered(names)):
        return Head(names, Scale.GRADE)
    if count == 2 and (_numbered(names) or settings.scale is Scale.LOGIT):
        return Head(names, Scale.LOGIT, 1)
    raise BadInput(
        f"this model tells {count} classes apart: say which one's log-odds are the score "
        f"(label=), one of {', '.join(names)}"
    )


def _index(names: Sequence[str], label: str) -> int:
    folded = [name.casefold() for name in names]
    if label.casefold() not in folded:
        raise BadInput(f"a label of {', '.join(names)} wanted, got {label!r}")
    return folded.index(label.casefold())


def _numbered(names: Sequence[str]) -> bool:
    """Whether the names are "0", "1", ... or transformers' LABEL_0, LABEL_1, ..."""
    return all(name in (str(i), f"LABEL_{i}") for i, name in enumerate(names))


def sigmoid(values: npt.ArrayLike) -> Reals:
    """1 / (1 + exp(-x)), float64, without overflow."""
    x = np.asarray(values, dtype=np.float64)
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + small), small / (1 + small))


def softmax(values: npt.ArrayLike) -> Reals:
    """The softmax over the last axis, float64."""
    x = np.asarray(values, dtype=np.float64)
    raised = np.exp(x - x.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))


def _log_sum(values: Reals) -> Reals:
    most = values.max(axis=1)
    return np.asarray(most + np.log(np.exp(values - most[:, None]).sum(axis=1)))


def _identity(values: Reals) -> Reals:
    return values


# The torch classes that sentence-transformers' models name; code of their authors is never run.
_ACTIVATIONS: Final[dict[str, Callable[[Reals], Reals]]] = {
    "Identity": _identity,
    "Sigmoid": sigmoid,
    "Softmax": softmax,
    "Tanh": np.tanh,
    "ReLU": lambda values: np.maximum(values, 0.0),
}


def activation(name: str, count: int) -> Callable[[Reals], Reals]:
    """What sentence-transformers applies for an activation of this name, to float64 [n, count].

    Without a name that is a sigmoid for one output, else nothing. Raises ModelError for classes
    that are not torch.nn's or not known here.
    """
    if not name:
        return sigmoid if count == 1 else _identity
    module, _, kind = name.rpartition(".")
    if not (module == "torch.nn" or module.startswith("torch.nn.")) or kind not in _ACTIVATIONS:
        known = ", ".join(f"torch.nn.{each}" for each in _ACTIVATIONS)
        raise ModelError(
            f"an activation of {known} wanted, the model names {name!r}, which is not run: "
            "use score() and apply it yourself"
        )
    return _ACTIVATIONS[kind]
