"""The columns of the table, and how metadata of any shape gets a typed column or a safe place.

A metadata field gets the type of most of its values in the first batch that has it: numbers are
float64, so that 100 and 99.5 fit one column, then text, booleans, lists of text and of
numbers; anything else is kept as JSON text. A value that does not fit its column (a word among
numbers) is kept in the column `_extra`, where filters do not see it but `Snapshot.documents`
does, and is reported.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

import pyarrow as pa

from crossrank.io.document import Document
from crossrank.types import Encoder, Scale

ID: Final = "id"
TITLE: Final = "title"
TEXT: Final = "text"
TERMS: Final = "_terms"
HASH: Final = "_hash"
EXTRA: Final = "_extra"
VECTOR: Final = "_vector_"
ENCODER: Final = "crossrank.encoder"
SCALE: Final = "crossrank.scale"

FIXED: Final = pa.schema(
    [
        pa.field(ID, pa.string()),
        pa.field(TITLE, pa.string()),
        pa.field(TEXT, pa.string()),
        pa.field(TERMS, pa.string()),
        pa.field(HASH, pa.uint64()),
        pa.field(EXTRA, pa.string()),
    ]
)


class Kind(StrEnum):
    """What a metadata column holds."""

    NUMBER = "number"
    TEXT = "text"
    TRUTH = "true or false"
    TEXTS = "list of text"
    NUMBERS = "list of numbers"
    JSON = "JSON text"


ARROW: Final[dict[Kind, pa.DataType]] = {
    Kind.NUMBER: pa.float64(),
    Kind.TEXT: pa.string(),
    Kind.TRUTH: pa.bool_(),
    Kind.TEXTS: pa.list_(pa.string()),
    Kind.NUMBERS: pa.list_(pa.float64()),
    Kind.JSON: pa.string(),
}
_KIND_KEY: Final = b"crossrank.kind"


def kind_of(value: Any) -> Kind:
    """The kind of column that holds a JSON value as it is."""
    if isinstance(value, bool):
        return Kind.TRUTH
    if isinstance(value, (int, float)):
        return Kind.NUMBER if _exact(value) else Kind.JSON
    if isinstance(value, str):
        return Kind.TEXT
    if isinstance(value, list) and value:
        kinds = {kind_of(item) for item in value}
        if kinds == {Kind.TEXT}:
            return Kind.TEXTS
        if kinds == {Kind.NUMBER}:
            return Kind.NUMBERS
    return Kind.JSON


def _exact(value: Any) -> bool:
    """Whether float64 holds the number exactly; NaN equals nothing and is kept as text."""
    if isinstance(value, int):
        return abs(value) < 10**300 and int(float(value)) == value
    return bool(value == value)


def usable(name: str) -> bool:
    """Whether a metadata field may be a column: no clash with our own, no mark SQL stumbles on."""
    return (
        name.strip() == name != ""
        and name.isprintable()
        and len(name) <= 200
        and not name.startswith("_")
        and name.lower() not in (ID, TITLE, TEXT)
        and not any(mark in name for mark in ".*`\"'\\")
    )


def kinds_in(schema: pa.Schema) -> dict[str, Kind]:
    """The metadata columns of a table, with what they hold."""
    found = {}
    for column in schema:
        if not column.name.startswith("_") and column.name not in (ID, TITLE, TEXT):
            found[column.name] = _kind_in(column)
    return found


def _kind_in(column: pa.Field) -> Kind:
    stated = (column.metadata or {}).get(_KIND_KEY)
    if stated:
        return Kind(stated.decode())
    return next((kind for kind, arrow in ARROW.items() if arrow == column.type), Kind.JSON)


def column_for(name: str, kind: Kind) -> pa.Field:
    """A new metadata column."""
    return pa.field(name, ARROW[kind], metadata={_KIND_KEY: str(kind).encode()})


def stored(kind: Kind, value: Any) -> Any:
    """A value as its column holds it; None when it does not fit."""
    if kind is Kind.JSON:
        return json.dumps(value, ensure_ascii=False)
    return value if kind_of(value) is kind else None


def restored(kind: Kind, value: Any) -> Any:
    """The value that `stored` was given; a whole number comes back as an int."""
    if kind is Kind.JSON:
        return json.loads(value)
    if kind is Kind.NUMBER:
        return _number(value)
    return [_number(item) for item in value] if kind is Kind.NUMBERS else value


def _number(value: float) -> float | int:
    return int(value) if math.isfinite(value) and value.is_integer() else value


def new_kinds(known: Mapping[str, Kind], rows: Sequence[Mapping[str, Any]]) -> dict[str, Kind]:
    """The kinds of fields that have no column yet: that of most of the values, else JSON.

    Of names that differ in case alone, which SQL takes for one, the first gets a column.
    """
    found: dict[str, Counter[Kind]] = {}
    taken = {name.lower(): name for name in known}
    for row in rows:
        for name, value in row.items():
            if name not in known and usable(name) and taken.setdefault(name.lower(), name) == name:
                found.setdefault(name, Counter())[kind_of(value)] += 1
    return {name: _prevailing(counts) for name, counts in found.items()}


def _prevailing(counts: Counter[Kind]) -> Kind:
    kind, count = counts.most_common(1)[0]
    return kind if 2 * count > counts.total() else Kind.JSON


def split_fields(
    kinds: Mapping[str, Kind], row: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields of one document that fit their columns, as stored, and the others as they are."""
    fitting: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for name, value in row.items():
        kept = stored(kinds[name], value) if name in kinds else None
        if kept is None:
            extra[name] = value
        else:
            fitting[name] = kept
    return fitting, extra


def document_from(row: Mapping[str, Any], kinds: Mapping[str, Kind]) -> Document:
    """The document in a row of the table."""
    fields = {
        name: restored(kind, row[name]) for name, kind in kinds.items() if row[name] is not None
    }
    extra = json.loads(row[EXTRA]) if row[EXTRA] else {}
    return Document(row[ID], row[TEXT], row[TITLE], {**fields, **extra})


def vector_columns(schema: pa.Schema) -> dict[str, pa.Field]:
    """The vector columns by the name of their encoder."""
    return {
        (column.metadata or {})[ENCODER.encode()].decode(): column
        for column in schema
        if column.name.startswith(VECTOR)
    }


def scale_of(column: pa.Field) -> Scale:
    """What the similarities of the vectors in a column mean."""
    return Scale((column.metadata or {})[SCALE.encode()].decode())


def vector_field(encoder: Encoder) -> pa.Field:
    """A new column for the vectors of an encoder, under a name that SQL takes as it is."""
    digest = hashlib.blake2b(encoder.name.encode(), digest_size=6).hexdigest()
    return pa.field(
        VECTOR + digest,
        pa.list_(pa.float32(), encoder.dimension),
        metadata={ENCODER.encode(): encoder.name.encode(), SCALE.encode(): str(encoder.scale)},
    )
