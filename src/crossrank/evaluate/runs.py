"""Run files under short names, and rankings of different files laid over one corpus."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from crossrank.errors import BadInput
from crossrank.io.trec import read_run
from crossrank.types import MemoryCorpus, Queries, Ranking, Search

_ENDINGS: Final = (".gz", ".trec", ".run", ".txt", ".tsv", ".res")


def read_runs(paths: Sequence[Path]) -> dict[str, Ranking]:
    """The runs by name: the file's name without its endings, with its folder where two agree."""
    names = [run_name(path) for path in paths]
    if len(set(names)) < len(names):
        names = [f"{path.parent.name}/{name}" for path, name in zip(paths, names, strict=True)]
    if len(set(names)) < len(names):
        raise BadInput(f"run files with different names wanted, got {', '.join(map(str, paths))}")
    return {name: read_run(path) for name, path in zip(names, paths, strict=True)}


def run_name(path: Path) -> str:
    """The name of a run file without the endings that runs have."""
    name = path.name
    while any(name.endswith(ending) and name != ending for ending in _ENDINGS):
        name = name[: name.rindex(".")]
    return name


def over_one_corpus(rankings: Sequence[Ranking]) -> tuple[Ranking, ...]:
    """The same rankings over the union of their documents and queries, matched by id.

    Queries come in order of first appearance; where a ranking has no answer it is empty. Rows are
    numbered by id descending, so that ties go as trec_eval breaks them. Rankings that share
    queries and corpus already are given back as they are.
    """
    if not rankings:
        raise BadInput("at least one ranking wanted, got none")
    first = rankings[0]
    if all(each.corpus is first.corpus and each.queries == first.queries for each in rankings):
        return tuple(rankings)
    search = Search(_queries(rankings), _corpus(rankings))
    return tuple(_moved(each, search) for each in rankings)


def _queries(rankings: Sequence[Ranking]) -> Queries:
    texts: dict[str, str] = {}
    for each in rankings:
        for name, text in zip(each.queries.ids, each.queries.texts, strict=True):
            texts[name] = texts.get(name) or text
    return Queries(tuple(texts), tuple(texts.values()))


def _corpus(rankings: Sequence[Ranking]) -> MemoryCorpus:
    texts: dict[str, str] = {}
    for each in rankings:
        rows = np.unique(each.docs)
        for name, text in zip(each.corpus.ids(rows), each.corpus.texts(rows), strict=True):
            texts[name] = texts.get(name) or text
    names = sorted(texts, reverse=True)
    return MemoryCorpus(names, [texts[name] for name in names])


def _moved(ranking: Ranking, search: Search) -> Ranking:
    rows, inverse = np.unique(ranking.docs, return_inverse=True)
    docs = search.corpus.find(ranking.corpus.ids(rows))[inverse]
    place = {name: index for index, name in enumerate(search.queries.ids)}
    to = np.array([place[name] for name in ranking.queries.ids], dtype=np.int64)
    owner = to[ranking.owners()] if len(docs) else np.empty(0, np.int64)
    order = np.argsort(owner, kind="stable")
    counts = np.bincount(owner, minlength=len(search.queries))
    indptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
    return Ranking.of(
        search, indptr, docs[order], ranking.scores[order], ranking.scale, ranking.notes
    )
