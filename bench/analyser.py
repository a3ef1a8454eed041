"""BM25 on the demo's catalogue: our analyser against LanceDB's own stemmers.

python bench/analyser.py [--json FILE]

Recall@10 of the grades 2 and 3, and nDCG@10, by kind of query. LanceDB's German stemmer indexes
the German texts for German queries, its English one the English texts, so it is told what our
analyser has to find out. p: two-sided randomisation test of recall over all queries.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from crossrank.demo import Catalogue, read_catalogue
from crossrank.demo.catalogue import KINDS
from crossrank.evaluate import R, Scores, evaluate, nDCG
from crossrank.evaluate.significance import randomisation
from crossrank.retrieve import MemoryBM25
from crossrank.types import MemoryCorpus, Ranking, Scale, Search

os.environ["LANCEDB_LOG"] = "error"
DEPTH = 30
RECALL, NDCG = R(rel=2) @ 10, nDCG @ 10
ASKED = ("compound", "unit", "norm")


def by_lance(catalogue: Catalogue, search: Search) -> Ranking:
    """LanceDB's BM25 with the stemmer of the query's language, over the texts in it."""
    import lancedb
    from lancedb.index import FTS
    from lancedb.query import MatchQuery

    rows = [
        {"row": row, "language": doc.fields["language"], "text": f"{doc.title}\n{doc.text}"}
        for row, doc in enumerate(catalogue.documents)
    ]
    tables = {}
    docs: list[list[int]] = []
    scores: list[list[float]] = []
    with tempfile.TemporaryDirectory() as folder:
        database = lancedb.connect(folder)
        for code, language in (("de", "German"), ("en", "English")):
            own = [row for row in rows if row["language"] == code]
            tables[code] = database.create_table(code, own)
            tables[code].create_index("text", config=FTS(language=language))
        for text, code in zip(search.queries.texts, catalogue.languages, strict=True):
            asked = tables[code].search(MatchQuery(text, "text"), query_type="fts")
            found = asked.select(["row", "_score"]).limit(DEPTH).to_list()
            docs.append([hit["row"] for hit in found])
            scores.append([hit["_score"] for hit in found])
    return Ranking.of_lists(search, docs, scores, Scale.BM25)


def by_kind(catalogue: Catalogue, scores: Scores) -> dict[str, npt.NDArray[np.float64]]:
    """Recall and nDCG of each kind, of the three that are about analysis, and of all queries."""
    kinds = dict(zip(catalogue.queries.ids, catalogue.kinds, strict=True))
    own = np.array([kinds[name] for name in scores.queries])
    lines = {kind: own == kind for kind in KINDS}
    lines[" + ".join(ASKED)] = np.isin(own, ASKED)
    lines["all"] = np.ones(len(own), dtype=bool)
    return {line: scores.values[:, chosen].mean(axis=1) for line, chosen in lines.items()}


def main() -> None:
    """Prints one table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    catalogue = read_catalogue()
    corpus = MemoryCorpus(
        [doc.id for doc in catalogue.documents],
        [f"{doc.title}\n{doc.text}" for doc in catalogue.documents],
    )
    search = Search(catalogue.queries, corpus)
    runs = {
        "crossrank": MemoryBM25.learned(corpus, depth=DEPTH)(search),
        "LanceDB": by_lance(catalogue, search),
    }
    scores = {name: evaluate(run, catalogue.qrels, (RECALL, NDCG)) for name, run in runs.items()}
    table = {name: by_kind(catalogue, each) for name, each in scores.items()}
    print(f"{'':24}{'Recall@10':>20}{'nDCG@10':>22}")
    print(f"{'':24}" + "".join(f"{name:>11}" for name in [*runs, *runs]))
    for line in table["crossrank"]:
        values = [table[name][line][measure] for measure in (0, 1) for name in runs]
        print(f"{line:24}" + "".join(f"{value:11.3f}" for value in values))
    difference = scores["crossrank"].of(RECALL) - scores["LanceDB"].of(RECALL)
    print(f"recall, all queries: p = {float(np.ravel(randomisation(difference[None, :]))[0]):.2g}")
    if given.json:
        report = {
            name: {
                line: dict(zip(("R(rel=2)@10", "nDCG@10"), map(float, v), strict=True))
                for line, v in lines.items()
            }
            for name, lines in table.items()
        }
        given.json.write_text(json.dumps(report, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
