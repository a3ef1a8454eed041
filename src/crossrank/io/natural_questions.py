"""Natural Questions in Google's own files, as a retrieval set: the paragraphs of the pages.

A document is a top-level long-answer candidate; relevant is the one that holds the long answer of
an annotator. As the paper does, a question with several annotators counts as answered where two
or more of them marked something.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from crossrank.errors import NotFound
from crossrank.io.document import Document
from crossrank.io.judged import JudgedSet, key_of
from crossrank.io.lines import bad_line, numbered_lines
from crossrank.types import MemoryCorpus, Queries, Ranking, Scale, Search

_TAG = re.compile(r"<[^<>]*>")


def read_natural_questions(folder: Path, split: str) -> JudgedSet:
    """The answered questions of a split ("train", "dev") and the paragraphs of its pages."""
    paths = tuple(sorted(folder.glob(f"*nq-{split}*.jsonl*")))
    if not paths:
        have = ", ".join(sorted(path.name for path in folder.glob("*.jsonl*")))
        raise NotFound(f"files *nq-{split}*.jsonl (or .gz) wanted in {folder}, found {have}")
    texts: dict[str, str] = {}
    relevant: dict[str, list[str]] = {}
    for path in paths:
        for number, example in _examples(path):
            answers = _answers(path, number, example)
            if answers:
                name = str(example["example_id"])
                texts[name], relevant[name] = str(example["question_text"]), answers
    return JudgedSet(
        f"{folder.resolve().name}/{split}",
        Queries(tuple(texts), tuple(texts.values())),
        _qrels(relevant),
        lambda: read_paragraphs(paths),
        key_of(*paths),
    )


def read_paragraphs(paths: Sequence[Path]) -> Iterator[Document]:
    """The paragraphs of all pages, those of a page that comes again once."""
    seen: set[str] = set()
    for path in paths:
        for number, example in _examples(path):
            words = _words(example)
            for start, end in _paragraphs(example):
                name = _name(example, start)
                text = _TAG.sub(" ", " ".join(words[start:end]))
                if name not in seen and text.strip():
                    seen.add(name)
                    source = f"{path}:{number}"
                    yield Document(name, " ".join(text.split()), _title(example), {}, source)


def _examples(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in numbered_lines(path):
        try:
            example = json.loads(line)
            keys = ("example_id", "question_text", "long_answer_candidates", "annotations")
            complete = all(key in example for key in keys)
        except (json.JSONDecodeError, TypeError):
            complete = False
        if not complete:
            raise bad_line(path, number, "a Natural Questions example", repr(line))
        yield number, example


def _answers(path: Path, number: int, example: Mapping[str, Any]) -> list[str]:
    annotations = example["annotations"]
    marked = [a["long_answer"] for a in annotations if a["long_answer"]["start_token"] >= 0]
    if len(marked) < min(2, len(annotations)):
        return []
    paragraphs = _paragraphs(example)
    names: dict[str, None] = {}
    for answer in marked:
        begin = int(answer["start_token"])
        holder = next((start for start, end in paragraphs if start <= begin < end), None)
        if holder is None:
            raise bad_line(path, number, "a long answer inside a candidate", f"token {begin}")
        names[_name(example, holder)] = None
    return list(names)


def _paragraphs(example: Mapping[str, Any]) -> list[tuple[int, int]]:
    return [
        (int(each["start_token"]), int(each["end_token"]))
        for each in example["long_answer_candidates"]
        if each.get("top_level", True)
    ]


def _words(example: Mapping[str, Any]) -> list[str]:
    if "document_text" in example:  # the simplified form
        return str(example["document_text"]).split(" ")
    return ["" if each["html_token"] else str(each["token"]) for each in example["document_tokens"]]


def _name(example: Mapping[str, Any], start: int) -> str:
    query = parse_qs(urlsplit(str(example.get("document_url", ""))).query)
    page = query.get("oldid", query.get("title", [str(example["example_id"])]))[0]
    return f"{page}-{start}"


def _title(example: Mapping[str, Any]) -> str:
    if "document_title" in example:
        return str(example["document_title"])
    query = parse_qs(urlsplit(str(example.get("document_url", ""))).query)
    return query.get("title", [""])[0].replace("_", " ")


def _qrels(relevant: Mapping[str, Sequence[str]]) -> Ranking:
    names = sorted({name for each in relevant.values() for name in each}, reverse=True)
    corpus = MemoryCorpus(names, [""] * len(names))
    search = Search(Queries(tuple(relevant), ("",) * len(relevant)), corpus)
    rows = [corpus.find(each) for each in relevant.values()]
    return Ranking.of_lists(search, rows, [[1.0] * len(each) for each in rows], Scale.GRADE)
