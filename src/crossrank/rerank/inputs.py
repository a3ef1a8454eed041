"""Candidates and pairs as people pipe them: JSON lines, plain lines, tab-separated lines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from crossrank.errors import BadInput, NotFound
from crossrank.io.document import broken_unicode
from crossrank.io.encoding import Source, undecodable

_TEXTS: Final = ("text", "document", "passage")
_QUERIES: Final = ("query", "question", "text_a")
_DOCUMENTS: Final = ("document", "passage", "text", "text_b")


@dataclass(frozen=True, slots=True)
class Given:
    """One line of input: what a model reads of it, and the fields it came with."""

    query: str
    document: str
    fields: Mapping[str, Any]


def read_candidates(path: Path) -> Iterator[Given]:
    """The documents in a file (`-` for standard input), one a line; blank lines are left out.

    A line is a JSON object with `text` (or document, passage) and, if it has one, a `title`,
    which is read before the text; or a JSON string; any other line is a text as it is.
    Raises BadInput, naming the line, for broken JSON and for objects without a text.
    """
    for place, line in _lines(path):
        row = _json(place, line) if line[0] in '{"' else line
        if isinstance(row, str):
            yield Given("", row, {"text": row})
            continue
        text = _text(place, row, _TEXTS)
        title = row.get("title") or ""
        yield Given("", f"{title}\n{text}" if title else text, row)


def read_pairs(path: Path) -> Iterator[Given]:
    """The pairs in a file (`-` for standard input), one a line; blank lines are left out.

    A line is a JSON object with `query` (or question, text_a) and `document` (or passage, text,
    text_b), or query and document with a tab between them. Raises BadInput, naming the line, for
    anything else.
    """
    for place, line in _lines(path):
        if line[0] == "{":
            row = _json(place, line)
            yield Given(_text(place, row, _QUERIES), _text(place, row, _DOCUMENTS), row)
            continue
        query, tab, document = line.partition("\t")
        if not tab or "\t" in document:
            raise _bad(place, "a JSON object, or two texts with one tab between them", line)
        yield Given(query, document, {"query": query, "document": document})


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """Each line that is not blank, and what to call it in a message."""
    name = "stdin" if str(path) == "-" else str(path)
    if name != "stdin" and not path.is_file():
        raise NotFound(f"a file wanted (or - for standard input), {path} is not there")
    for number, line in Source(name, path).lines():
        if broken_unicode(line):
            raise BadInput(f"{name}:{number}: {undecodable(line, 'utf-8')}")
        if line.strip():
            yield f"{name}:{number}", line.rstrip("\r\n").lstrip()


def _json(place: str, line: str) -> Any:
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        raise _bad(place, f"JSON ({error.msg} at character {error.pos + 1})", line) from None


def _text(place: str, row: Mapping[str, Any], names: tuple[str, ...]) -> str:
    found = next((row[name] for name in names if row.get(name) is not None), None)
    if not isinstance(found, str):
        raise _bad(place, f"a string {' or '.join(map(repr, names))}", ", ".join(row) or "{}")
    return found


def _bad(place: str, wanted: str, got: str) -> BadInput:
    shown = got if len(got) <= 160 else got[:157] + "..."
    return BadInput(f"{place}: {wanted} wanted, got {shown}")
