"""One document from one .txt or .md file: its path is the id, its heading the title."""

from __future__ import annotations

import re
from collections.abc import Iterator

from crossrank.io.document import Document, broken_unicode
from crossrank.io.encoding import Source, undecodable
from crossrank.io.problems import EMPTY_TEXT, WRONG_ENCODING, Problems

_HEADING = re.compile(r"#{1,6}[ \t]+(.+?)[ \t]*#*[ \t]*(?:\n|$)")


def read_text_file(source: Source, name: str, problems: Problems) -> Iterator[Document]:
    """The file as one document with the id `name`, or nothing and a report.

    A Markdown heading on the first line becomes the title and leaves the text.
    """
    kept: list[str] = []
    for number, line in source.lines():
        if broken_unicode(line):
            place = f"{source.name}:{number}"
            problems.report(WRONG_ENCODING, place, undecodable(line, source.encoding))
            return
        kept.append(line)
    text = "".join(kept).replace("\r\n", "\n").strip()
    if not text:
        problems.report(EMPTY_TEXT, f"{source.name}:1", "the file is empty")
        return
    heading = _HEADING.match(text)
    title = heading.group(1) if heading else ""
    body = text[heading.end() :].strip() if heading else text
    yield Document(name, body, title, {}, f"{source.name}:1")
