"""The order of learning: a function of data, settings and seed, and what each item holds."""

from __future__ import annotations

import numpy as np
import pytest

from crossrank.errors import BadInput
from crossrank.train.config import Groups
from crossrank.train.objectives import Objective
from crossrank.train.plan import Plan
from crossrank.train.students import collate
from crossrank.types import MemoryCorpus, Queries, Ranking, Scale, Search


def data(labels: list[list[float]]) -> Ranking:
    """Queries with documents of their own, numbered through, labelled as said."""
    sizes = [len(each) for each in labels]
    corpus = MemoryCorpus.of([f"document {i} {'x' * (i % 97)}" for i in range(sum(sizes))])
    search = Search(Queries.of([f"query {i}" for i in range(len(labels))]), corpus)
    starts = np.cumsum([0, *sizes[:-1]])
    rows = [np.arange(size) + start for size, start in zip(sizes, starts, strict=True)]
    return Ranking.of_lists(search, rows, labels, Scale.GRADE)


MANY = data([[1.0, 0.0, 0.0, 0.0, 2.0]] * 21)


@pytest.mark.parametrize("name", ["bce", "list-net", "info-nce"])
def test_the_same_seed_gives_the_same_items_in_any_order_of_asking(name: str) -> None:
    first, second = (
        Plan(MANY, Objective(name), Groups(size=3), 4, seed=7).over(60) for _ in range(2)
    )
    forwards = [first[i] for i in range(60)]
    for i in reversed(range(60)):
        item = second[i]
        assert item.query == forwards[i].query
        assert (item.docs == forwards[i].docs).all()
    other = Plan(MANY, Objective(name), Groups(size=3), 4, seed=8).over(60)
    assert [other[i].query for i in range(60)] != [item.query for item in forwards]


def test_an_epoch_of_pairs_has_each_pair_once() -> None:
    plan = Plan(MANY, Objective("bce"), Groups(), 5, seed=0)
    assert plan.epoch == 105
    plan.over(210)
    for start in (0, 105):
        seen = [int(plan[i].docs[0]) for i in range(start, start + 105)]
        assert sorted(seen) == list(range(105))
    assert all(MANY.queries.texts[plan[i].query] == f"query {plan[i].docs[0] // 5}" for i in (3, 9))


def test_batches_hold_texts_of_like_length() -> None:
    short = [[1.0, 0.0]] * 200
    plan = Plan(data(short), Objective("bce"), Groups(), 20, seed=0).over(400)
    texts = [plan.data.corpus.texts(plan[i].docs)[0] for i in range(400)]
    lengths = [len(text) for text in texts]
    spread = np.ptp(np.array(lengths).reshape(-1, 20), axis=1)
    assert spread.mean() < 0.6 * np.ptp(lengths)


def test_a_group_has_one_positive_first_and_then_others() -> None:
    contrastive = Plan(MANY, Objective("info-nce"), Groups(size=4), 3, seed=1).over(21)
    listwise = Plan(MANY, Objective("list-net"), Groups(size=4), 3, seed=1).over(21)
    for i in range(21):
        group = contrastive[i]
        assert len(set(group.docs.tolist())) == 4
        assert group.labels[0] > 0
        assert (group.labels[1:] == 0).all()
        assert listwise[i].labels[0] > 0
    assert any((listwise[i].labels[1:] > 0).any() for i in range(21))


def test_unjudged_documents_are_drawn_where_asked() -> None:
    single = data([[1.0]] * 30)
    with pytest.raises(BadInput, match="two documents with different labels"):
        Plan(single, Objective("info-nce"), Groups(size=4), 3, seed=1)
    plan = Plan(single, Objective("info-nce"), Groups(size=4, random=3), 3, seed=1).over(30)
    for i in range(30):
        item = plan[i]
        assert item.labels.tolist() == [1, 0, 0, 0]
        assert len(set(item.docs.tolist())) == 4
    assert plan.rate() == pytest.approx(3 / 29)


def test_queries_that_teach_nothing_are_counted() -> None:
    mixed = data([[1.0, 0.0], [0.0, 0.0], [1.0, 1.0]])
    plan = Plan(mixed, Objective("list-net"), Groups(size=2), 1, seed=0)
    assert (plan.epoch, plan.skipped) == (1, 2)
    assert Plan(mixed, Objective("gbce"), Groups(size=2), 1, seed=0).rate() == 1.0


def test_a_batch_knows_its_pairs_and_what_may_serve_as_negatives() -> None:
    shared = Ranking.of_lists(
        Search(Queries.of(["a", "b"]), MemoryCorpus.of(["x", "y", "z"])),
        [[0, 1], [1, 2]],
        [[1.0, 0.0], [3.0, 0.0]],
        Scale.GRADE,
    )
    plan = Plan(shared, Objective("info-nce"), Groups(size=2), 2, seed=0).over(2)
    items = sorted((plan[i] for i in range(2)), key=lambda item: item.query)
    own = collate(shared, items)
    assert own.documents == ["x", "y", "z"]
    assert own.mask.tolist() == [[True, True, False], [False, True, True]]
    assert own.labels[own.mask].tolist() == [1, 0, 3, 0]
    assert own.pairs() == (["a", "a", "b", "b"], ["x", "y", "y", "z"])
    more = collate(shared, items, in_batch=True)
    assert more.mask.all()
    # a document that is judged for a query is no negative of it unless it was drawn
    only = [item.__class__(item.query, item.docs[:1], item.labels[:1]) for item in items]
    few = collate(shared, only, in_batch=True)
    assert few.documents == ["x", "y"]
    assert few.mask.tolist() == [[True, False], [True, True]]
