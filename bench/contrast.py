"""Contrast data of the held-out domains: how many pairs of texts each stage orders rightly.

python bench/contrast.py [--groups N] [--seed N] [--model NAME] [--encoder NAME] [--json FILE]

A pair is two texts of one query whose grades differ; equal scores count half. The domains were
held out of all training. `blend` is what the pipeline `full` makes of BM25, bi-encoder and
cross-encoder, `full` the whole pipeline, which also holds candidates to the conditions of the
query. p: two-sided randomisation test over queries, against the column before.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from crossrank.evaluate.significance import randomisation
from crossrank.fuse import fuse
from crossrank.models import BiEncoder, CrossEncoder
from crossrank.rerank import CachedScorer, Rerank
from crossrank.retrieve import MemoryBM25
from crossrank.train.contrast import HELD_OUT, KINDS, LANGUAGES, Group, generate
from crossrank.types import Encoder, MemoryCorpus, Queries, Ranking, Scorer, Search
from shipped import as_full, by_cosine

Reals = npt.NDArray[np.float64]
DEEP = 1000
"""More than a group has candidates."""


def candidates(groups: Sequence[Group]) -> Ranking:
    """The texts of each group as the candidates of its query, all with score 0."""
    texts = list(dict.fromkeys(text for group in groups for text, _ in group.candidates))
    rows = {text: row for row, text in enumerate(texts)}
    search = Search(Queries.of([group.query for group in groups]), MemoryCorpus.of(texts))
    docs = [[rows[text] for text, _ in group.candidates] for group in groups]
    return Ranking.of_lists(search, docs, [np.zeros(len(each)) for each in docs])


def by_text(groups: Sequence[Group], found: Ranking) -> list[Reals]:
    """The scores of a ranking in the order of the groups' texts; 0 for one that is not in it."""
    rows = {text: row for row, text in enumerate(found.corpus.texts(found.corpus.rows()))}
    scores = [dict(zip(*map(np.ndarray.tolist, each), strict=True)) for each in found]
    return [
        np.array([score.get(rows[text], 0.0) for text, _ in group.candidates])
        for score, group in zip(scores, groups, strict=True)
    ]


def ranked(given: Ranking, scorer: Scorer, encoder: Encoder) -> dict[str, Ranking]:
    """The candidates as each stage orders them; BM25 leaves out those without a term."""
    words = MemoryBM25.learned(given.corpus, depth=DEEP)(given)
    dense = by_cosine(given, encoder)
    return {
        "bm25": words,
        "bi-encoder": dense,
        "cross-encoder": Rerank(scorer, DEEP)(given),
        **as_full(fuse([words, dense], "rrf"), scorer, DEEP),
    }


def rightly_ordered(group: Group, scores: Reals) -> tuple[float, int]:
    """Pairs whose higher grade has the higher score (ties half), and how many pairs there are."""
    grades = np.array([grade for _, grade in group.candidates])
    higher = grades[:, None] > grades[None, :]
    ahead = (scores[:, None] > scores[None, :]) + 0.5 * (scores[:, None] == scores[None, :])
    return float(ahead[higher].sum()), int(higher.sum())


def main() -> None:
    """Prints one table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--groups", type=int, default=400)
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--model", default="crossrank-small")
    parser.add_argument("--encoder", default="crossrank-embed")
    parser.add_argument("--domains", nargs="+", default=list(HELD_OUT))
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    groups = list(generate(given.domains, LANGUAGES, given.groups, given.seed))
    scorer, encoder = CachedScorer(CrossEncoder(given.model)), BiEncoder(given.encoder)
    stages = ranked(candidates(groups), scorer, encoder)
    found = {
        name: np.array(counted(groups, by_text(groups, each))) for name, each in stages.items()
    }
    table = {
        part: {name: share(counts[chosen]) for name, counts in found.items()}
        for part, chosen in parts(groups).items()
    }
    show(table, groups, found)
    if given.json:
        report = {"groups": len(groups), "domains": given.domains, "rightly_ordered": table}
        given.json.write_text(json.dumps(report, indent=2), encoding="utf-8")


def counted(groups: Sequence[Group], scores: Sequence[Reals]) -> list[tuple[float, int]]:
    """For each group the pairs ordered rightly, and all of its pairs."""
    return [rightly_ordered(group, each) for group, each in zip(groups, scores, strict=True)]


def parts(groups: Sequence[Group]) -> dict[str, npt.NDArray[np.bool_]]:
    """Which groups belong to each line of the table."""
    lines = {"all": np.ones(len(groups), dtype=bool)}
    for language in LANGUAGES:
        lines[language] = np.array([group.language == language for group in groups])
    for name in dict.fromkeys(group.domain for group in groups):
        lines[name] = np.array([group.domain == name for group in groups])
    for kind in KINDS:
        lines[kind] = np.array([group.kind == kind for group in groups])
    return {line: chosen for line, chosen in lines.items() if chosen.any()}


def share(counts: Reals) -> float:
    """The share of all pairs ordered rightly."""
    right, pairs = counts.sum(axis=0)
    return float(right / pairs)


def show(
    table: dict[str, dict[str, float]], groups: Sequence[Group], found: dict[str, Reals]
) -> None:
    """The share of pairs in each part, and how sure the differences of the stages are."""
    names = list(found)
    pairs = int(found["bm25"][:, 1].sum())
    print(f"held-out contrast data: {len(groups)} queries, {pairs} pairs; % ordered rightly")
    print(f"{'':16}{'queries':>8}" + "".join(f"{name:>15}" for name in names))
    for part, chosen in parts(groups).items():
        values = "".join(f"{100 * table[part][name]:15.1f}" for name in names)
        print(f"{part:16}{int(chosen.sum()):8}{values}")
    for lower, upper in itertools.pairwise(names):
        shares = [found[name][:, 0] / found[name][:, 1] for name in (upper, lower)]
        p = float(np.ravel(randomisation((shares[0] - shares[1])[None, :]))[0])
        print(f"{upper} against {lower}: p = {p:.2g}")


if __name__ == "__main__":
    main()
