"""Where crossrank keeps what it can make again: exported models, indexes of benchmark sets."""

from __future__ import annotations

import os
from pathlib import Path


def cache_dir() -> Path:
    """The cache directory: $CROSSRANK_CACHE, else crossrank under $XDG_CACHE_HOME or ~/.cache.

    It may be deleted at any time; it need not exist yet.
    """
    own = os.environ.get("CROSSRANK_CACHE")
    if own:
        return Path(own)
    shared = os.environ.get("XDG_CACHE_HOME")
    return (Path(shared) if shared else Path.home() / ".cache") / "crossrank"
