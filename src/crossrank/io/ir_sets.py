"""Sets that the package ir_datasets knows, where it is installed (`pip install ir-datasets`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from crossrank.errors import BadInput, MissingExtra, NotFound
from crossrank.io.document import Document
from crossrank.io.judged import JudgedSet
from crossrank.types import MemoryCorpus, Queries, Ranking, Scale, Search


def read_ir_datasets(name: str) -> JudgedSet:
    """The set of that id (`beir/scifact/test`), as the package has it; it may download it.

    Raises MissingExtra where the package is not installed, NotFound for an unknown id, BadInput
    for a set without documents, queries or judgements.
    """
    try:
        import ir_datasets
    except ModuleNotFoundError:
        raise MissingExtra(
            f"reading ir_datasets:{name} needs ir_datasets, which is not installed: "
            "run  pip install ir-datasets"
        ) from None
    try:
        found = ir_datasets.load(name)
    except KeyError:
        raise NotFound(f"an id that ir_datasets knows wanted, got {name!r}") from None
    for part in ("docs", "queries", "qrels"):
        if not getattr(found, f"has_{part}")():
            raise BadInput(f"a set with documents, queries and judgements wanted, "
                           f"ir_datasets:{name} has no {part}")  # fmt: skip
    qrels = _qrels(found)
    texts = {str(query.query_id): _query(query) for query in found.queries_iter()}
    missing = [each for each in qrels.queries.ids if each not in texts]
    if missing:
        raise BadInput(f"a text for each judged query wanted, {missing[:3]} have none")
    queries = Queries(qrels.queries.ids, tuple(texts[each] for each in qrels.queries.ids))
    return JudgedSet(name, queries, qrels, lambda: _documents(found), f"ir_datasets:{name}")


def _qrels(found: Any) -> Ranking:
    grades: dict[str, dict[str, int]] = {}
    for each in found.qrels_iter():
        grades.setdefault(str(each.query_id), {})[str(each.doc_id)] = int(each.relevance)
    names = sorted({doc for docs in grades.values() for doc in docs}, reverse=True)
    corpus = MemoryCorpus(names, [""] * len(names))
    search = Search(Queries(tuple(grades), ("",) * len(grades)), corpus)
    rows = [corpus.find(list(docs)) for docs in grades.values()]
    return Ranking.of_lists(search, rows, [list(d.values()) for d in grades.values()], Scale.GRADE)


def _documents(found: Any) -> Iterator[Document]:
    for each in found.docs_iter():
        title = str(getattr(each, "title", "") or "")
        yield Document(str(each.doc_id), _text(each), title, {}, str(each.doc_id))


def _text(document: Any) -> str:
    for name in ("text", "body", "abstract"):
        if hasattr(document, name):
            return str(getattr(document, name) or "")
    return str(document.default_text())


def _query(query: Any) -> str:
    return str(query.text if hasattr(query, "text") else query.default_text())
