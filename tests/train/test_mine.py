"""Mining: each candidate is kept or counted with its reason, and a killed run goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossrank.errors import BadInput
from crossrank.io.problems import Problems
from crossrank.train import negatives
from crossrank.train.mine import mine
from crossrank.train.negatives import Rule, choose
from crossrank.train.readers import read_groups
from crossrank.types import (
    Floats,
    MemoryCorpus,
    Queries,
    Ranking,
    Scale,
    Search,
)

NAN = float("nan")


def chosen(rule: Rule, scores: Sequence[float], positive: float) -> tuple[list[int], list[int]]:
    found = choose(rule, np.array(scores, np.float32), positive, 0, Counter())
    return found.negatives.tolist(), found.relabelled.tolist()


def test_the_best_ranked_are_taken_first() -> None:
    assert chosen(Rule(negatives=2), [3, 2, 1], NAN) == ([0, 1], [])
    assert chosen(Rule(negatives=9), [3, 2, 1], NAN) == ([0, 1, 2], [])


def test_margins_ceiling_and_relabelling() -> None:
    scores = [0.95, 0.85, 0.8, 0.5]
    assert chosen(Rule(margin=0.1), scores, 0.9) == ([2, 3], [])
    assert chosen(Rule(relative=0.3), scores, 0.9) == ([3], [])
    assert chosen(Rule(ceiling=0.8), scores, NAN) == ([2, 3], [])
    assert chosen(Rule(margin=0.1, relabel=True), scores, 0.9) == ([2, 3], [0])
    # nothing to compare with: rather no negative than a false one
    assert chosen(Rule(margin=0.1), scores, NAN) == ([], [])


def test_a_random_share_is_drawn_from_the_rest() -> None:
    scores = list(range(100, 0, -1))
    drawn, _ = chosen(Rule(negatives=10, random=0.5), scores, NAN)
    assert drawn[:5] == [0, 1, 2, 3, 4]
    assert len(drawn) == 10
    assert max(drawn) > 20
    again, _ = chosen(Rule(negatives=10, random=0.5), scores, NAN)
    assert again == drawn


@given(
    st.lists(st.floats(0, 1, width=32), max_size=20),
    st.one_of(st.just(NAN), st.floats(0, 1, width=32)),
    st.booleans(),
    st.one_of(st.none(), st.floats(0, 0.5)),
)
def test_every_candidate_is_counted_once(
    scores: list[float], positive: float, relabel: bool, margin: float | None
) -> None:
    counts: Counter[str] = Counter()
    rule = Rule(negatives=3, relabel=relabel, margin=margin, ceiling=0.9, random=0.3)
    found = choose(rule, np.array(scores, np.float32), positive, 1, counts)
    counts.pop(negatives.NO_POSITIVE, None)
    assert counts.total() == len(scores)
    assert counts[negatives.KEPT] == len(found.negatives)
    if not np.isnan(positive):
        kept = np.array(scores, np.float32)[found.negatives]
        assert (kept <= rule.limit(positive)).all()


@pytest.mark.parametrize(
    "wrong", [{"ranks": (0, 5)}, {"ranks": (9, 5)}, {"negatives": 0}, {"random": 1.5}]
)
def test_rules_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(BadInput, match="wanted"):
        Rule(**wrong)  # type: ignore[arg-type]


@dataclass
class Overlap:
    """Ranks documents by how many words they share with the query; counts its calls."""

    depth: int = 10
    name: str = "overlap"
    asked: list[str] = field(default_factory=list)

    def __call__(self, given: Search, /) -> Ranking:
        rows = given.corpus.rows()
        texts = [set(text.split()) for text in given.corpus.texts(rows)]
        self.asked += given.queries.texts
        scores = [
            [len(set(query.split()) & text) for text in texts] for query in given.queries.texts
        ]
        return Ranking.of_lists(given, [rows] * len(scores), scores).top(self.depth)


class Judge:
    """Says what is relevant: texts that begin with the first word of the query."""

    scale = Scale.LOGIT

    def score_texts(self, queries: Sequence[str], documents: Sequence[str]) -> Floats:
        pairs = zip(queries, documents, strict=True)
        return np.array([4.0 if d.startswith(q.split()[0]) else -4.0 for q, d in pairs], np.float32)


CORPUS = MemoryCorpus(
    ["d0", "d1", "d2", "d3", "d4"],
    ["rot gut", "blau rot", "rot GUT!", "rot allein", "kalt"],
)


def labels(queries: int = 1) -> Ranking:
    """Queries "rot gut", "rot gut 1", ...: d0 is relevant."""
    texts = tuple(f"rot gut {i}".removesuffix(" 0") for i in range(queries))
    search = Search(Queries(tuple(f"q{i}" for i in range(queries)), texts), CORPUS)
    return Ranking.of_lists(search, [[0]] * queries, [[1.0]] * queries, Scale.GRADE)


def test_candidates_are_kept_or_counted(tmp_path: Path) -> None:
    found = mine(labels(), CORPUS, Overlap(), Rule(ranks=(1, 4), negatives=1), tmp_path)
    assert found.counts == {
        negatives.POSITIVE: 1,
        negatives.COPY: 1,  # "rot GUT!" is the relevant document but for case and mark
        negatives.RANK: 1,
        negatives.KEPT: 1,
        negatives.SPARE: 1,
        negatives.MARGIN: 0,
        negatives.CEILING: 0,
        negatives.RELABELLED: 0,
    }
    data = read_groups(found.files[0], Problems(strict=True))
    rows, values = data.query(0)
    assert dict(zip(data.corpus.texts(rows), values, strict=True)) == {"rot gut": 1, "blau rot": 0}


def test_a_cross_encoder_finds_the_false_negatives(tmp_path: Path) -> None:
    rule = Rule(margin=0.2, relabel=True)
    found = mine(labels(), CORPUS, Overlap(), rule, tmp_path / "a", Judge())
    assert found.counts[negatives.RELABELLED] == 1  # "rot allein"
    assert found.counts[negatives.KEPT] == 2
    dropped = mine(labels(), CORPUS, Overlap(), Rule(margin=0.2), tmp_path / "b", Judge())
    assert dropped.counts[negatives.MARGIN] == 1
    with pytest.raises(BadInput, match="cross-encoder wanted"):
        mine(labels(), CORPUS, Overlap(), rule, tmp_path / "c")


def test_a_killed_run_goes_on_and_gives_the_same(tmp_path: Path) -> None:
    whole = mine(labels(25), CORPUS, Overlap(), Rule(random=0.5), tmp_path / "whole", part=10)

    class KilledError(Exception):
        pass

    def kill(count: int) -> None:
        if count > 20:
            raise KilledError

    with pytest.raises(KilledError):
        mine(labels(25), CORPUS, Overlap(), Rule(random=0.5), tmp_path / "x", done=kill, part=10)
    pipeline = Overlap()
    again = mine(labels(25), CORPUS, pipeline, Rule(random=0.5), tmp_path / "x", part=10)
    assert len(pipeline.asked) == 5  # the queries of the part that was missing
    assert again.counts == whole.counts
    for first, second in zip(again.files, whole.files, strict=True):
        assert first.read_bytes() == second.read_bytes()
    with pytest.raises(BadInput, match="negatives"):
        mine(labels(25), CORPUS, pipeline, Rule(negatives=2), tmp_path / "x", part=10)
