"""Judgements by id joined with the texts they are about: judged sets, TREC, MS MARCO's id files.

Only texts that are judged are kept, so a large corpus is read in one pass and a small space.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from crossrank.errors import BadInput, NotFound
from crossrank.io.documents import format_of
from crossrank.io.judged import judged_set
from crossrank.io.lines import bad_line, numbered_lines
from crossrank.io.problems import Problems
from crossrank.io.trec import read_qrels, read_run
from crossrank.train.labelled import Builder
from crossrank.train.rows import name_of, read_rows
from crossrank.types import MemoryCorpus, Queries, Ranking, Search

if TYPE_CHECKING:
    from crossrank.train.config import Dev

MISSING: Final = "judged text that is not there"


@dataclass(frozen=True, slots=True)
class Texts:
    """Where the texts of judged ids are: queries by id, documents one at a time, and its name."""

    name: str
    queries: Mapping[str, str]
    documents: Callable[[], Iterable[tuple[str, str]]]


def set_labels(source: str | Path, split: str, problems: Problems) -> Ranking:
    """The judgements of one split of a judged set (BEIR, MS MARCO, TREC ...) with their texts."""
    qrels, texts = _opened(source, split)
    return with_texts(qrels, texts, problems)


def file_labels(qrels: Path, queries: Path, corpus: Path, problems: Problems) -> Ranking:
    """TREC or BEIR qrels with texts from files of queries and documents.

    Those are JSONL (`_id` or `id`, `title`, `text`) or, as MS MARCO's, TSV of id and text.
    """
    labels = read_qrels(qrels)
    return with_texts(labels, file_texts(queries, corpus, labels.queries.ids), problems)


def file_texts(queries: Path, corpus: Path, ids: Iterable[str]) -> Texts:
    """The texts of files: of queries those with these ids, of documents all."""
    return Texts(str(corpus), _picked(_texts(queries), set(ids)), lambda: _texts(corpus))


def _opened(source: str | Path, split: str) -> tuple[Ranking, Texts]:
    found = judged_set(source, split)
    asked = dict(zip(found.queries.ids, found.queries.texts, strict=True))

    def documents() -> Iterator[tuple[str, str]]:
        return ((each.id, f"{each.title}\n{each.text}".strip()) for each in found.documents())

    return found.qrels, Texts(str(source), asked, documents)


def triple_labels(path: Path, queries: Path, corpus: Path, problems: Problems) -> Ranking:
    """MS MARCO's `qidpidtriples` (query, positive and negative id) with texts, as labels 1, 0."""
    builder = Builder(problems)
    for number, line in numbered_lines(path):
        ids = line.split()
        if len(ids) != 3:
            raise bad_line(path, number, "three ids `query positive negative`", repr(line))
        place = f"{path}:{number}"
        key = builder.query("", ids[0])
        builder.add(key, builder.document("", ids[1]), 1.0, place, again=True)
        builder.add(key, builder.document("", ids[2]), 0.0, place, again=True)
    labels = builder.ranking()
    return with_texts(labels, file_texts(queries, corpus, labels.queries.ids), problems)


def with_texts(labels: Ranking, texts: Texts, problems: Problems) -> Ranking:
    """The same labels with the texts of the ids they name.

    Judgements whose query or document has no text are reported and left out. Raises NotFound
    when nothing remains.
    """
    ids = labels.corpus.ids(labels.corpus.rows())
    bodies = _picked(texts.documents(), set(ids))
    builder = Builder(problems)
    for name, (rows, values) in zip(labels.queries.ids, labels, strict=True):
        if name not in texts.queries:
            problems.report(MISSING, texts.name, f"query {name!r}")
            continue
        builder.query(texts.queries[name], name)
        for row, value in zip(rows, values, strict=True):
            document = ids[row]
            if document not in bodies:
                problems.report(MISSING, texts.name, f"document {document!r}")
                continue
            builder.add(name, builder.document(bodies[document], document), float(value), "")
    found = builder.ranking()
    if not len(found.docs) and len(labels.docs):
        raise NotFound(
            f"texts of the judged ids wanted, {texts.name} has none of them: do judgements and "
            "texts belong together?"
        )
    return found


def _picked(texts: Iterable[tuple[str, str]], names: set[str]) -> dict[str, str]:
    return {name: text for name, text in texts if name in names}


def _texts(path: Path) -> Iterator[tuple[str, str]]:
    """(id, text) of every document or query of a file; broken rows stop, as they may be judged."""
    problems = Problems(strict=True)
    if format_of(path) == "tsv":
        for number, line in numbered_lines(path):
            name, mark, text = line.partition("\t")
            if not mark:
                raise bad_line(path, number, "id, tab, text", repr(line))
            yield name, text.replace("\t", "\n").strip()
        return
    for place, row in read_rows(path, problems):
        name = name_of(row, "_id") or name_of(row, "id")
        body = row.get("text")
        if not name or not isinstance(body, str):
            raise BadInput(f"{place}: `_id` and `text` wanted, got {', '.join(row)[:160]}")
        yield name, f"{row.get('title') or ''}\n{body}".strip()


def with_run(dev: Dev, run: Path, depth: int, problems: Problems) -> tuple[Ranking, Ranking]:
    """The judgements of a set with their texts, and a run's candidates with theirs.

    Both are over one corpus, which holds what is judged and what the run ranks to that depth.
    Queries without judgements are left out.
    """
    if dev.format == "beir":
        qrels, texts = _opened(dev.path, dev.split)
    else:
        qrels = read_qrels(dev.path)
        texts = file_texts(dev.queries or Path(), dev.corpus or Path(), qrels.queries.ids)
    ranked = read_run(run).top(depth)
    ids = {*_ids(qrels), *_ids(ranked)}
    bodies = _picked(texts.documents(), ids)
    names = tuple(name for name in qrels.queries.ids if name in texts.queries)
    search = Search(
        Queries(names, tuple(texts.queries[name] for name in names)),
        MemoryCorpus(list(bodies), list(bodies.values())),
    )
    missing = len(ids) - len(bodies) + len(qrels.queries) - len(names)
    if missing:
        problems.report(MISSING, texts.name, f"{missing} queries and documents without a text")
    judged, candidates = moved(qrels, search), moved(ranked, search)
    if not len(candidates.docs):
        raise NotFound(f"candidates of the judged queries wanted, {run} has none of them")
    return judged, candidates


def moved(ranking: Ranking, search: Search) -> Ranking:
    """The same ranking over another search, by ids; what that search lacks is left out."""
    place = {name: i for i, name in enumerate(ranking.queries.ids)}
    docs, scores = [], []
    empty = np.empty(0, np.int32), np.empty(0, np.float32)
    for name in search.queries.ids:
        rows, values = ranking.query(place[name]) if name in place else empty
        there = search.corpus.find(ranking.corpus.ids(rows))
        docs.append(there[there >= 0])
        scores.append(values[there >= 0])
    return Ranking.of_lists(search, docs, scores, ranking.scale)


def _ids(ranking: Ranking) -> list[str]:
    return ranking.corpus.ids(np.unique(ranking.docs))
