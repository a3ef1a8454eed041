"""Readers of labelled files: pairs with labels, triples, groups. All give a labelled `Ranking`.

Rows that cannot be used are reported with file and line; what remains is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from crossrank.errors import BadInput
from crossrank.io.problems import BROKEN_LINE, Problems
from crossrank.train.labelled import Builder
from crossrank.train.names import Columns
from crossrank.train.rows import Row, name_of, number_of, read_rows, text_of
from crossrank.types import Ranking

NLI: Mapping[str, float] = {"contradiction": 0.0, "neutral": 1.0, "entailment": 2.0}
"""Label names of inference data that are read without being told."""


def read_pairs(path: Path, problems: Problems, columns: Columns | None = None) -> Ranking:
    """Rows (query, document, label): binary, graded or continuous; sentence pairs too.

    A file without a label column holds positives only (label 1). Column names are told from the
    usual ones (`query`/`text_a`/`sentence1`/`premise`/...) unless `columns` names them.
    """
    builder = Builder(problems)
    wanted = columns or Columns()
    classes = NLI if not wanted.classes else {n: float(i) for i, n in enumerate(wanted.classes)}
    for place, row, names in _named(path, problems, wanted):
        query = text_of(row, names.query, place, problems)
        document = text_of(row, names.document, place, problems)
        if query is None or document is None:
            continue
        value = row.get(names.label, 1.0) if names.label else 1.0
        label = number_of(value, names.label, place, problems, classes)
        if label is not None:
            key = builder.query(query, name_of(row, names.query_id))
            other = builder.document(document, name_of(row, names.document_id))
            builder.add(key, other, label, place)
    return builder.ranking()


def read_triples(path: Path, problems: Problems, columns: Columns | None = None) -> Ranking:
    """Rows (query, positive, negative) as labels 1 and 0.

    With a column of margins (`margin`, or the one named as label) the negative's label is
    1 - margin: what MarginMSE learns from. A TSV whose first line has no column names is MS MARCO's
    `triples.train.small.tsv`.
    """
    builder = Builder(problems)
    names = columns or Columns()
    header = names.listed or _triple_header(path)
    for place, row in read_rows(path, problems, header):
        texts = [
            text_of(row, key, place, problems)
            for key in (names.query or "query", names.positive, names.negative)
        ]
        if any(text is None for text in texts):
            continue
        query, positive, negative = (text or "" for text in texts)
        value = row.get(names.label or "margin", 1.0)
        margin = number_of(value, names.label or "margin", place, problems, {})
        if margin is not None:
            key = builder.query(query)
            first, second = builder.document(positive), builder.document(negative)
            builder.add(key, first, 1.0, place, again=True)  # it comes with many negatives
            builder.add(key, second, 1.0 - margin, place)
    return builder.ranking()


def read_groups(path: Path, problems: Problems, columns: Columns | None = None) -> Ranking:
    """JSONL rows of a query with its documents: `{"query": ..., "documents": [...]}`.

    Documents are objects with `text`, `label` and perhaps `id`; or texts, with a list `labels`
    beside them; or two lists of texts, `positives` and `negatives`.
    """
    builder = Builder(problems)
    names = columns or Columns()
    for place, row in read_rows(path, problems):
        query = text_of(row, names.query or "query", place, problems)
        members = _members(row, place, problems)
        if query is None or members is None:
            continue
        key = builder.query(query, name_of(row, "query_id"))
        for member in members:
            text = text_of(member, "text", place, problems)
            label = number_of(member.get("label"), "label", place, problems, {})
            if text is not None and label is not None:
                other = builder.document(text, name_of(member, "id"))
                builder.add(key, other, label, place)
    return builder.ranking()


def _members(row: Row, place: str, problems: Problems) -> Sequence[Row] | None:
    documents, labels = row.get("documents"), row.get("labels")
    if isinstance(documents, list):
        if labels is None and all(isinstance(each, dict) for each in documents):
            return documents
        if isinstance(labels, list) and len(labels) == len(documents):
            pairs = zip(documents, labels, strict=True)
            return [{"text": text, "label": label} for text, label in pairs]
    lists = [row.get("positives", []), row.get("negatives", [])]
    if any(lists) and all(isinstance(each, list) for each in lists):
        return [
            {"text": text, "label": label}
            for texts, label in zip(lists, (1.0, 0.0), strict=True)
            for text in texts
        ]
    found = "documents with labels, documents and labels of one length, or positives and negatives"
    problems.report(BROKEN_LINE, place, f"{found} wanted, got the fields {', '.join(row)[:120]}")
    return None


def _named(path: Path, problems: Problems, columns: Columns) -> Iterator[tuple[str, Row, Columns]]:
    """Rows with the names of their columns, settled at the first row."""
    settled: Columns | None = None
    for place, row in read_rows(path, problems, columns.listed):
        if settled is None:
            settled = columns.found_in(row, place)
        yield place, row, settled


def _triple_header(path: Path) -> Sequence[str]:
    """MS MARCO's columns for a TSV file whose first line names none."""
    bare = path.with_suffix("") if path.suffix == ".gz" else path
    if bare.suffix != ".tsv":
        return ()
    first = next(iter(read_rows(path, Problems())), None)
    if first is None or {"query", "positive", "negative"} & set(first[1]):
        return ()
    if len(first[1]) not in (3, 4):
        raise BadInput(
            f"{path}:1: columns query, positive, negative (and margin) wanted, got {len(first[1])}"
        )
    return ("query", "positive", "negative", "margin")[: len(first[1])]
