"""First stages side by side: our BM25 in a collection and in memory, LanceDB's own, bm25s.

python bench/first_stage.py --data DATA [--sets scifact:test:en ...] [--json FILE]

Each set is indexed once by each engine; quality is over all judged queries at depth 100, the time
that of one query after the other at k = 100, median, terms made from the text included. LanceDB
is told the language for its stemmer, as our analyser is. bm25s (its `lucene` variant, English or
German stemmer, its own stop words, k1 = 1.2) stands in the table if it is installed.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from crossrank.evaluate import RR, R, evaluate, nDCG
from crossrank.evaluate.significance import randomisation
from crossrank.io.beir import Dataset, read_beir
from crossrank.io.document import Document
from crossrank.retrieve import BM25, MemoryBM25
from crossrank.store import Collection
from crossrank.types import Floats, Queries, Ranking, Rows, Scale, Search

os.environ["LANCEDB_LOG"] = "error"
DEPTH = 100
MEASURES = (nDCG @ 10, RR @ 10, R @ 100)
SETS = ("scifact:test:en", "xquad-de:test:de", "xquad-en:test:en")
LANGUAGES = {"de": "German", "en": "English"}

Ask = Callable[[str], tuple[Rows, Floats]]
"""Rows and scores for one query."""


def ours_stored(data: Dataset, language: str, folder: Path) -> Ask:
    """The BM25 stage over a collection on disk."""
    corpus = data.search.corpus
    made = Collection.create(folder / "collection", language)
    rows = corpus.rows()
    made.add(Document(n, t) for n, t in zip(corpus.ids(rows), corpus.texts(rows), strict=True))
    stored = made.corpus()
    back = corpus.find(stored.ids(stored.rows()))
    stage = BM25(made, DEPTH)

    def ask(text: str) -> tuple[Rows, Floats]:
        docs, scores = stage(Search(_one(text), stored)).query(0)
        return back[docs], scores

    return ask


def ours_in_memory(data: Dataset, language: Any, folder: Path) -> Ask:
    """The exact BM25 in memory."""
    stage = MemoryBM25.learned(data.search.corpus, language, DEPTH)
    return lambda text: stage(Search(_one(text), stage.corpus)).query(0)


def lancedb_own(data: Dataset, language: str, folder: Path) -> Ask:
    """LanceDB's full text with its own tokeniser, stemmer and stop words."""
    import lancedb
    from lancedb.index import FTS
    from lancedb.query import MatchQuery

    texts = data.search.corpus.texts(data.search.corpus.rows())
    rows = [{"row": row, "text": text} for row, text in enumerate(texts)]
    table = lancedb.connect(folder / "lance").create_table("texts", rows)
    table.create_index("text", config=FTS(language=LANGUAGES[language]))

    def ask(text: str) -> tuple[Rows, Floats]:
        asked = table.search(MatchQuery(text, "text"), query_type="fts")
        found = asked.select(["row", "_score"]).limit(DEPTH).to_arrow()
        return found["row"].to_numpy().astype(np.int32), found["_score"].to_numpy()

    return ask


def bm25s_own(data: Dataset, language: str, folder: Path) -> Ask:
    """The bm25s package with a Snowball stemmer."""
    import bm25s
    import Stemmer

    stem = Stemmer.Stemmer(LANGUAGES[language].lower())
    texts = data.search.corpus.texts(data.search.corpus.rows())
    depth = min(DEPTH, len(texts))

    def cut(some: list[str]) -> Any:
        return bm25s.tokenize(some, stopwords=language, stemmer=stem, show_progress=False)

    engine = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
    engine.index(cut(texts), show_progress=False)

    def ask(text: str) -> tuple[Rows, Floats]:
        docs, scores = engine.retrieve(cut([text]), k=depth, show_progress=False, n_threads=0)
        kept = scores[0] > 0
        return docs[0][kept].astype(np.int32), scores[0][kept]

    return ask


ENGINES = {
    "crossrank collection": ours_stored,
    "crossrank in memory": ours_in_memory,
    "LanceDB's stemmer": lancedb_own,
    "bm25s": bm25s_own,
}


def _one(text: str) -> Queries:
    return Queries(("q",), (text,))


def measured(data: Dataset, language: str, name: str) -> dict[str, Any]:
    """Quality, index time and query time of one engine on one set."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        ask = ENGINES[name](data, language, Path(folder))
        index = time.perf_counter() - start
        found, times = [], []
        for text in data.search.queries.texts:
            start = time.perf_counter()
            found.append(ask(text))
            times.append(time.perf_counter() - start)
    docs, scored = zip(*found, strict=True)
    run = Ranking.of_lists(data.search, docs, scored, Scale.BM25)
    scores = evaluate(run, data.qrels, MEASURES)
    return {
        "set": data.name,
        "engine": name,
        **scores.means(),
        "index_s": index,
        "p50_ms": 1000 * float(np.median(times)),
        "first": scores.of(MEASURES[0]),
    }


def rows_of(root: Path, sets: list[str]) -> Iterator[dict[str, Any]]:
    """The lines of the table; p against LanceDB's own on nDCG@10 of each query."""
    for each in sets:
        name, split, language = each.split(":")
        data = read_beir(root / name, split)
        names = [e for e in ENGINES if e != "bm25s" or find_spec("bm25s")]
        lines = [measured(data, language, engine) for engine in names]
        other = next(line["first"] for line in lines if line["engine"] == "LanceDB's stemmer")
        for line in lines:
            mine = line.pop("first")
            line["p"] = float(randomisation((mine - other)[None, :])[0])
            yield line


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, default=os.environ.get("CROSSRANK_DATA", "data"))
    parser.add_argument("--sets", nargs="+", default=list(SETS), help="NAME:SPLIT:LANGUAGE")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    columns = [*map(str, MEASURES), "p", "p50_ms", "index_s"]
    print(f"{'set':16} {'engine':22}" + "".join(f"{column:>9}" for column in columns))
    lines = []
    for line in rows_of(Path(given.data), given.sets):
        lines.append(line)
        numbers = "".join(f"{line[name]:9.3f}" for name in columns)
        print(f"{line['set']:16} {line['engine']:22}" + numbers, flush=True)
    if given.json:
        given.json.write_text(json.dumps(lines, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
