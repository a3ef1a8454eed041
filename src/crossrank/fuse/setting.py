"""A combination with the depth it was chosen for, as JSON: what `tune` writes and `fuse` reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from crossrank.errors import BadInput
from crossrank.fuse.combine import Combination, combine
from crossrank.types import Ranking

FORMAT: Final = "crossrank-fusion-1"


@dataclass(frozen=True, slots=True)
class Setting:
    """How rankings become one, and how many documents of each are looked at (0: all)."""

    how: Combination = field(default_factory=Combination)
    depth: int = 0

    def __post_init__(self) -> None:
        if self.depth < 0:
            raise BadInput(f"a depth of 0 (all) or more wanted, got {self.depth}")

    def __str__(self) -> str:
        how = self.how
        weights = ":".join(f"{weight:g}" for weight in how.weights) or "equal"
        parts = [how.method, f"weights {weights}"]
        if how.method == "rrf":
            parts.append(f"k {how.k:g}")
        if how.normalise != "auto":
            names = how.normalise if isinstance(how.normalise, str) else "/".join(how.normalise)
            parts.append(names)
        if how.missing != "auto":
            parts.append(f"missing {how.missing}")
        if self.depth:
            parts.append(f"depth {self.depth}")
        return ", ".join(parts)

    def fused(self, rankings: Sequence[Ranking]) -> Ranking:
        """One ranking of the documents these rankings have up to the depth."""
        cut = [each.top(self.depth) for each in rankings] if self.depth else rankings
        return combine(cut, self.how)

    def as_dict(self) -> dict[str, Any]:
        """The setting as JSON values."""
        how = self.how
        normalise = how.normalise if isinstance(how.normalise, str) else list(how.normalise)
        return {
            "format": FORMAT,
            "method": how.method,
            "weights": list(how.weights),
            "normalise": normalise,
            "missing": how.missing,
            "k": how.k,
            "depth": self.depth,
        }


def setting_from(stored: Mapping[str, Any]) -> Setting:
    """The setting that `as_dict` wrote; other keys are left alone. Raises BadInput."""
    if not isinstance(stored, Mapping) or stored.get("format") != FORMAT:
        came = stored.get("format") if isinstance(stored, Mapping) else stored
        raise BadInput(f"a fusion written by crossrank tune ({FORMAT}) wanted, got {came!r}")
    try:
        normalise = stored["normalise"]
        how = Combination(
            stored["method"],
            tuple(float(weight) for weight in stored["weights"]),
            normalise if isinstance(normalise, str) else tuple(normalise),
            stored["missing"],
            float(stored["k"]),
        )
        return Setting(how, int(stored["depth"]))
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(f"a whole fusion wanted, got one without or with a bad {error}") from None
