"""Rows of named values from JSONL, CSV and TSV files, gz or not, each with its `file:line`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from crossrank.errors import BadInput, NotFound
from crossrank.io.delimited import delimited_rows
from crossrank.io.document import broken_unicode
from crossrank.io.documents import format_of
from crossrank.io.encoding import Source, undecodable
from crossrank.io.json_documents import json_rows
from crossrank.io.problems import BROKEN_LINE, WRONG_ENCODING, Problems

Row = Mapping[str, Any]


def read_rows(
    path: Path, problems: Problems, columns: Sequence[str] = ()
) -> Iterator[tuple[str, Row]]:
    """Each row of a file with its place, one at a time; rows that cannot be read are reported.

    The suffix tells the format. `columns` names the columns of a CSV or TSV file that has no
    header line. Raises NotFound for a missing file, BadInput for an unknown suffix.
    """
    if not path.is_file():
        raise NotFound(f"a file wanted, {path} is not there: check the path")
    source = Source(str(path), path)
    kind = format_of(path)
    if kind == "text":
        raise BadInput(f"a .jsonl, .csv or .tsv file (or .gz of these) wanted, got {path}")
    if kind == "jsonl":
        return iter(json_rows(source, problems))
    return _delimited(source, "\t" if kind == "tsv" else "", problems, columns)


def _delimited(
    source: Source, delimiter: str, problems: Problems, columns: Sequence[str]
) -> Iterator[tuple[str, Row]]:
    rows = delimited_rows(source, delimiter, problems)
    header = list(columns) or next(rows, (0, []))[1]
    if len(set(header)) != len(header):
        raise BadInput(f"{source.name}:1: different column names wanted, got {', '.join(header)}")
    for number, cells in rows:
        place = f"{source.name}:{number}"
        bad = next(filter(broken_unicode, cells), None)
        if bad is not None:
            problems.report(WRONG_ENCODING, place, undecodable(bad, source.encoding))
        elif len(cells) != len(header):
            found = f"{len(header)} columns wanted, got {len(cells)}"
            problems.report(BROKEN_LINE, place, found)
        else:
            yield place, dict(zip(header, cells, strict=True))


def text_of(row: Row, key: str, place: str, problems: Problems) -> str | None:
    """The text under `key`, or nothing and a report where there is none or it is blank."""
    value = row.get(key)
    if isinstance(value, str) and value.strip():
        return value
    have = ", ".join(row)
    wanted = f"a text {key!r} wanted, got {_short(value)} (the row has {have[:120]})"
    problems.report(BROKEN_LINE, place, wanted)
    return None


def name_of(row: Row, key: str) -> str:
    """The id under `key` as text, empty where there is none."""
    value = row.get(key)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value)


def number_of(
    value: Any, key: str, place: str, problems: Problems, classes: Mapping[str, float]
) -> float | None:
    """A label: a finite number, or a name that `classes` knows; else nothing and a report."""
    if isinstance(value, str) and value in classes:
        return classes[value]
    try:
        number = float(value) if not isinstance(value, bool) else float(int(value))
    except (TypeError, ValueError):
        number = float("nan")
    if number == number and abs(number) < 3.4e38:
        return number
    known = f" or one of {', '.join(classes)}" if classes else ""
    problems.report(BROKEN_LINE, place, f"a number{known} as {key!r} wanted, got {_short(value)}")
    return None


def _short(value: object) -> str:
    shown = "nothing" if value is None else repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."
