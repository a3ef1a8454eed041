"""Being told how far a long job is."""

from __future__ import annotations

from collections.abc import Callable

# Called with the number of items done so far.
Done = Callable[[int], None]


def unwatched(count: int) -> None:
    """Watches nothing: the default of `done`."""
