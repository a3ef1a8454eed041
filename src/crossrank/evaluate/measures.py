"""A measure is a value whose text round-trips: `parse_measure(str(m)) == m`.

The texts are those of ir-measures: `nDCG@10`, `AP(rel=2)@100`, `RBP(p=0.95)`, `ERR@20`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from typing import Any, Final, Self

from crossrank.errors import BadInput

_FORM = re.compile(r"([A-Za-z]+)(?:\(([^()]*)\))?(?:@([0-9]+))?")

# name -> the parameters it takes beside the cutoff
_TAKES: Final[dict[str, tuple[str, ...]]] = {
    "nDCG": ("dcg", "judged_only"),
    "RR": ("rel", "judged_only"),
    "AP": ("rel", "judged_only"),
    "R": ("rel", "judged_only"),
    "P": ("rel", "judged_only"),
    "Rprec": ("rel", "judged_only"),
    "Success": ("rel", "judged_only"),
    "ERR": ("max_rel",),
    "RBP": ("p", "rel"),
    "Judged": (),
}
_NEEDS_CUTOFF: Final = frozenset({"R", "P", "Success"})
_ALIASES: Final = {
    "MRR": "RR",
    "MAP": "AP",
    "Recall": "R",
    "Precision": "P",
    "NDCG": "nDCG",
    "RPrec": "Rprec",
    "Hit": "Success",
}


@dataclass(frozen=True, slots=True)
class Measure:
    """What is measured: a name, a cutoff (0 = the whole ranking), and parameters.

    rel: lowest grade that counts as relevant. dcg: "log2" (gain = grade; Järvelin & Kekäläinen
    2002) or "exp-log2" (gain = 2^grade - 1; Burges et al. 2005). p: persistence of RBP.
    max_rel: the highest grade of ERR's scale. judged_only: skip documents without a judgement.
    """

    name: str
    cutoff: int = 0
    rel: int = 1
    dcg: str = "log2"
    p: float = 0.8
    max_rel: int = 4
    judged_only: bool = False

    def __post_init__(self) -> None:
        if self.name not in _TAKES:
            raise BadInput(f"a known measure wanted, got {self.name!r}: {_near(self.name)}")
        for key in _changed(self):
            if key not in _TAKES[self.name]:
                takes = ", ".join(_TAKES[self.name]) or "no parameters"
                raise BadInput(f"{self.name} takes {takes}, got {key}")
        _check_ranges(self)

    def __matmul__(self, cutoff: int) -> Self:
        """The same measure at a cutoff: `nDCG @ 10`."""
        return replace(self, cutoff=cutoff)

    def __call__(
        self,
        *,
        rel: int = 1,
        dcg: str = "log2",
        p: float = 0.8,
        max_rel: int = 4,
        judged_only: bool = False,
    ) -> Self:
        """The same measure and cutoff with other parameters: `AP(rel=2) @ 100`."""
        return replace(self, rel=rel, dcg=dcg, p=p, max_rel=max_rel, judged_only=judged_only)

    def __str__(self) -> str:
        inner = ",".join(f"{key}={value!r}" for key, value in _changed(self).items())
        at = f"@{self.cutoff}" if self.cutoff else ""
        return f"{self.name}({inner}){at}" if inner else f"{self.name}{at}"


def parse_measure(text: str) -> Measure:
    """The measure a text names: `nDCG@10`, `MRR@10`, `AP(rel=2)`, `RBP(p=0.95)`, `R@100`.

    Raises BadInput for unknown names and parameters and for a cutoff that is missing.
    """
    found = _FORM.fullmatch(text.strip())
    if not found:
        raise BadInput(f"a measure like nDCG@10 or AP(rel=2)@100 wanted, got {text!r}")
    name, inner, cutoff = found.groups()
    name = _ALIASES.get(name, name)
    if name not in _TAKES:
        raise BadInput(f"a known measure wanted, got {text!r}: {_near(name)}")
    if cutoff is None and name in _NEEDS_CUTOFF:
        raise BadInput(f"{name} needs a cutoff: write {name}@10")
    if cutoff is not None and int(cutoff) == 0:
        raise BadInput(f"a cutoff of 1 or more wanted, got {text!r}")
    return Measure(name, int(cutoff or 0), **_parameters(inner or "", text))


def parse_measures(texts: str | Sequence[str]) -> tuple[Measure, ...]:
    """Measures from texts, each of which may name several: `"nDCG@10 AP(rel=2), RR@10"`."""
    joined = texts if isinstance(texts, str) else " ".join(texts)
    # a comma or blank separates measures, except between parentheses
    parts = [part for part in re.split(r"[\s,]+(?![^()]*\))", joined) if part]
    if not parts:
        raise BadInput("at least one measure wanted, got none: for example nDCG@10")
    return tuple(dict.fromkeys(parse_measure(part) for part in parts))


def _parameters(inner: str, text: str) -> dict[str, Any]:
    kinds = {"rel": int, "dcg": str, "p": float, "max_rel": int, "judged_only": bool}
    values: dict[str, Any] = {}
    for part in filter(None, (part.strip() for part in inner.split(","))):
        key, _, value = (side.strip() for side in part.partition("="))
        if key not in kinds or not value:
            raise BadInput(f"parameters like rel=2 ({', '.join(kinds)}) wanted, got {text!r}")
        try:
            values[key] = _value(kinds[key], value.strip("'\""))
        except ValueError:
            raise BadInput(f"{key} as {kinds[key].__name__} wanted, got {text!r}") from None
    return values


def _value(kind: type, text: str) -> Any:
    if kind is bool:
        if text not in ("True", "False"):
            raise ValueError(text)
        return text == "True"
    return kind(text)


def _changed(measure: Measure) -> dict[str, Any]:
    # compared with the defaults, so that a measure has one text only
    return {
        field.name: getattr(measure, field.name)
        for field in fields(measure)
        if field.name not in ("name", "cutoff") and getattr(measure, field.name) != field.default
    }


def _check_ranges(measure: Measure) -> None:
    if measure.cutoff < 0 or (measure.name == "Rprec" and measure.cutoff):
        raise BadInput(f"{measure.name} with a cutoff of {measure.cutoff} has no meaning")
    if measure.rel < 1:
        raise BadInput(f"rel, the lowest relevant grade, of 1 or more wanted, got {measure.rel}")
    if measure.dcg not in ("log2", "exp-log2"):
        raise BadInput(f"dcg='log2' or 'exp-log2' wanted, got {measure.dcg!r}")
    if not 0 < measure.p < 1:
        raise BadInput(f"a persistence p between 0 and 1 wanted, got {measure.p}")
    if measure.max_rel < 1:
        raise BadInput(f"max_rel, the highest grade, of 1 or more wanted, got {measure.max_rel}")


def _near(name: str) -> str:
    known = [*_TAKES, *_ALIASES]
    near = get_close_matches(name, known, n=1, cutoff=0.4)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"


nDCG: Final = Measure("nDCG")  # noqa: N816  # the field writes it so
RR: Final = Measure("RR")
AP: Final = Measure("AP")
R: Final = Measure("R")
P: Final = Measure("P")
Rprec: Final = Measure("Rprec")
Success: Final = Measure("Success")
ERR: Final = Measure("ERR")
RBP: Final = Measure("RBP")
Judged: Final = Measure("Judged")

# what reports show unless told otherwise
DEFAULT: Final = (nDCG @ 10, RR @ 10, AP, R @ 100, P @ 10)
