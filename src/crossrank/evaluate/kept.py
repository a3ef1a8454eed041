"""Rankings kept on disk by what they were made from, so that no stage runs twice."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from crossrank.types import Note, Ranking, Scale, Search


@dataclass(frozen=True, slots=True)
class Kept:
    """A ranking of some queries and the seconds it took to make."""

    ranking: Ranking
    seconds: float


class RankingStore:
    """One file a ranking in `folder`, found by key. A broken file counts as none."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, key: str, search: Search) -> Kept | None:
        """What is kept under `key`, as an answer to `search`; nothing if there is none."""
        try:
            with self._path(key).open("rb") as raw, np.load(raw, allow_pickle=False) as stored:
                about = json.loads(str(stored["about"]))
                ranking = Ranking(
                    search.queries,
                    search.corpus,
                    stored["indptr"],
                    stored["docs"],
                    stored["scores"],
                    Scale(about["scale"]),
                    tuple(Note(*note) for note in about["notes"]),
                )
                return Kept(ranking, float(about["seconds"]))
        except (OSError, KeyError, ValueError, BadZipFile, EOFError):
            return None

    def put(self, key: str, kept: Kept) -> None:
        """Keeps a ranking under `key`, in one piece."""
        ranking = kept.ranking
        notes = [(note.kind, note.count, note.text) for note in ranking.notes]
        about = {"scale": str(ranking.scale), "notes": notes, "seconds": kept.seconds}
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
        with os.fdopen(handle, "wb") as out:
            np.savez(
                out,
                indptr=ranking.indptr,
                docs=ranking.docs,
                scores=ranking.scores,
                about=np.array(json.dumps(about)),
            )
        Path(temporary).replace(path)

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.npz"


def key_from(parts: Sequence[str]) -> str:
    """A short key for texts that together say what something was made from."""
    joined = json.dumps(list(parts), ensure_ascii=False)
    return hashlib.blake2b(joined.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
