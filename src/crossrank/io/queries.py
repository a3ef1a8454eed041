"""Query files: JSON lines as BEIR has them, or `id TAB text` as MS MARCO and TREC DL have them."""

from __future__ import annotations

from pathlib import Path

from crossrank.io.beir import read_jsonl_queries
from crossrank.io.lines import bad_line, numbered_lines
from crossrank.types import Queries


def read_queries(path: Path) -> Queries:
    """The queries of a file, in its order; JSON lines are told by their first character.

    Raises BadInput, naming file and line, for a line without a tab and for a repeated id.
    """
    first = next(numbered_lines(path), (0, ""))[1]
    return read_jsonl_queries(path) if first.startswith("{") else read_tsv_queries(path)


def read_tsv_queries(path: Path) -> Queries:
    """Queries from `id TAB text` lines."""
    texts: dict[str, str] = {}
    for number, line in numbered_lines(path):
        name, tab, text = line.partition("\t")
        if not tab or not name.strip():
            raise bad_line(path, number, "`id TAB text`", repr(line))
        if name in texts:
            raise bad_line(path, number, "each query id once", repr(name))
        texts[name] = text
    return Queries(tuple(texts), tuple(texts.values()))
