"""A document as it is read: id, title, text, and any other fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crossrank.io.problems import BROKEN_LINE, EMPTY_TEXT, Problems


@dataclass(frozen=True, slots=True)
class Document:
    """A document to be kept: `fields` are its metadata (JSON values), `source` is `file:line`."""

    id: str
    text: str
    title: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""


@dataclass(frozen=True, slots=True)
class Names:
    """What the id, title and text are called; `id` empty means `_id` or `id`.

    `columns` names the columns of CSV and TSV files that have no header line.
    """

    id: str = ""
    title: str = "title"
    text: str = "text"
    columns: tuple[str, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """The names under which an id is looked for, in order."""
        return (self.id,) if self.id else ("_id", "id")


def document_of(
    row: Mapping[str, Any], source: str, names: Names, problems: Problems
) -> Document | None:
    """The document in a row of fields, or nothing (and a report) where it cannot be one."""
    key = next((name for name in names.ids if name in row), "")
    name = row.get(key)
    if isinstance(name, int) and not isinstance(name, bool):
        name = str(name)
    if not isinstance(name, str) or not name:
        wanted = " or ".join(names.ids)
        problems.report(BROKEN_LINE, source, f"a string {wanted} wanted, got {_short(name)}")
        return None
    title, text = row.get(names.title), row.get(names.text)
    title = "" if title is None else title
    text = "" if text is None else text
    for column, value in ((names.title, title), (names.text, text)):
        if not isinstance(value, str):
            problems.report(
                BROKEN_LINE, source, f"a string {column!r} wanted, got {_short(value)} ({name!r})"
            )
            return None
    if not (title.strip() or text.strip()):
        problems.report(EMPTY_TEXT, source, f"{name!r} has no {names.title} and no {names.text}")
        return None
    taken = {key, names.title, names.text}
    rest = {k: v for k, v in row.items() if k not in taken and v is not None}
    return Document(name, text, title, rest, source)


def broken_unicode(text: str) -> bool:
    """Whether a text has half surrogates, which no file or table can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _short(value: object) -> str:
    shown = "nothing" if value is None else repr(value)
    return shown if len(shown) <= 80 else shown[:77] + "..."
