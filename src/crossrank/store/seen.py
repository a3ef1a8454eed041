"""Which ids a collection has and what it knows of each, 17 bytes a document, all of it numpy."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from crossrank.io.document import Document

Hashes = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]


def id_hash(name: str) -> int:
    """64 bits of an id."""
    return _bits(name.encode())


def content_hash(document: Document) -> int:
    """64 bits of everything that is stored of a document but its id."""
    fields = "{}"
    if document.fields:
        fields = json.dumps(dict(document.fields), ensure_ascii=False, sort_keys=True, default=str)
    return _bits(f"{document.title}\0{document.text}\0{fields}".encode())


def _bits(data: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")


class Seen:
    """Sorted runs of (id hash, content hash, read in this run), merged as they grow.

    Runs of at least half the size of the one before are merged, so there are few of them and
    adding n documents costs n log n. A hash that is here may belong to another id (one pair in
    10^13 documents), so a caller that must be sure asks the table.
    """

    def __init__(self) -> None:
        self._runs: list[tuple[Hashes, Hashes, Flags]] = []

    def add(self, names: Hashes, contents: Hashes, now: bool) -> None:
        """Remembers documents; `now` when they were read in this run."""
        if not len(names):
            return
        order = np.argsort(names, kind="stable")
        self._runs.append((names[order], contents[order], np.full(len(names), now)))
        while len(self._runs) > 1 and 2 * len(self._runs[-1][0]) > len(self._runs[-2][0]):
            newer, older = self._runs.pop(), self._runs.pop()
            self._runs.append(_merged(older, newer))

    def find(self, names: Hashes) -> tuple[Flags, Hashes, Flags]:
        """For each id hash: whether it is known, its content hash, and whether read in this run.

        The newest entry counts.
        """
        known = np.zeros(len(names), dtype=bool)
        contents = np.zeros(len(names), dtype=np.uint64)
        now = np.zeros(len(names), dtype=bool)
        for run_names, run_contents, run_now in self._runs:  # oldest first: newer overwrite
            at = np.minimum(np.searchsorted(run_names, names), len(run_names) - 1)
            hit = run_names[at] == names
            known |= hit
            contents[hit] = run_contents[at[hit]]
            now[hit] = run_now[at[hit]]
        return known, contents, now


def _merged(
    older: tuple[Hashes, Hashes, Flags], newer: tuple[Hashes, Hashes, Flags]
) -> tuple[Hashes, Hashes, Flags]:
    names = np.concatenate([newer[0], older[0]])
    first = np.unique(names, return_index=True)[1]  # the newer of two equal names
    return (
        names[first],
        np.concatenate([newer[1], older[1]])[first],
        np.concatenate([newer[2], older[2]])[first],
    )


def hashes(values: Sequence[int]) -> Hashes:
    """A column of hashes."""
    return np.array(values, dtype=np.uint64)
