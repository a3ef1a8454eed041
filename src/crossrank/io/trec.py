"""Runs and qrels in TREC form (and BEIR's three-column qrels), as rankings, both ways.

trec_eval sorts a run by score, ties by document id descending, and ignores the rank column.
Rankings here sort ties by ascending row, so the readers number the documents of a file by id
descending: both orders are then the same. Writers lower a tied score by the smallest float32
step, so that any program that sorts the file again finds the order that was written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from crossrank.errors import BadInput
from crossrank.io.lines import bad_line, numbered_lines, replaced
from crossrank.types import Floats, MemoryCorpus, Note, Queries, Ranking, Scale, Search

# (file, line number, line) -> (query id, document id, value)
Parse = Callable[[Path, int, str], tuple[str, str, float]]


@dataclass(frozen=True, slots=True)
class _Columns:
    """The lines of a run or qrels file as columns, queries in order of first appearance."""

    queries: tuple[str, ...]
    owner: list[int]
    docs: list[str]
    values: list[float]


def read_run(path: Path) -> Ranking:
    """A run file as a ranking over the documents it names (their texts are empty).

    TREC lines `query Q0 document rank score tag`, or MS MARCO lines `query document rank`
    (the score is then 1 / rank). Order: by score, ties by document id descending, as trec_eval.
    Raises BadInput, naming file and line, for anything else and for a document given twice.
    """
    return _over_own_corpus(_read(path, _run_parser(path), _refuse), Scale.RAW)


def read_candidates(path: Path, search: Search) -> Ranking:
    """A run file as a ranking of the queries and documents of `search`.

    Queries without a line get no documents; lines of other queries are left out; documents that
    the corpus does not have are left out and counted in a note.
    """
    columns = _read(path, _run_parser(path), _refuse)
    return _over(columns, search)


def read_qrels(path: Path) -> Ranking:
    """Judgements as a ranking whose scores are grades, over all documents that are judged.

    TREC lines `query iteration document grade`, or BEIR lines `query document grade` with a
    header. Raises BadInput, naming file and line, for anything else, and for two grades for one
    document of a query (the same grade twice is one judgement).
    """
    return _over_own_corpus(_read(path, _qrels_parser(path), _accept_same), Scale.GRADE)


def write_run(path: Path, ranking: Ranking, tag: str) -> None:
    """Writes `query Q0 document rank score tag` lines, best first, in one piece.

    Tied scores are lowered by the smallest float32 step each, so that sorting by score alone
    gives this order back.
    """
    if not tag or any(c.isspace() for c in tag):
        raise BadInput(f"a run tag without blanks wanted, got {tag!r}")
    with replaced(path) as out:
        for query, (rows, scores) in zip(ranking.queries.ids, ranking, strict=True):
            ids = ranking.corpus.ids(rows)
            for rank, (doc, score) in enumerate(zip(ids, _strict(scores), strict=True), 1):
                out.write(f"{_word(query)} Q0 {_word(doc)} {rank} {score!s} {tag}\n")


def write_qrels(path: Path, qrels: Ranking) -> None:
    """Writes `query 0 document grade` lines, in one piece."""
    with replaced(path) as out:
        for query, (rows, grades) in zip(qrels.queries.ids, qrels, strict=True):
            for doc, grade in zip(qrels.corpus.ids(rows), grades, strict=True):
                out.write(f"{_word(query)} 0 {_word(doc)} {grade:g}\n")


def _strict(scores: Floats) -> Floats:
    # float32 bits as integers in the order of the floats; then no two may be equal
    bits = (scores + np.float32(0)).view(np.int32).astype(np.int64)
    keys = np.where(bits < 0, -(bits & 0x7FFFFFFF), bits)
    place = np.arange(len(keys))
    keys = np.minimum.accumulate(keys + place) - place
    bits = np.where(keys < 0, -keys | 0x80000000, keys)
    return bits.astype(np.uint32).view(np.float32)


def _word(name: str) -> str:
    if not name or any(c.isspace() for c in name):
        raise BadInput(
            f"ids without blanks wanted for a TREC file, got {name!r}: rename it, or write BEIR"
        )
    return name


def _read(path: Path, parse: Parse, on_repeat: Callable[[float, float], str]) -> _Columns:
    rows: dict[str, int] = {}
    owner: list[int] = []
    docs: list[str] = []
    values: list[float] = []
    seen: dict[tuple[int, str], float] = {}
    for number, line in _body(path):
        query, doc, value = parse(path, number, line)
        row = rows.setdefault(query, len(rows))
        if (row, doc) in seen:
            if complaint := on_repeat(seen[row, doc], value):
                raise bad_line(path, number, f"{complaint} (query {query!r})", repr(doc))
            continue
        seen[row, doc] = value
        owner.append(row)
        docs.append(doc)
        values.append(value)
    return _Columns(tuple(rows), owner, docs, values)


def _refuse(before: float, now: float) -> str:
    return "each document once a query"


def _accept_same(before: float, now: float) -> str:
    return "" if before == now else f"one grade a document, having seen {before:g}, not {now:g},"


def _body(path: Path) -> Iterator[tuple[int, str]]:
    for number, line in numbered_lines(path):
        if not (number == 1 and line.lower().startswith(("query-id\t", "query_id\t"))):
            yield number, line


def _run_parser(path: Path) -> Parse:
    first = next(_body(path), (0, ""))[1]
    return _msmarco_line if len(first.split()) == 3 else _run_line


def _run_line(path: Path, number: int, line: str) -> tuple[str, str, float]:
    fields = line.split()
    if len(fields) != 6:
        raise bad_line(path, number, "six columns `query Q0 document rank score tag`", repr(line))
    return fields[0], fields[2], _number(path, number, fields[4], "a finite score")


def _msmarco_line(path: Path, number: int, line: str) -> tuple[str, str, float]:
    fields = line.split()
    if len(fields) != 3 or not fields[2].isdecimal() or int(fields[2]) < 1:
        raise bad_line(path, number, "three columns `query document rank`", repr(line))
    return fields[0], fields[1], 1 / int(fields[2])


def _qrels_parser(path: Path) -> Parse:
    first = next(_body(path), (0, ""))[1]
    return _beir_line if len(first.split("\t")) == 3 else _qrels_line


def _qrels_line(path: Path, number: int, line: str) -> tuple[str, str, float]:
    fields = line.split()
    if len(fields) != 4:
        raise bad_line(path, number, "four columns `query iteration document grade`", repr(line))
    return fields[0], fields[2], _number(path, number, fields[3], "a grade")


def _beir_line(path: Path, number: int, line: str) -> tuple[str, str, float]:
    fields = [field.strip() for field in line.split("\t")]
    if len(fields) != 3 or not fields[0] or not fields[1]:
        raise bad_line(
            path, number, "three tab-separated columns `query document grade`", repr(line)
        )
    return fields[0], fields[1], _number(path, number, fields[2], "a grade")


def _number(path: Path, number: int, text: str, wanted: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise bad_line(path, number, wanted, repr(text)) from None
    with np.errstate(over="ignore"):
        finite = np.isfinite(np.float32(value))
    if not finite:
        raise bad_line(path, number, wanted, repr(text))
    return value


def _over_own_corpus(columns: _Columns, scale: Scale) -> Ranking:
    names = sorted(set(columns.docs), reverse=True)
    corpus = MemoryCorpus(names, [""] * len(names))
    queries = Queries(columns.queries, ("",) * len(columns.queries))
    rows = corpus.find(columns.docs)
    return _ranking(Search(queries, corpus), np.asarray(columns.owner, np.int64), rows,
                    np.asarray(columns.values, np.float32), scale)  # fmt: skip


def _over(columns: _Columns, search: Search) -> Ranking:
    place = {name: index for index, name in enumerate(search.queries.ids)}
    owners = np.array([place.get(name, -1) for name in columns.queries], dtype=np.int64)
    owner = owners[np.asarray(columns.owner, dtype=np.int64)]
    rows = search.corpus.find(columns.docs)
    unknown = int(((rows < 0) & (owner >= 0)).sum())
    keep = (rows >= 0) & (owner >= 0)
    note = Note("missing-documents", unknown, "candidates that the corpus does not have")
    return _ranking(
        search,
        owner[keep],
        rows[keep],
        np.asarray(columns.values, np.float32)[keep],
        Scale.RAW,
        (note,) if unknown else (),
    )


def _ranking(
    search: Search,
    owner: np.ndarray[tuple[int], np.dtype[np.int64]],
    rows: np.ndarray[tuple[int], np.dtype[np.int32]],
    values: Floats,
    scale: Scale,
    notes: tuple[Note, ...] = (),
) -> Ranking:
    order = np.argsort(owner, kind="stable")
    counts = np.bincount(owner, minlength=len(search.queries))
    indptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
    return Ranking.of(search, indptr, rows[order], values[order], scale, notes)
