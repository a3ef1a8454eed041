"""MS MARCO passages and the TREC Deep Learning tracks on them, in Microsoft's and NIST's files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from crossrank.io.beir import judged_queries
from crossrank.io.document import Document
from crossrank.io.judged import JudgedSet, key_of, present, wanted
from crossrank.io.lines import bad_line, numbered_lines
from crossrank.io.queries import read_queries
from crossrank.io.trec import read_qrels
from crossrank.types import MemoryCorpus, Queries, Ranking, Search


def read_msmarco(folder: Path, split: str) -> JudgedSet:
    """The passages with the judgements of a split: "dev.small", "dev", or a TREC year, "2019".

    Looks for collection.tsv (version 1) or msmarco_v2_passage (version 2, a folder or files).
    """
    queries_path, qrels_path = _judgements(folder, split)
    qrels = read_qrels(qrels_path)
    queries = judged_queries(read_queries(queries_path), qrels, queries_path)
    first = present(folder, "collection.tsv")
    parts = (first,) if first else _second_version(folder)
    return JudgedSet(
        f"{folder.resolve().name}/{split}",
        queries,
        qrels,
        lambda: (doc for part in parts for doc in read_passages(part)),
        key_of(*parts),
    )


def read_passages(path: Path) -> Iterator[Document]:
    """Passages from `pid TAB passage` lines (collection.tsv), or from JSON lines with `pid` and
    `passage` (version 2).
    """
    for number, line in numbered_lines(path):
        if line.startswith("{"):
            yield _json_passage(path, number, line)
            continue
        name, tab, text = line.partition("\t")
        if not tab or not name:
            raise bad_line(path, number, "`pid TAB passage`", repr(line))
        yield Document(name, text, source=f"{path}:{number}")


def read_top1000(path: Path) -> Ranking:
    """The candidates of a top1000 file, `qid TAB pid TAB query TAB passage`, with their texts.

    These files come in no order: all scores are 0, and documents are numbered as they appear.
    """
    queries: dict[str, str] = {}
    passages: dict[str, int] = {}
    texts: list[str] = []
    lists: dict[str, list[int]] = {}
    for number, line in numbered_lines(path):
        fields = line.split("\t")
        if len(fields) != 4:
            raise bad_line(path, number, "four columns `qid pid query passage`", repr(line))
        query, passage, asked, text = fields
        queries[query] = asked
        row = passages.setdefault(passage, len(passages))
        if row == len(texts):
            texts.append(text)
        lists.setdefault(query, []).append(row)
    search = Search(
        Queries(tuple(queries), tuple(queries.values())), MemoryCorpus(tuple(passages), texts)
    )
    rows = [list(dict.fromkeys(each)) for each in lists.values()]
    return Ranking.of_lists(search, rows, [np.zeros(len(each)) for each in rows])


def _judgements(folder: Path, split: str) -> tuple[Path, Path]:
    queries = wanted(
        folder,
        f"the queries of {split}",
        f"queries.{split}.tsv",
        f"msmarco-test{split}-queries.tsv",
        f"{split}_queries.tsv",
        f"passv2_{split}_queries.tsv",
    )
    qrels = wanted(
        folder,
        f"the judgements of {split}",
        f"qrels.{split}.tsv",
        f"{split}qrels-pass.txt",
        f"{split}.qrels.pass.final.txt",
        f"{split}.qrels.pass.withDupes.txt",
        f"passv2_{split}_qrels.tsv",
    )
    return queries, qrels


def _second_version(folder: Path) -> tuple[Path, ...]:
    inside = folder / "msmarco_v2_passage"
    parts = sorted(inside.glob("msmarco_v2_passage_*") if inside.is_dir()
                   else folder.glob("msmarco_v2_passage_*"))  # fmt: skip
    return tuple(path for path in parts if path.is_file())


def _json_passage(path: Path, number: int, line: str) -> Document:
    try:
        row = json.loads(line)
        name, text = row["pid"], row["passage"]
    except (json.JSONDecodeError, KeyError):
        raise bad_line(path, number, "JSON with `pid` and `passage`", repr(line)) from None
    fields = {"docid": row["docid"]} if "docid" in row else {}
    return Document(str(name), str(text), fields=fields, source=f"{path}:{number}")
