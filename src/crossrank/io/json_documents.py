"""Documents from JSON lines: `_id` or `id`, `title`, `text`, and any other fields."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from crossrank.io.document import Document, Names, broken_unicode, document_of
from crossrank.io.encoding import Source, undecodable
from crossrank.io.problems import BROKEN_LINE, WRONG_ENCODING, Problems


def read_json_lines(source: Source, problems: Problems, names: Names) -> Iterator[Document]:
    """One document for each line that is a JSON object; the other lines are reported."""
    for place, row in json_rows(source, problems):
        document = document_of(row, place, names, problems)
        if document is not None:
            yield document


def json_rows(source: Source, problems: Problems) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each line that is a JSON object, with its `file:line`; the other lines are reported."""
    for number, line in source.lines():
        if not line.strip():
            continue
        place = f"{source.name}:{number}"
        if broken_unicode(line):
            problems.report(WRONG_ENCODING, place, undecodable(line, source.encoding))
            continue
        try:
            row = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            problems.report(
                BROKEN_LINE, place, f"a JSON object wanted, got {_near(line)} ({error})"
            )
            continue
        if not isinstance(row, dict):
            problems.report(BROKEN_LINE, place, f"a JSON object wanted, got {_near(line)}")
        elif ("\\ud" in line or "\\uD" in line) and broken_unicode(
            json.dumps(row, ensure_ascii=False)
        ):
            problems.report(BROKEN_LINE, place, "half a surrogate pair (\\ud...) is no character")
        else:
            yield place, row


def _near(line: str) -> str:
    bare = line.strip()
    return repr(bare if len(bare) <= 60 else bare[:57] + "...")
