"""Where a command's texts come from: a collection, or a file or folder of documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossrank.cli import output
from crossrank.errors import BadInput, NotFound

if TYPE_CHECKING:
    from crossrank.stage import Stage
    from crossrank.store import Collection
    from crossrank.text.analyzer import Analyzer, Setting
    from crossrank.types import Corpus, Rows, Search


@dataclass(frozen=True)
class Source:
    """Texts to work on; `collection` is None where they came from files."""

    corpus: Corpus
    analyzer: Analyzer
    collection: Collection | None = None
    _fields: Sequence[Mapping[str, Any]] = ()

    def fields(self, rows: Rows) -> list[Mapping[str, Any]]:
        """The metadata of documents."""
        if self.collection is not None:
            return [document.fields for document in self.collection.documents(rows)]
        return [self._fields[row] for row in rows]


def open_source(path: Path, language: str = "auto") -> Source:
    """The collection in a folder, or else the documents of a file or folder, held in memory.

    Lines that cannot be used are reported on stderr. Raises NotFound when there is nothing there.
    """
    from crossrank.store import Collection
    from crossrank.text import Analyzer

    try:
        collection = Collection.open(path)
    except NotFound:
        corpus, fields = _read(path)
        return Source(corpus, Analyzer(setting(language)), None, fields)
    corpus = collection.corpus()
    return Source(corpus, collection.analyzer, collection)


def setting(language: str) -> Setting:
    """A language as the analyser takes it. Raises BadInput for another one."""
    if language not in ("auto", "de", "en"):
        raise BadInput(f"--language auto, de or en wanted, got {language!r}")
    return language  # type: ignore[return-value]


def first_stage(source: Source, pipeline: str, language: str, depth: int) -> Stage[Search]:
    """What finds candidates: the pipeline asked for, or the best first stage there is.

    That is hybrid or BM25 over a collection, BM25 over files, everything where there are no more
    than `depth` documents. Raises BadInput for a pipeline over files.
    """
    from crossrank.pipelines import load
    from crossrank.pipelines.build import build
    from crossrank.retrieve import MemoryBM25
    from crossrank.stage import Everything

    if source.collection is None:
        if pipeline:
            raise BadInput(
                f"a collection wanted for --pipeline {pipeline}, got files: crossrank index first"
            )
        if len(source.corpus) <= depth:
            return Everything()
        return MemoryBM25.learned(source.corpus, setting(language), depth)
    default = "hybrid" if source.collection.encoders() else "bm25"
    return build(load(pipeline or default).at_least(depth), source.collection)


def _read(path: Path) -> tuple[Corpus, list[Mapping[str, Any]]]:
    from crossrank.io.documents import read_documents
    from crossrank.io.problems import Problems
    from crossrank.types import MemoryCorpus

    problems = Problems()
    kept = {each.id: each for each in read_documents([path], problems)}
    for problem in problems.first:
        output.say(str(problem), style="yellow")
    texts = [f"{each.title}\n{each.text}".strip() for each in kept.values()]
    return MemoryCorpus(list(kept), texts), [each.fields for each in kept.values()]
