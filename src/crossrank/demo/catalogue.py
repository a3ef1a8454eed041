"""The demo's catalogue: texts, queries with their kinds, graded judgements."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from crossrank.io.document import Document
from crossrank.io.judged import judged_set
from crossrank.types import Queries, Ranking

KINDS = (
    *("compound", "unit", "norm", "maker", "negation", "conditions"),
    *("sentiment", "how-what", "cause-effect", "duplicate"),
)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What the demo searches. `kinds` and `languages` hold one entry for each query."""

    documents: tuple[Document, ...]
    queries: Queries
    kinds: tuple[str, ...]
    languages: tuple[str, ...]
    qrels: Ranking

    def grades(self) -> dict[tuple[str, str], int]:
        """The grade of each judged (query id, document id)."""
        ids = self.qrels.corpus.ids(self.qrels.docs)
        owners = self.qrels.owners()
        return {
            (self.qrels.queries.ids[owner], name): int(score)
            for owner, name, score in zip(owners, ids, self.qrels.scores, strict=True)
        }


def catalogue_folder() -> Path:
    """The folder of the catalogue, in BEIR layout, inside the installed package."""
    return Path(str(resources.files("crossrank"))) / "assets" / "demo"


def read_catalogue() -> Catalogue:
    """The catalogue that comes with the package."""
    folder = catalogue_folder()
    judged = judged_set(folder)
    lines = (folder / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    by_id = {row["_id"]: row for row in map(json.loads, lines)}
    rows = [by_id[name] for name in judged.queries.ids]
    return Catalogue(
        tuple(judged.documents()),
        judged.queries,
        tuple(row["kind"] for row in rows),
        tuple(row["language"] for row in rows),
        judged.qrels,
    )
