"""Checkpoints on disk: which are whole, and the one a run goes on from.

A killed process may leave a checkpoint half written. Each gets a mark once it is whole, and
what has none is deleted before a run goes on.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

_MARK: Final = "complete"


def mark(folder: Path) -> None:
    """Says that a checkpoint is whole."""
    (folder / _MARK).touch()


def latest(folder: Path) -> Path | None:
    """The newest whole checkpoint under `folder`; what a killed process left is deleted."""
    whole: dict[int, Path] = {}
    for each in folder.glob("checkpoint-*"):
        if (each / _MARK).is_file():
            whole[int(each.name.rpartition("-")[2])] = each
        else:
            shutil.rmtree(each, ignore_errors=True)
    return whole[max(whole)] if whole else None


def swap(partial: Path, target: Path) -> None:
    """Puts a folder that is ready in the place of `target`."""
    old = target.with_name(f"{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    partial.rename(target)
    shutil.rmtree(old, ignore_errors=True)
