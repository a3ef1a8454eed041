"""What was wrong with the input: counted by kind, the first ones kept with file and line."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from crossrank.errors import BadInput

BROKEN_LINE: Final = "broken line"
WRONG_ENCODING: Final = "wrong encoding"
EMPTY_TEXT: Final = "empty text"
DUPLICATE_ID: Final = "duplicate id"
FIELD: Final = "metadata field"
OTHER_FILE: Final = "file of another kind"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that was wrong: its kind, where it is (`file:line`), and what was found."""

    kind: str
    source: str
    text: str

    def __str__(self) -> str:
        return f"{self.source}: {self.kind}: {self.text}"


@dataclass(slots=True)
class Problems:
    """Collects problems: `counts` by kind, `first` the first `keep` of each kind.

    With `strict` the first one is raised as BadInput instead.
    """

    strict: bool = False
    keep: int = 10
    counts: Counter[str] = field(default_factory=Counter)
    first: list[Problem] = field(default_factory=list)

    def report(self, kind: str, source: str, text: str) -> None:
        """Counts one problem; raises it if strict."""
        problem = Problem(kind, source, text)
        if self.strict:
            raise BadInput(f"{problem} (without --strict such documents are counted and listed)")
        self.counts[kind] += 1
        if self.counts[kind] <= self.keep:
            self.first.append(problem)

    def __len__(self) -> int:
        return self.counts.total()
