"""Long jobs in parts: each part is a file of its own, whole or absent, and done only once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from crossrank.errors import BadInput
from crossrank.io.lines import numbered_lines, replaced

_SETTINGS: Final = "settings.json"


class Shards:
    """The parts of a job in a folder: `part-00000.jsonl.gz` with its counts beside it.

    A part is written by one rename, its counts before it, so a killed job leaves whole parts
    only. A folder that holds a job with other settings is refused.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self.folder = folder
        path = folder / _SETTINGS
        wanted = json.loads(json.dumps(settings))
        if path.is_file():
            before = json.loads(path.read_text(encoding="utf-8"))
            changed = sorted(
                key for key in {*before, *wanted} if before.get(key) != wanted.get(key)
            )
            if changed:
                raise BadInput(
                    f"{folder} holds a job with other settings ({', '.join(changed)}): choose "
                    "another folder, or delete it"
                )
        else:
            with replaced(path) as out:
                out.write(json.dumps(wanted, ensure_ascii=False, indent=2) + "\n")

    def has(self, number: int) -> bool:
        """Whether a part is done."""
        return self._path(number).is_file()

    def write(self, number: int, rows: Iterable[Mapping[str, Any]], counts: Counter[str]) -> None:
        """Writes a part and what is to be counted of it."""
        with replaced(self.folder / f"part-{number:05d}.counts.json") as out:
            out.write(json.dumps(dict(counts)) + "\n")
        with replaced(self._path(number)) as out:
            for row in rows:
                out.write(json.dumps(row, ensure_ascii=False) + "\n")

    def counts(self) -> Counter[str]:
        """The counts of all parts that are done, added up."""
        total: Counter[str] = Counter()
        for path in sorted(self.folder.glob("part-*.counts.json")):
            if path.with_name(path.name.replace(".counts.json", ".jsonl.gz")).is_file():
                total.update(json.loads(path.read_text(encoding="utf-8")))
        return total

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows of all parts in order, one at a time."""
        for path in self.files():
            for _, line in numbered_lines(path):
                yield json.loads(line)

    def files(self) -> list[Path]:
        """The parts that are done, in order."""
        return sorted(self.folder.glob("part-*.jsonl.gz"))

    def _path(self, number: int) -> Path:
        return self.folder / f"part-{number:05d}.jsonl.gz"
