"""Judged sets in the layouts in which they are distributed, opened by what a folder holds.

BEIR            corpus.jsonl, queries.jsonl, qrels/SPLIT.tsv
MS MARCO        collection.tsv (or msmarco_v2_passage*), queries.SPLIT.tsv, qrels.SPLIT.tsv
TREC DL         the same collection, msmarco-testYEAR-queries.tsv, YEARqrels-pass.txt; split YEAR
TREC-COVID      metadata.csv, topics*.xml, qrels*.txt
Natural Questions   *nq-SPLIT*.jsonl, Google's own format
ir_datasets:ID  whatever that package knows (when it is installed)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from crossrank.errors import NotFound
from crossrank.io.document import Document
from crossrank.types import Queries, Ranking

IR_DATASETS: Final = "ir_datasets:"


@dataclass(frozen=True, slots=True)
class JudgedSet:
    """Judged queries, their judgements, and the documents, read anew at each call.

    key: changes whenever the documents do (for caches).
    """

    name: str
    queries: Queries
    qrels: Ranking
    documents: Callable[[], Iterator[Document]]
    key: str


def judged_set(source: str | Path, split: str = "test") -> JudgedSet:
    """The set in a folder, or `ir_datasets:ID`, with the judgements of one split.

    Raises NotFound, with what is there, for a folder of no known layout and for a split that is
    missing; BadInput, naming file and line, for broken files.
    """
    if str(source).startswith(IR_DATASETS):
        from crossrank.io.ir_sets import read_ir_datasets

        return read_ir_datasets(str(source).removeprefix(IR_DATASETS))
    folder = Path(source)
    for reads in _READERS:
        found = reads(folder, split)
        if found is not None:
            return found
    have = sorted(path.name for path in folder.glob("*")) if folder.is_dir() else []
    shown = ", ".join(have[:12]) or "nothing"
    raise NotFound(
        f"a judged set wanted in {folder} (corpus.jsonl, collection.tsv, metadata.csv with topics, "
        f"or *nq-*.jsonl), found {shown}"
    )


def present(folder: Path, *names: str) -> Path | None:
    """The first of these files that is there, packed or not; names may be glob patterns."""
    for name in names:
        for pattern in (name, f"{name}.gz"):
            for path in sorted(folder.glob(pattern)):
                if path.is_file():
                    return path
    return None


def wanted(folder: Path, what: str, *names: str) -> Path:
    """Like `present`; raises NotFound, saying `what` it is, where none is there."""
    path = present(folder, *names)
    if path is None:
        have = ", ".join(sorted(each.name for each in folder.glob("*"))[:20])
        raise NotFound(f"{what} ({' or '.join(names)}) wanted in {folder}, found {have}")
    return path


def key_of(*paths: Path) -> str:
    """A text that changes when one of these files does."""
    parts = []
    for path in paths:
        stat = path.stat()
        parts.append(f"{path.resolve()} {stat.st_size} {stat.st_mtime_ns}")
    return " ".join(parts)


def _beir(folder: Path, split: str) -> JudgedSet | None:
    from crossrank.io.beir import beir_file, judged_queries, read_beir_queries
    from crossrank.io.documents import read_documents
    from crossrank.io.problems import Problems
    from crossrank.io.trec import read_qrels

    if not present(folder, "corpus.jsonl"):
        return None
    qrels = read_qrels(beir_file(folder, f"qrels/{split}.tsv"))
    queries = judged_queries(read_beir_queries(folder), qrels, folder)
    corpus = beir_file(folder, "corpus.jsonl")
    name = f"{folder.resolve().name}/{split}"
    return JudgedSet(
        name, queries, qrels, lambda: read_documents([corpus], Problems()), key_of(corpus)
    )


def _msmarco(folder: Path, split: str) -> JudgedSet | None:
    from crossrank.io.msmarco import read_msmarco

    known = present(folder, "collection.tsv", "msmarco_v2_passage*")
    known_folder = (folder / "msmarco_v2_passage").is_dir()
    return read_msmarco(folder, split) if known or known_folder else None


def _covid(folder: Path, split: str) -> JudgedSet | None:
    from crossrank.io.cord19 import read_trec_covid

    return read_trec_covid(folder) if present(folder, "metadata.csv") else None


def _natural_questions(folder: Path, split: str) -> JudgedSet | None:
    from crossrank.io.natural_questions import read_natural_questions

    return read_natural_questions(folder, split) if present(folder, "*nq-*.jsonl") else None


_READERS: Final = (_beir, _msmarco, _covid, _natural_questions)
