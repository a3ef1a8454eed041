"""Data sets in BEIR layout: corpus.jsonl, queries.jsonl, qrels/SPLIT.tsv, each gz or not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from crossrank.errors import NotFound
from crossrank.io.lines import bad_line, numbered_lines, replaced
from crossrank.io.trec import read_qrels
from crossrank.types import Corpus, MemoryCorpus, Queries, Ranking, Search


@dataclass(frozen=True, slots=True)
class Dataset:
    """A test collection: the judged queries over a corpus, and their judgements."""

    name: str
    search: Search
    qrels: Ranking


def read_beir(folder: Path, split: str = "test") -> Dataset:
    """The corpus (in memory), the judged queries and the qrels of one split of a BEIR folder.

    Raises NotFound for a missing file, BadInput, naming file and line, for a broken one and for
    a judged query that queries.jsonl does not have.
    """
    qrels = read_qrels(beir_file(folder, f"qrels/{split}.tsv"))
    queries = judged_queries(read_beir_queries(folder), qrels, folder)
    return Dataset(f"{folder.name}/{split}", Search(queries, read_beir_corpus(folder)), qrels)


def read_beir_corpus(folder: Path) -> MemoryCorpus:
    """The documents of a BEIR folder in memory; text is the title, a line end, and the body."""
    path = beir_file(folder, "corpus.jsonl")
    ids: list[str] = []
    texts: list[str] = []
    for number, row in _objects(path):
        ids.append(_text(path, number, row, "_id"))
        texts.append(f"{row.get('title') or ''}\n{_text(path, number, row, 'text')}".strip())
    return MemoryCorpus(ids, texts)


def read_beir_queries(folder: Path) -> Queries:
    """All queries of a BEIR folder, in file order."""
    return read_jsonl_queries(beir_file(folder, "queries.jsonl"))


def read_jsonl_queries(path: Path) -> Queries:
    """Queries from JSON lines with `_id` and `text`."""
    rows = [
        (_text(path, number, row, "_id"), _text(path, number, row, "text"))
        for number, row in _objects(path)
    ]
    return Queries(tuple(name for name, _ in rows), tuple(text for _, text in rows))


def judged_queries(queries: Queries, qrels: Ranking, source: Path) -> Queries:
    """The queries that have judgements, in the order of `qrels`.

    Raises NotFound when a judged query has no text.
    """
    texts = dict(zip(queries.ids, queries.texts, strict=True))
    missing = [name for name in qrels.queries.ids if name not in texts]
    if missing:
        raise NotFound(
            f"a text for each judged query wanted, {source} has none for {len(missing)} of "
            f"{len(qrels.queries)}: {', '.join(missing[:5])}"
        )
    return Queries(qrels.queries.ids, tuple(texts[name] for name in qrels.queries.ids))


def write_beir(folder: Path, search: Search, qrels: Mapping[str, Ranking]) -> None:
    """Writes corpus.jsonl, queries.jsonl and qrels/SPLIT.tsv; the title stays empty."""
    _write_corpus(folder / "corpus.jsonl", search.corpus)
    with replaced(folder / "queries.jsonl") as out:
        for name, text in zip(search.queries.ids, search.queries.texts, strict=True):
            out.write(json.dumps({"_id": name, "text": text}, ensure_ascii=False) + "\n")
    for split, judged in qrels.items():
        write_beir_qrels(folder / "qrels" / f"{split}.tsv", judged)


def write_beir_qrels(path: Path, qrels: Ranking) -> None:
    """Writes `query-id corpus-id score` lines under BEIR's header, tab separated."""
    with replaced(path) as out:
        out.write("query-id\tcorpus-id\tscore\n")
        for query, (rows, grades) in zip(qrels.queries.ids, qrels, strict=True):
            for doc, grade in zip(qrels.corpus.ids(rows), grades, strict=True):
                out.write(f"{query}\t{doc}\t{grade:g}\n")


def beir_file(folder: Path, name: str) -> Path:
    """The path of a file of a BEIR folder, packed or not; raises NotFound."""
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    have = sorted(p.name for p in (folder / name).parent.glob("*")) if folder.is_dir() else []
    raise NotFound(
        f"{folder / name} (or {name}.gz) wanted, found {', '.join(have) or 'nothing'} there: "
        "a BEIR folder has corpus.jsonl, queries.jsonl and qrels/SPLIT.tsv"
    )


def _write_corpus(path: Path, corpus: Corpus, batch: int = 4096) -> None:
    rows = corpus.rows()
    with replaced(path) as out:
        for start in range(0, len(rows), batch):
            part = np.asarray(rows[start : start + batch])
            for name, text in zip(corpus.ids(part), corpus.texts(part), strict=True):
                document = {"_id": name, "title": "", "text": text}
                out.write(json.dumps(document, ensure_ascii=False) + "\n")


def _objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in numbered_lines(path):
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise bad_line(path, number, "a JSON object", f"{line!r} ({error})") from None
        if not isinstance(row, dict):
            raise bad_line(path, number, "a JSON object", repr(line))
        yield number, row


def _text(path: Path, number: int, row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    if isinstance(value, int) and not isinstance(value, bool) and key == "_id":
        return str(value)
    if not isinstance(value, str) or (key == "_id" and not value):
        raise bad_line(path, number, f"a string {key!r}", json.dumps(value, ensure_ascii=False))
    return value
