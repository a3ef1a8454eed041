"""Judgements by id joined with the texts they are about: BEIR, TREC, MS MARCO's id files.

Only texts that are judged are kept, so a large corpus is read in one pass and a small space.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from crossrank.errors import BadInput, NotFound
from crossrank.io.beir import beir_file
from crossrank.io.documents import format_of
from crossrank.io.lines import bad_line, numbered_lines
from crossrank.io.problems import Problems
from crossrank.io.trec import read_qrels, read_run
from crossrank.train.labelled import Builder
from crossrank.train.rows import name_of, read_rows
from crossrank.types import MemoryCorpus, Queries, Ranking, Search

if TYPE_CHECKING:
    from crossrank.train.config import Dev

MISSING: Final = "judged text that is not there"


def read_beir_labels(folder: Path, split: str, problems: Problems) -> Ranking:
    """The judgements of one split of a BEIR folder with their texts."""
    qrels = read_qrels(beir_file(folder, f"qrels/{split}.tsv"))
    queries, corpus = beir_file(folder, "queries.jsonl"), beir_file(folder, "corpus.jsonl")
    return with_texts(qrels, queries, corpus, problems)


def read_judged(qrels: Path, queries: Path, corpus: Path, problems: Problems) -> Ranking:
    """TREC or BEIR qrels with texts from files of queries and documents.

    Those are JSONL (`_id` or `id`, `title`, `text`) or, as MS MARCO's, TSV of id and text.
    """
    return with_texts(read_qrels(qrels), queries, corpus, problems)


def read_id_triples(path: Path, queries: Path, corpus: Path, problems: Problems) -> Ranking:
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
    return with_texts(builder.ranking(), queries, corpus, problems)


def with_texts(labels: Ranking, queries: Path, corpus: Path, problems: Problems) -> Ranking:
    """The same labels with the texts of the ids they name.

    Judgements whose query or document has no text are reported and left out. Raises NotFound
    when nothing remains.
    """
    asked = _wanted(queries, set(labels.queries.ids))
    ids = labels.corpus.ids(labels.corpus.rows())
    bodies = _wanted(corpus, set(ids))
    builder = Builder(problems)
    for name, (rows, values) in zip(labels.queries.ids, labels, strict=True):
        if name not in asked:
            problems.report(MISSING, str(queries), f"query {name!r}")
            continue
        builder.query(asked[name], name)
        for row, value in zip(rows, values, strict=True):
            document = ids[row]
            if document not in bodies:
                problems.report(MISSING, str(corpus), f"document {document!r}")
                continue
            builder.add(name, builder.document(bodies[document], document), float(value), "")
    found = builder.ranking()
    if not len(found.docs) and len(labels.docs):
        raise NotFound(
            f"texts of the judged ids wanted, {queries} and {corpus} have none of them: "
            "are these the files the judgements belong to?"
        )
    return found


def _wanted(path: Path, names: set[str]) -> dict[str, str]:
    return {name: text for name, text in _texts(path) if name in names}


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


def read_with_run(dev: Dev, run: Path, depth: int, problems: Problems) -> tuple[Ranking, Ranking]:
    """The judgements of a set with their texts, and a run's candidates with theirs.

    Both are over one corpus, which holds what is judged and what the run ranks to that depth.
    Queries without judgements are left out.
    """
    if dev.format == "beir":
        qrels = read_qrels(beir_file(dev.path, f"qrels/{dev.split}.tsv"))
        files = beir_file(dev.path, "queries.jsonl"), beir_file(dev.path, "corpus.jsonl")
    else:
        qrels = read_qrels(dev.path)
        files = dev.queries or Path(), dev.corpus or Path()
    ranked = read_run(run).top(depth)
    asked = _wanted(files[0], set(qrels.queries.ids))
    ids = {*_ids(qrels), *_ids(ranked)}
    bodies = _wanted(files[1], ids)
    names = tuple(name for name in qrels.queries.ids if name in asked)
    search = Search(
        Queries(names, tuple(asked[name] for name in names)),
        MemoryCorpus(list(bodies), list(bodies.values())),
    )
    missing = len(ids) - len(bodies) + len(qrels.queries) - len(names)
    if missing:
        problems.report(MISSING, str(files[1]), f"{missing} queries and documents without a text")
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
