"""Optional dependencies: one place that imports them, and one error when they are missing."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Final

from crossrank.errors import BadInput, MissingExtra

# extra -> what it is for; the names are those of pyproject.toml
EXTRAS: Final[dict[str, str]] = {
    "export": "exporting or quantising a model, or running it with torch,",
    "train": "training and distilling models",
    "ltr": "learned fusion",
    "test": "running the test suite",
}


def require(module: str, *, extra: str) -> ModuleType:
    """The imported `module`, which belongs to the optional dependencies `extra`.

    Raises MissingExtra, naming the pip line, when it is not installed.
    """
    if extra not in EXTRAS:
        raise BadInput(f"unknown extra {extra!r}; known: {', '.join(sorted(EXTRAS))}")
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        top = module.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != top:
            raise  # it is installed, and something it needs is broken: show that instead
        raise MissingExtra(
            f"{EXTRAS[extra]} needs {top}, which is not installed: "
            f"run  pip install 'crossrank[{extra}]'"
        ) from error
