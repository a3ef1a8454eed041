"""What was asked for lately, in bounded memory."""

from __future__ import annotations


class Recent(dict[str, str]):
    """Terms by chunk in two generations: what is not asked for while one fills is forgotten."""

    def __init__(self) -> None:
        super().__init__()
        self._older: dict[str, str] = {}

    def age(self, limit: int) -> None:
        """Begins a new generation when the one in use has `limit` chunks."""
        if len(self) >= limit:
            self._older = dict(self)
            self.clear()

    def again(self, chunk: str) -> str | None:
        """The terms of a chunk of the generation before, which is in use again; None without."""
        terms = self._older.get(chunk)
        if terms is not None:
            self[chunk] = terms
        return terms
