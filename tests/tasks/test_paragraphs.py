"""Long documents are ranked by their windows, the winning one is found; answers are sentences."""

from __future__ import annotations

import numpy as np
import pytest

from crossrank import Everything, MemoryCorpus, Queries, Ranking, Scale, Search
from crossrank.errors import BadInput
from crossrank.tasks.answers import ask, sentence_scores
from crossrank.tasks.calibration import Calibration, Platt
from crossrank.tasks.paragraphs import AGGREGATES, LongDocument, aggregate, windows
from crossrank.text.sentences import sentences
from fakes import FakeScorer
from tasks.standins import SharedWords

SMALL = windows(6, 2)


@pytest.mark.parametrize(("words", "overlap"), [(0, 0), (5, 5), (5, -1)])
def test_impossible_windows_are_refused(words: int, overlap: int) -> None:
    with pytest.raises(BadInput, match="windows of 1 or more words"):
        windows(words, overlap)


SCORES = np.array([1, -2, 3, 0.5, 2], dtype=np.float32)
STARTS = np.array([0, 3], dtype=np.int64)


@pytest.mark.parametrize(
    ("how", "wanted"),
    [
        ("max", [3, 2]),
        ("first", [1, 0.5]),
        ("top", [2, 1.25]),
        ("mean", [2 / 3, 1.25]),
        ("sum", [0.7310586 + 0.1192029 + 0.9525741, 0.6224593 + 0.8807971]),
    ],
)
def test_aggregates_are_the_hand_values(how: str, wanted: list[float]) -> None:
    found = aggregate(SCORES, STARTS, how, 2, Scale.LOGIT)  # type: ignore[arg-type]
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


LONG = MemoryCorpus(
    ["law", "novel"],
    [
        "Nothing at all here. More of nothing there. The fridge has no freezer inside. The end.",
        "It was night. It was cold. Nobody spoke of it.",
    ],
)
SEARCH = Search(Queries.of(["fridge freezer"]), LONG)


def test_the_winning_window_is_found_where_it_is() -> None:
    stage = LongDocument(SharedWords(), split=SMALL)
    (best, *others) = stage.passages(Ranking.everything(SEARCH), 0, 5)
    assert best.text == "The fridge has no freezer inside."
    assert LONG.texts(np.array([0]))[0][best.start : best.end] == best.text
    assert (best.row, best.number, best.count) == (0, 3, 4)
    assert not any(best.overlaps(each) for each in others)
    ranked = stage(Ranking.everything(SEARCH))
    assert ranked.query(0)[0].tolist() == [0, 1]
    assert ranked.query(0)[1][0] == best.score
    assert ranked.notes[0].count == 6


@pytest.mark.parametrize("how", AGGREGATES)
def test_every_aggregate_says_its_scale(how: str) -> None:
    stage = LongDocument(FakeScorer(), split=SMALL, aggregate=how)  # type: ignore[arg-type]
    found = stage(Ranking.everything(SEARCH))
    assert found.scale is (Scale.RAW if how == "sum" else Scale.LOGIT)
    if how == "first":
        assert found.notes[0].count == len(LONG)


def test_unknown_aggregates_are_refused() -> None:
    with pytest.raises(BadInput, match="an aggregate of"):
        LongDocument(FakeScorer(), aggregate="best")  # type: ignore[arg-type]


def test_the_best_sentence_of_the_best_passage_answers() -> None:
    found = ask("fridge freezer", LONG, Everything(), SharedWords(), split=windows(40, 0))
    best = found.answers[0]
    assert (best.id, best.sentence_text) == ("law", "The fridge has no freezer inside.")
    text = LONG.texts(np.array([0]))[0]
    assert text[best.start : best.end] == best.passage
    assert text[best.sentence[0] : best.sentence[1]] == best.sentence_text
    assert (found.probability, found.answered) == (None, True)
    assert found.as_dict()["answers"][0]["sentence"]["text"] == best.sentence_text


def test_a_calibration_tells_when_there_is_no_answer() -> None:
    kept = Calibration(Platt(1.0, 0.0), Scale.LOGIT)
    known, unknown = (
        ask(question, LONG, Everything(), SharedWords(), calibration=kept, split=SMALL)
        for question in ("fridge freezer", "purple elephants")
    )
    assert known.probability is not None
    assert known.probability > 0.5
    assert known.answered
    assert unknown.probability is not None
    assert unknown.probability < 0.5
    assert not unknown.answered


def test_nothing_found_is_no_answer() -> None:
    kept = Calibration(Platt(1.0, 0.0), Scale.LOGIT)
    empty = MemoryCorpus.of([])
    found = ask("who?", empty, Everything(), SharedWords(), calibration=kept, split=SMALL)
    assert (found.answers, found.probability, found.answered) == ((), 0.0, False)
    with pytest.raises(BadInput, match="a question wanted"):
        ask(" ", empty, Everything(), SharedWords())


def test_context_helps_a_sentence_that_speaks_of_it() -> None:
    text = "The fridge is old. It has no freezer."
    spans = sentences(text)
    alone = sentence_scores(SharedWords(), "fridge freezer", text, spans, context=0)
    both = sentence_scores(SharedWords(), "fridge freezer", text, spans, context=0.5)
    assert alone.tolist() == [0, 0]
    assert both.tolist() == [3, 3]


def test_a_heading_is_no_answer_unless_there_is_nothing_else() -> None:
    titled = MemoryCorpus.of(["Fridge freezer\nIt has none.", "Fridge freezer"])
    found = ask("fridge freezer", titled, Everything(), SharedWords())
    assert {each.sentence_text for each in found.answers} == {"It has none.", "Fridge freezer"}
