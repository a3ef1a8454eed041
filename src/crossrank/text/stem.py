"""The Snowball stemmers, and their version: stems of another version may differ."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import Stemmer


def stemmer(language: Literal["german", "english"]) -> Callable[[str], str]:
    """A stemmer of folded words. Not thread safe; it keeps nothing, callers keep whole words."""
    stem: Callable[[str], str] = Stemmer.Stemmer(language, 0).stemWord
    return stem


def stemmer_version() -> str:
    """Major and minor version of the stemmers."""
    return ".".join(str(Stemmer.version()).split(".")[:2])
