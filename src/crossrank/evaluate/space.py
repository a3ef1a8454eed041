"""The settings a search may choose from, as values and as steps from one to the next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

from crossrank.errors import BadInput
from crossrank.fuse.combine import Combination
from crossrank.fuse.methods import METHODS, RANK_METHODS
from crossrank.fuse.setting import Setting


@dataclass(frozen=True, slots=True)
class Space:
    """What may be chosen.

    weight_step: weights of the grid are multiples of it that add up to 1; 0.1 gives 11 for two
    rankings, 66 for three. depths: 0 is all. ks: constants of RRF. steps: by how much the
    coordinate search moves a weight, coarse to fine.
    """

    methods: tuple[str, ...] = ("rrf", "sum")
    normalisers: tuple[str, ...] = ("min-max", "z-score", "rank")
    missing: tuple[str, ...] = ("min", "zero")
    ks: tuple[float, ...] = (10.0, 60.0)
    depths: tuple[int, ...] = (0,)
    weight_step: float = 0.1
    steps: tuple[float, ...] = (0.2, 0.05, 0.01)

    def __post_init__(self) -> None:
        unknown = set(self.methods) - set(METHODS)
        if unknown or not self.methods:
            raise BadInput(f"methods among {', '.join(METHODS)} wanted, got {sorted(unknown)}")
        if not 0 < self.weight_step <= 1:
            raise BadInput(f"a weight step above 0 and up to 1 wanted, got {self.weight_step}")

    def check(self, count: int, most: int = 100_000) -> None:
        """Raises BadInput where a grid over `count` rankings would have too many settings."""
        parts = round(1 / self.weight_step)
        size = 1
        for each in range(1, count):
            size = size * (parts + each) // each
        if size > most:
            raise BadInput(
                f"a grid of at most {most:,} weights wanted, {count} rankings in steps of "
                f"{self.weight_step} have {size:,}: use a larger step or the coordinate search"
            )

    def grid(self, count: int) -> list[Setting]:
        """Every setting for `count` rankings, even weights first, so that ties stay simple."""
        weights = sorted(_simplex(count, self.weight_step), key=lambda w: max(w) - min(w))
        return [
            Setting(replace(how, weights=weight), depth)
            for depth in self.depths
            for how in self._kinds()
            for weight in weights
        ]

    def start(self, count: int) -> Setting:
        """Where the coordinate search begins: the first of each choice, even weights."""
        return Setting(
            replace(self._kinds()[0], weights=(round(1 / count, 4),) * count), self.depths[0]
        )

    def neighbours(self, setting: Setting, step: float) -> list[Setting]:
        """The setting, and every one that differs from it in one choice."""
        how = setting.how
        near = [setting]
        near += [replace(setting, depth=depth) for depth in self.depths]
        near += [Setting(replace(kind, weights=how.weights), setting.depth)
                 for kind in self._kinds()]  # fmt: skip
        for index, sign in product(range(len(how.weights)), (1, -1)):
            moved = [
                max(0.0, w + sign * step) if i == index else w for i, w in enumerate(how.weights)
            ]
            total = sum(moved)
            if total > 0:
                weights = tuple(round(w / total, 4) for w in moved)
                near.append(replace(setting, how=replace(how, weights=weights)))
        return list(dict.fromkeys(near))

    def _kinds(self) -> list[Combination]:
        kinds: list[Combination] = []
        for method in self.methods:
            if method == "rrf":
                kinds += [Combination(method, k=k) for k in self.ks]
            elif method in RANK_METHODS:
                kinds.append(Combination(method))
            else:
                pairs = product(self.normalisers, self.missing)
                kinds += [Combination(method, (), name, rule) for name, rule in pairs]
        return kinds


def _simplex(count: int, step: float) -> Iterator[tuple[float, ...]]:
    """All weights that are multiples of `step` and add up to 1."""
    parts = round(1 / step)

    def compositions(left: int, places: int) -> Iterator[tuple[int, ...]]:
        if places == 1:
            yield (left,)
            return
        for first in range(left + 1):
            for rest in compositions(left - first, places - 1):
                yield (first, *rest)

    for each in compositions(parts, count):
        yield tuple(round(part / parts, 6) for part in each)
