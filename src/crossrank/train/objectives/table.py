"""The objectives by name: what each needs of the model and of the data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from crossrank.errors import BadInput
from crossrank.types import Scale

if TYPE_CHECKING:
    from torch import Tensor

    Loss = Callable[[Tensor, Tensor, Tensor], Tensor]

POINTWISE: Final = ("bce", "mse", "cross-entropy", "ordinal", "coral")
GROUPWISE: Final = ("gbce", "info-nce", "list-net", "rank-net", "lambda", "margin-mse", "kl")
NAMES: Final = (*POINTWISE, *GROUPWISE)
_SIGMOID: Final = frozenset({"bce", "gbce"})


@dataclass(frozen=True, slots=True)
class Objective:
    """A loss by name and its settings.

    t, rate: gBCE's calibration and sampling rate (0: told from the data). temperature: of KL.
    """

    name: str
    t: float = 0.75
    rate: float = 0.0
    temperature: float = 1.0

    def __post_init__(self) -> None:
        if self.name not in NAMES:
            raise BadInput(f"an objective ({', '.join(NAMES)}) wanted, got {self.name!r}")
        if not 0 <= self.t <= 1 or not 0 <= self.rate <= 1:
            raise BadInput(f"t and rate from 0 to 1 wanted, got {self.t} and {self.rate}")
        if not self.temperature > 0:
            raise BadInput(f"a temperature above 0 wanted, got {self.temperature}")

    @property
    def grouped(self) -> bool:
        """Whether the loss compares documents of one query, so that they must come together."""
        return self.name in GROUPWISE

    @property
    def contrastive(self) -> bool:
        """Whether labels say only positive or negative, so that other negatives may be added."""
        return self.name in ("info-nce", "gbce")

    @property
    def scale(self) -> Scale:
        """What a cross-encoder's scores mean after this objective."""
        if self.classes:
            return Scale.GRADE
        if self.name in _SIGMOID:
            return Scale.LOGIT
        return Scale.REGRESSION if self.name == "mse" else Scale.RAW

    @property
    def cumulative(self) -> bool:
        """Whether output k is the logit of `grade > k`."""
        return self.name in ("ordinal", "coral")

    @property
    def classes(self) -> bool:
        """Whether labels are whole numbers from 0 and the model has an output for each."""
        return self.name in ("cross-entropy", "ordinal", "coral")

    def outputs(self, grades: int) -> int:
        """How many outputs the model needs for labels 0 to grades - 1."""
        if not self.classes:
            return 1
        return grades if self.name == "cross-entropy" else grades - 1


def objective(chosen: Objective) -> Loss:
    """The loss as a function of (scores, labels, mask)."""
    from crossrank.train.objectives import listwise, pointwise

    losses: dict[str, Loss] = {
        "bce": pointwise.bce,
        "mse": pointwise.mse,
        "cross-entropy": pointwise.cross_entropy,
        "ordinal": pointwise.ordinal,
        "coral": pointwise.ordinal,
        "gbce": partial(pointwise.gbce, beta=pointwise.gbce_beta(chosen.t, chosen.rate)),
        "info-nce": listwise.info_nce,
        "list-net": listwise.list_net,
        "rank-net": listwise.rank_net,
        "lambda": listwise.lambda_loss,
        "margin-mse": listwise.margin_mse,
        "kl": partial(listwise.kl, temperature=chosen.temperature),
    }
    return losses[chosen.name]
