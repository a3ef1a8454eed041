"""Where labelled data comes from, as values: one `Source` a file or folder of a configuration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from crossrank.errors import BadInput
from crossrank.io.problems import Problems
from crossrank.train.judged import file_labels, set_labels, triple_labels
from crossrank.train.labelled import rescaled
from crossrank.train.names import Columns
from crossrank.train.readers import read_groups, read_pairs, read_triples
from crossrank.train.split import chosen
from crossrank.types import Ranking

FORMATS: Final = ("pairs", "triples", "groups", "beir", "qrels", "id-triples")


@dataclass(frozen=True, slots=True)
class Source:
    """Labelled data on disk.

    format: pairs (query, document, label), triples, groups (a query with its documents), beir
    (path is the folder), qrels and id-triples (path is the file of judgements; `queries` and
    `corpus` hold the texts). beir also opens the other layouts of judged sets that `crossrank
    evaluate` knows. range: labels from range[0] to range[1] become 0 to 1. above:
    labels from this value on become 1, the others 0. limit: the first so many queries.
    """

    path: Path
    format: str = "pairs"
    split: str = "train"
    queries: Path | None = None
    corpus: Path | None = None
    query: str = ""
    document: str = ""
    label: str = ""
    columns: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    range: tuple[float, ...] = ()
    above: float | None = None
    limit: int = 0

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise BadInput(f"a format ({', '.join(FORMATS)}) wanted, got {self.format!r}")
        if self.format in ("qrels", "id-triples") and not (self.queries and self.corpus):
            raise BadInput(f"format {self.format} needs the files `queries` and `corpus` as well")
        if self.range and len(self.range) != 2:
            raise BadInput(f"range of two numbers [low, high] wanted, got {list(self.range)}")
        if self.limit < 0:
            raise BadInput(f"a limit of 0 (none) or more queries wanted, got {self.limit}")


def read_source(source: Source, problems: Problems) -> Ranking:
    """The labelled data of a source; rows that cannot be used are reported to `problems`."""
    data = _read(source, problems)
    if not len(data.docs):
        raise BadInput(f"{source.path}: at least one labelled pair wanted, got none")
    if source.range:
        data = rescaled(data, source.range[0], source.range[1])
    if source.above is not None:
        data = data.rescored((data.scores >= source.above).astype(np.float32), data.scale)
    if source.limit and source.limit < len(data.queries):
        data = chosen(data, np.arange(source.limit))
    return data


def _read(source: Source, problems: Problems) -> Ranking:
    columns = Columns(
        query=source.query,
        document=source.document,
        label=source.label,
        listed=source.columns,
        classes=source.classes,
    )
    match source.format:
        case "pairs":
            return read_pairs(source.path, problems, columns)
        case "triples":
            return read_triples(source.path, problems, columns)
        case "groups":
            return read_groups(source.path, problems, columns)
        case "beir":
            return set_labels(source.path, source.split, problems)
    queries, corpus = source.queries or Path(), source.corpus or Path()
    if source.format == "qrels":
        return file_labels(source.path, queries, corpus, problems)
    return triple_labels(source.path, queries, corpus, problems)
