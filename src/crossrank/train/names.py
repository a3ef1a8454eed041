"""What the columns of labelled files are called, told or guessed from the usual names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from crossrank.errors import BadInput

QUERY: Final = ("query", "question", "text_a", "sentence1", "premise", "sentence_A", "anchor")
DOCUMENT: Final = (
    *("document", "passage", "text_b", "sentence2", "hypothesis", "sentence_B"),
    *("answer", "positive", "text"),
)
LABEL: Final = ("label", "score", "relevance", "grade", "similarity", "gold_label")


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of columns; an empty name means: look for the usual ones.

    listed: the columns of a CSV or TSV file without a header line, in order. classes: label
    names in the order of their numbers, from 0.
    """

    query: str = ""
    document: str = ""
    label: str = ""
    positive: str = "positive"
    negative: str = "negative"
    query_id: str = "query_id"
    document_id: str = "document_id"
    listed: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()

    def found_in(self, row: Mapping[str, Any], place: str) -> Columns:
        """The same with query, document and label settled for rows like this one.

        Raises BadInput where a column that was named is not there, or none of the usual ones.
        """
        query = _pick(self.query, QUERY, "query", row, place)
        document = _pick(self.document, DOCUMENT, "document", row, place)
        if self.label and self.label not in row:
            raise BadInput(_missing(self.label, row, place))
        label = self.label or next((name for name in LABEL if name in row), "")
        return replace(self, query=query, document=document, label=label)


def _pick(told: str, usual: tuple[str, ...], what: str, row: Mapping[str, Any], place: str) -> str:
    if told:
        if told not in row:
            raise BadInput(_missing(told, row, place))
        return told
    found = next((name for name in usual if name in row), "")
    if not found:
        have = ", ".join(row)[:160]
        raise BadInput(
            f"{place}: a column for the {what} ({', '.join(usual)}) wanted, got {have}: "
            f"name yours with {what} = ..."
        )
    return found


def _missing(name: str, row: Mapping[str, Any], place: str) -> str:
    return f"{place}: a column {name!r} wanted, got {', '.join(row)[:160]}"
