"""Reports: tables in three forms, plots that are well-formed, pages that need nothing else."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossrank.evaluate.report.page import page
from crossrank.evaluate.report.svg import (
    Axis,
    Point,
    axis_over,
    lines,
    ranked_bars,
    scatter,
    signed_bars,
)
from crossrank.evaluate.report.table import Table, best_of

TABLE = Table(
    "A & B", ("run_1", ">nDCG@10"), (("a|b", "0.5"), ("<x>", "0.75")), frozenset({(1, 1)})
)
SVG = "{http://www.w3.org/2000/svg}"


def test_markdown() -> None:
    assert TABLE.markdown() == (
        "**A & B**\n\n| run\\_1 | nDCG@10 |\n| --- | ---: |\n"
        "| a\\|b | 0.5 |\n| \\<x> | **0.75** |\n"
    )


def test_latex_escapes_what_latex_reads_otherwise() -> None:
    text = TABLE.latex()
    assert r"\caption{A \& B}" in text
    assert r"\begin{tabular}{lr}" in text
    assert r"run\_1 & nDCG@10 \\" in text
    assert r"$<$x$>$ & \textbf{0.75} \\" in text
    assert r"50\% \textbackslash{} \{\}" in Table("50% \\ {}", ("a",), ()).latex()


def test_html_escapes_and_marks_numbers_and_the_best() -> None:
    text = TABLE.html()
    assert "<td>&lt;x&gt;</td>" in text
    assert '<td class="number best">0.75</td>' in text


def test_the_best_of_each_column_ties_included() -> None:
    assert best_of([[1.0, 3.0], [2.0, 3.0]]) == {(1, 1), (0, 2), (1, 2)}


def test_a_page_is_self_contained_and_serves_light_and_dark() -> None:
    text = page("Title <1>", "note", [("Plot", scatter([Point(1, 2, "a")], *AXES, "t"))])
    assert "prefers-color-scheme:dark" in text
    assert "<title>Title &lt;1&gt;</title>" in text
    assert not re.search(r"<script|<link|\bsrc=|@import|url\(", text)
    assert set(re.findall(r"https?://[^\s\"<]+", text)) == {"http://www.w3.org/2000/svg"}


AXES = (Axis("x", 0, 4), Axis("y", 0, 4))


@pytest.mark.parametrize(
    ("drawn", "shapes"),
    [
        (scatter([Point(1, 1, "a & b"), Point(1, 1.01, "b")], *AXES, "s"), {"circle": 2}),
        (lines({"one": [Point(1, 1), Point(2, 3)], "two": []}, *AXES, "l"), {"polyline": 2}),
        (signed_bars([Point(0, 1, "q1"), Point(0, -2, "q2")], Axis("d", -3, 3), "b", "q"),
         {"rect": 3}),
        (ranked_bars([("bm25 score", 9.0), ("length", 0.0)], "gain", "r"), {"rect": 3}),
    ],
)  # fmt: skip
def test_plots_are_well_formed(drawn: str, shapes: dict[str, int]) -> None:
    root = ElementTree.fromstring(drawn)
    for shape, count in shapes.items():
        assert len(root.findall(f".//{SVG}{shape}")) == count
    assert root.findall(f"{SVG}title")


def test_points_stand_where_their_values_are() -> None:
    root = ElementTree.fromstring(scatter([Point(0, 0), Point(4, 4), Point(2, 2)], *AXES, "s"))
    places = [
        (float(c.get("cx", "")), float(c.get("cy", ""))) for c in root.findall(f"{SVG}circle")
    ]
    (x0, y0), (x1, y1), (xm, ym) = places
    assert x0 < x1 and y0 > y1
    assert (xm, ym) == (
        pytest.approx((x0 + x1) / 2, abs=0.1),
        pytest.approx((y0 + y1) / 2, abs=0.1),
    )


@given(low=st.floats(-1e4, 1e4), width=st.floats(1e-3, 1e4), logarithmic=st.booleans())
def test_ticks_are_few_and_lie_on_the_axis(low: float, width: float, logarithmic: bool) -> None:
    low = abs(low) + 1e-3 if logarithmic else low
    axis = Axis("x", low, low + width, logarithmic)
    ticks = axis.ticks()
    assert len(ticks) <= 12
    assert all(-1e-6 <= axis.share(tick) <= 1 + 1e-6 for tick in ticks)


def test_an_axis_of_one_value_has_room() -> None:
    axis = axis_over("x", [0.0])
    assert axis.low < 0 < axis.high
    assert axis_over("t", [5.0], logarithmic=True).share(5.0) == pytest.approx(0.5)
