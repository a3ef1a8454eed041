"""Windows cover a text on sentence bounds; documents are ranked by them; answers are found."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossrank import Everything, MemoryCorpus, Queries, Ranking, Scale, Search
from crossrank.errors import BadInput
from crossrank.tasks.answers import ask, sentence_scores
from crossrank.tasks.calibration import Calibration, Platt
from crossrank.tasks.paragraphs import AGGREGATES, LongDocument, Windows, aggregate
from fakes import FakeScorer
from tasks.standins import SharedWords


def split(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(r"[^.\s][^.]*\.?", text)]


SMALL = Windows(6, 2, split)


@given(
    st.lists(st.lists(st.sampled_from(["a", "bb", "ccc"]), min_size=1, max_size=9), max_size=9),
    st.integers(1, 8),
    st.data(),
)
def test_windows_cover_every_sentence_and_keep_their_size(
    found: list[list[str]], words: int, data: st.DataObject
) -> None:
    text = " ".join(" ".join(each) + "." for each in found)
    cut = Windows(words, data.draw(st.integers(0, words - 1)), split)
    spans = cut(text)
    covered = np.zeros(len(text), dtype=bool)
    for start, end in spans:
        assert len(text[start:end].split()) <= words
        covered[start:end] = True
    assert all(covered[i] for i, letter in enumerate(text) if not letter.isspace())
    assert spans == sorted(spans)
    assert len(set(spans)) == len(spans)
    short = [s for s in split(text) if len(text[s[0] : s[1]].split()) <= words]
    for start, end in short:  # a sentence that fits is never cut
        assert any(low <= start and end <= high for low, high in spans)


def test_neighbours_share_sentences() -> None:
    text = "a b c. d e. f g. h i j."
    assert [text[start:end] for start, end in SMALL(text)] == [
        "a b c. d e.",
        "d e. f g.",
        "f g. h i j.",
    ]
    assert Windows(6, 0, split)(text) == [(0, 11), (12, 23)]


def test_a_sentence_that_is_too_long_is_cut_between_words() -> None:
    text = "one two  three four five."
    assert [text[s:e] for s, e in Windows(2, 0, split)(text)] == ["one two", "three four", "five."]


def test_an_empty_text_is_one_empty_window() -> None:
    assert SMALL("") == [(0, 0)]


@pytest.mark.parametrize(("words", "overlap"), [(0, 0), (5, 5), (5, -1)])
def test_impossible_windows_are_refused(words: int, overlap: int) -> None:
    with pytest.raises(BadInput, match="windows of 1 or more words"):
        Windows(words, overlap)


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
    stage = LongDocument(SharedWords(), windows=SMALL)
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
    stage = LongDocument(FakeScorer(), windows=SMALL, aggregate=how)  # type: ignore[arg-type]
    found = stage(Ranking.everything(SEARCH))
    assert found.scale is (Scale.RAW if how == "sum" else Scale.LOGIT)
    if how == "first":
        assert found.notes[0].count == len(LONG)


def test_unknown_aggregates_are_refused() -> None:
    with pytest.raises(BadInput, match="an aggregate of"):
        LongDocument(FakeScorer(), aggregate="best")  # type: ignore[arg-type]


def test_the_best_sentence_of_the_best_passage_answers() -> None:
    found = ask("fridge freezer", LONG, Everything(), SharedWords(), windows=Windows(40, 0, split))
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
        ask(question, LONG, Everything(), SharedWords(), calibration=kept, windows=SMALL)
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
    found = ask("who?", empty, Everything(), SharedWords(), calibration=kept, windows=SMALL)
    assert (found.answers, found.probability, found.answered) == ((), 0.0, False)
    with pytest.raises(BadInput, match="a question wanted"):
        ask(" ", empty, Everything(), SharedWords())


def test_context_helps_a_sentence_that_speaks_of_it() -> None:
    text = "The fridge is old. It has no freezer."
    spans = split(text)
    alone = sentence_scores(SharedWords(), "fridge freezer", text, spans, context=0)
    both = sentence_scores(SharedWords(), "fridge freezer", text, spans)
    assert alone.tolist() == [0, 0]
    assert both.tolist() == [3, 3]
