"""The right paragraph of a long document: XQuAD paragraphs and federal laws, joined again.

python bench/paragraphs.py --data DATA [--queries N] [--model NAME] [--json FILE]

xquad-de, xquad-en  the 5 paragraphs of an article as one text; the question must find the article
                    (of BM25's best 5) and, inside it, the paragraph
gesetze-de          the sections of a law as one text without their headings; a heading must find
                    its law (of BM25's best 5) and, inside it, the section

Documents are ranked by FirstP, MaxP, SumP, the mean of all and of the best 3 windows (MRR); a
paragraph is found when most of the winning window lies in it, against BM25 over the same windows.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from crossrank import MemoryCorpus, Queries, Ranking, Search
from crossrank.io.beir import read_beir
from crossrank.io.lines import numbered_lines
from crossrank.models import CrossEncoder
from crossrank.retrieve import MemoryBM25
from crossrank.tasks.paragraphs import AGGREGATES, LongDocument, aggregate, windows
from crossrank.text import Analyzer
from crossrank.text.analyzer import Setting

CANDIDATES = 5
Span = tuple[int, int]


@dataclass(frozen=True)
class Joined:
    """Long documents, and for each query its document and the place of its paragraph there."""

    name: str
    language: Setting
    search: Search
    gold: tuple[str, ...]
    places: tuple[Span, ...]


def join(parts: Sequence[tuple[str, str]], between: str = "\n\n") -> tuple[str, dict[str, Span]]:
    """The texts as one, and where each of them is in it, by its id."""
    places: dict[str, Span] = {}
    text = ""
    for name, part in parts:
        text += between if text else ""
        places[name] = (len(text), len(text) + len(part))
        text += part
    return text, places


def xquad(data: Path, language: Setting, count: int) -> Joined:
    """Articles of five paragraphs each."""
    dataset = read_beir(data / f"xquad-{language}")
    corpus = dataset.search.corpus
    rows = corpus.rows()
    parts = list(zip(corpus.ids(rows), corpus.texts(rows), strict=True))
    made = {
        article: join(list(group))
        for article, group in groupby(parts, key=lambda part: part[0].split("-")[0])
    }
    queries = dataset.search.queries
    gold = [dataset.qrels.corpus.ids(docs)[0] for docs, _ in dataset.qrels]
    step = slice(None, None, max(len(queries) // count, 1))
    asked = Queries(queries.ids[step], queries.texts[step])
    return joined(f"xquad-{language}", language, made, asked, gold[step], lambda n: n.split("-")[0])


def laws(data: Path, count: int) -> Joined:
    """Laws of 20 to 60 sections; headings of some of their sections are the queries."""
    groups: dict[str, list[tuple[str, str, str]]] = {}
    for _, line in numbered_lines(data / "gesetze-de/corpus.jsonl.gz"):
        row = json.loads(line)
        heading = row["title"].rpartition(" — ")[2].partition(" ")[2]
        groups.setdefault(row["_id"].rpartition("#")[0], []).append(
            (row["_id"], row["text"], heading.partition(" ")[2])
        )
    chosen = {name: part for name, part in groups.items() if 20 <= len(part) <= 60}
    chosen = dict(list(chosen.items())[:: max(len(chosen) // 150, 1)])
    made = {name: join([(i, text) for i, text, _ in part]) for name, part in chosen.items()}
    able = [
        (i, heading)
        for part in chosen.values()
        for i, text, heading in part
        if len(heading.split()) >= 2 and len(text.split()) >= 30
    ]
    picked = able[:: max(len(able) // count, 1)]
    asked = Queries(tuple(i for i, _ in picked), tuple(heading for _, heading in picked))
    return joined(
        "gesetze-de", "de", made, asked, list(asked.ids), lambda name: name.rpartition("#")[0]
    )


def joined(
    name: str,
    language: Setting,
    made: dict[str, tuple[str, dict[str, Span]]],
    queries: Queries,
    gold: Sequence[str],
    whole: Any,
) -> Joined:
    """Everything put together."""
    corpus = MemoryCorpus(list(made), [text for text, _ in made.values()])
    documents = tuple(whole(each) for each in gold)
    places = tuple(made[d][1][g] for d, g in zip(documents, gold, strict=True))
    return Joined(name, language, Search(queries, corpus), documents, places)


def inside(window: Span, place: Span) -> bool:
    """Whether most of a window lies in a place, or all of the place in the window."""
    shared = min(window[1], place[1]) - max(window[0], place[0])
    return shared * 2 > window[1] - window[0] or shared == place[1] - place[0]


def measured(case: Joined, scorer: CrossEncoder) -> dict[str, Any]:
    """MRR of every aggregate, and how often the right paragraph was found inside its document."""
    candidates = MemoryBM25.learned(case.search.corpus, case.language, CANDIDATES)(case.search)
    stage = LongDocument(scorer, CANDIDATES)
    ranks: dict[str, list[float]] = {"BM25": []}
    found: dict[str, list[bool]] = {"first window": [], "BM25 windows": [], "winning window": []}
    count = 0
    for q, (document, place) in enumerate(zip(case.gold, case.places, strict=True)):
        read = stage.read(candidates, q)
        count += len(read.scores)
        row = int(case.search.corpus.find([document])[0])
        ranks["BM25"].append(reciprocal(candidates.query(q)[0].tolist(), row))
        for how in AGGREGATES:
            scores = aggregate(read.scores, read.starts, how, 3, scorer.scale)
            order = [read.rows[i] for i in np.argsort(-scores, kind="stable")]
            ranks.setdefault(how, []).append(reciprocal(order, row))
        for name, hit in located(case, scorer, q, row, place):
            found[name].append(hit)
    return {
        "queries": len(case.gold),
        "documents": len(case.search.corpus),
        "windows a query": count / len(case.gold),
        "MRR": {name: float(np.mean(each)) for name, each in ranks.items()},
        "paragraph found": {name: float(np.mean(each)) for name, each in found.items()},
    }


def located(
    case: Joined, scorer: CrossEncoder, q: int, row: int, place: Span
) -> Iterator[tuple[str, bool]]:
    """Whether each way of choosing a window of the right document finds the paragraph."""
    query = case.search.queries.texts[q]
    (text,) = case.search.corpus.texts(np.array([row], dtype=np.int32))
    spans = windows()(text)
    parts = MemoryCorpus.of([text[a:b] for a, b in spans])
    asked = Search(Queries.of([query]), parts)
    lexical = MemoryBM25(parts, Analyzer(case.language), 1)(asked)
    best = int(lexical.docs[0]) if len(lexical.docs) else 0
    one = Ranking.of_lists(Search(Queries.of([query]), case.search.corpus), [[row]], [[0.0]])
    (won,) = LongDocument(scorer).passages(one, 0, 1)
    yield "first window", inside(spans[0], place)
    yield "BM25 windows", inside(spans[best], place)
    yield "winning window", inside((won.start, won.end), place)


def reciprocal(order: Sequence[int], row: int) -> float:
    """1 / rank, 0 where it is not there."""
    return 1 / (order.index(row) + 1) if row in order else 0.0


def main() -> None:
    """Prints one table a set."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--set", nargs="+", default=["xquad-de", "xquad-en", "gesetze-de"])
    parser.add_argument("--model", default="crossrank-small")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    scorer = CrossEncoder(given.model)
    found = {}
    for name in given.set:
        language: Setting = "de" if name == "xquad-de" else "en"
        case = (
            laws(given.data, given.queries)
            if name == "gesetze-de"
            else xquad(given.data, language, given.queries)
        )
        found[name] = measured(case, scorer)
        print(f"{name}: {found[name]['queries']} queries, {found[name]['documents']} documents")
        for what in ("MRR", "paragraph found"):
            for way, value in found[name][what].items():
                print(f"  {what:16} {way:16} {value:.3f}")
    if given.json:
        given.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
