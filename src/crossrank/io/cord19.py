"""TREC-COVID in the files of NIST and of CORD-19: topics, judgements, metadata.csv."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import TextIOWrapper
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from crossrank.errors import BadInput
from crossrank.io.beir import judged_queries
from crossrank.io.document import Document
from crossrank.io.judged import JudgedSet, key_of, wanted
from crossrank.io.lines import opened
from crossrank.io.trec import read_qrels
from crossrank.types import Queries

_KEPT: Final = ("publish_time", "journal", "doi")


def read_trec_covid(folder: Path) -> JudgedSet:
    """The articles (title and abstract), the topics as questions, and the judgements."""
    metadata = wanted(folder, "the articles", "metadata.csv")
    topics = wanted(folder, "the topics", "topics*.xml")
    qrels = read_qrels(wanted(folder, "the judgements", "qrels*.txt"))
    queries = judged_queries(read_topics(topics), qrels, topics)
    name = f"{folder.resolve().name}/covid"
    return JudgedSet(name, queries, qrels, lambda: read_articles(metadata), key_of(metadata))


def read_topics(path: Path, part: str = "question") -> Queries:
    """The topics of a TREC-COVID round; `part` is query (keywords), question or narrative."""
    with opened(path) as stream:
        try:
            root = ElementTree.parse(stream).getroot()
        except ElementTree.ParseError as error:
            raise BadInput(f"{path}: topics in XML wanted: {error}") from None
    found = {
        topic.get("number", ""): " ".join((topic.findtext(part) or "").split())
        for topic in root.iter("topic")
    }
    if not found or not all(found) or not all(found.values()):
        raise BadInput(f"{path}: `topic` elements with a number and a {part} wanted")
    return Queries(tuple(found), tuple(found.values()))


def read_articles(path: Path) -> Iterator[Document]:
    """The articles of metadata.csv, each `cord_uid` once: of several lines for one article the
    one with the longest abstract. Articles without title and abstract are left out.
    """
    best: dict[str, tuple[int, int]] = {}
    for number, row in enumerate(_rows(path)):
        length = len(row["abstract"] or "")
        if length > best.get(row["cord_uid"], (-1, 0))[0]:
            best[row["cord_uid"]] = (length, number)
    for number, row in enumerate(_rows(path)):
        name, title, text = row["cord_uid"], row["title"] or "", row["abstract"] or ""
        if best[name][1] == number and (title or text):
            fields = {key: row[key] for key in _KEPT if row.get(key)}
            yield Document(name, text, title, fields, f"{path}:{number + 2}")


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with opened(path) as stream, TextIOWrapper(stream, "utf-8", newline="") as text:
        reader = csv.DictReader(text)
        missing = {"cord_uid", "title", "abstract"} - set(reader.fieldnames or ())
        if missing:
            raise BadInput(f"{path}: columns cord_uid, title, abstract wanted, "
                           f"missing {', '.join(sorted(missing))}")  # fmt: skip
        yield from reader
