"""Documents from CSV and TSV: a header line names the columns; numbers become numbers."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Any, Final, Literal

from crossrank.errors import BadInput
from crossrank.io.document import Document, Names, broken_unicode, document_of
from crossrank.io.encoding import Source, undecodable
from crossrank.io.problems import BROKEN_LINE, WRONG_ENCODING, Problems

MAX_CELL: Final = 1 << 24
"""Longest cell in characters; a quote that is never closed ends here at the latest."""
TYPED_FROM: Final = 1000
"""Rows that decide whether a column holds numbers."""
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d+)?(?:[eE][-+]?\d{1,2})?")

Row = tuple[int, list[str]]


def read_delimited(
    source: Source, delimiter: str, problems: Problems, names: Names
) -> Iterator[Document]:
    """One document a row; `delimiter` empty means: told from the header line.

    Tab separated files have no quoting (a quotation mark is a character), the others have. A
    column whose first 1000 rows hold numbers only becomes a number, an empty cell a missing
    value. Raises BadInput when there is no id or no text column.
    """
    rows = delimited_rows(source, delimiter, problems)
    header = list(names.columns) or next(rows, (0, []))[1]
    if not header:
        return
    _check(header, source, names)
    head = list(islice(rows, TYPED_FROM))
    keep = {*names.ids, names.title, names.text}
    numeric = {i for i, name in enumerate(header) if name not in keep and _numeric(i, head)}
    for number, cells in chain(head, rows):
        place = f"{source.name}:{number}"
        if len(cells) != len(header):
            found = f"{len(header)} columns wanted, got {len(cells)}"
            problems.report(BROKEN_LINE, place, found)
        elif any(map(broken_unicode, cells)):
            bad = next(filter(broken_unicode, cells))
            problems.report(WRONG_ENCODING, place, undecodable(bad, source.encoding))
        else:
            row = {
                name: _value(cell, i in numeric)
                for i, (name, cell) in enumerate(zip(header, cells, strict=True))
            }
            document = document_of(row, place, names, problems)
            if document is not None:
                yield document


def delimited_rows(source: Source, delimiter: str, problems: Problems) -> Iterator[Row]:
    """The cells of each row and the number of its first line; unreadable rows are reported."""
    csv.field_size_limit(MAX_CELL)
    lines = (line for _, line in source.lines())
    first = next(lines, "")
    mark = delimiter or _delimiter(first)
    quoting: Literal[0, 3] = csv.QUOTE_NONE if mark == "\t" else csv.QUOTE_MINIMAL
    reader = csv.reader(chain([first], lines), delimiter=mark, quoting=quoting, strict=True)
    while True:
        start = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            place = f"{source.name}:{start}"
            lost = f"lines {start} to {reader.line_num} cannot be read as CSV ({error})"
            problems.report(BROKEN_LINE, place, lost)
            continue
        if cells:
            yield start, cells


def _delimiter(header: str) -> str:
    """The mark that separates most columns of the header: comma, semicolon, tab or bar."""
    return max(",;\t|", key=header.count)


def _check(header: Sequence[str], source: Source, names: Names) -> None:
    listed = ", ".join(header)
    if len(set(header)) != len(header):
        raise BadInput(f"{source.name}:1: different column names wanted, got {listed}")
    for wanted, options in (("id", names.ids), ("text", (names.text, names.title))):
        if not any(name in header for name in options):
            raise BadInput(
                f"{source.name}:1: a column {' or '.join(options)} wanted for the {wanted}, got "
                f"{listed[:200]}: name yours with --{wanted}-field, or all columns of a file "
                "without a header line with --columns"
            )


def _numeric(column: int, rows: Sequence[Row]) -> bool:
    cells = [cells[column] for _, cells in rows if column < len(cells) and cells[column]]
    return bool(cells) and all(_NUMBER.fullmatch(cell) for cell in cells)


def _value(cell: str, numeric: bool) -> Any:
    if not cell:
        return None
    if not numeric or not _NUMBER.fullmatch(cell):
        return cell
    return float(cell) if any(mark in cell for mark in ".eE") else int(cell)
