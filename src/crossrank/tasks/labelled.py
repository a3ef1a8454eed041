"""Labelled pairs as people keep them: JSON lines with two texts and a label."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from crossrank.errors import BadInput
from crossrank.io.lines import bad_line, numbered_lines
from crossrank.tasks.fits import Reals

_LEFT: Final = ("query", "text_a", "question", "a")
_RIGHT: Final = ("document", "passage", "text_b", "answer", "text", "b")
_LABEL: Final = ("label", "score")


@dataclass(frozen=True, slots=True)
class LabelledPairs:
    """Pairs of texts with labels 0 or 1: float64 [n]; `groups` tells which belong together."""

    left: tuple[str, ...]
    right: tuple[str, ...]
    labels: Reals
    groups: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.left)

    def some(self, count: int) -> LabelledPairs:
        """About `count` pairs: whole groups, spread evenly over all of them."""
        step = max(len(self) // count, 1)
        chosen = set(list(dict.fromkeys(self.groups))[::step])
        keep = [i for i, group in enumerate(self.groups) if group in chosen]
        return LabelledPairs(
            tuple(self.left[i] for i in keep),
            tuple(self.right[i] for i in keep),
            self.labels[keep],
            tuple(self.groups[i] for i in keep),
        )


def read_pairs(path: Path) -> LabelledPairs:
    """The pairs of a JSON lines file, gz or not.

    A line has query (or text_a), document (or passage, text_b) and label (or score), which is 0
    or 1. Pairs are grouped by `query_id` where there is one, else by the query. Raises BadInput,
    naming file and line, for anything else.
    """
    left: list[str] = []
    right: list[str] = []
    labels: list[float] = []
    groups: list[str] = []
    for number, line in numbered_lines(path):
        row = _object(path, number, line)
        left.append(_text(path, number, row, _LEFT))
        right.append(_text(path, number, row, _RIGHT))
        labels.append(_label(path, number, row))
        groups.append(str(row.get("query_id", left[-1])))
    if not left:
        raise BadInput(f"labelled pairs wanted, {path} has no line")
    return LabelledPairs(tuple(left), tuple(right), np.array(labels), tuple(groups))


def _object(path: Path, number: int, line: str) -> Mapping[str, Any]:
    try:
        row = json.loads(line)
    except json.JSONDecodeError:
        row = None
    if not isinstance(row, dict):
        raise bad_line(path, number, "a JSON object", repr(line))
    return row


def _text(path: Path, number: int, row: Mapping[str, Any], names: tuple[str, ...]) -> str:
    found = next((row[name] for name in names if name in row), None)
    if not isinstance(found, str):
        raise bad_line(path, number, f"a string {' or '.join(names)}", ", ".join(row))
    return found


def _label(path: Path, number: int, row: Mapping[str, Any]) -> float:
    found = next((row[name] for name in _LABEL if name in row), None)
    if found not in (0, 1):  # True and False too
        raise bad_line(path, number, "a label (or score) of 0 or 1", json.dumps(found))
    return float(found)
