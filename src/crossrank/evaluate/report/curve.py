"""Curves of quality against depth and against time, as tables and as one HTML page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crossrank.evaluate.curve import Curve, Point
from crossrank.evaluate.measures import Measure
from crossrank.evaluate.report import svg
from crossrank.evaluate.report.page import page
from crossrank.evaluate.report.table import Table


def depth_table(curves: Sequence[Curve], measure: Measure) -> Table:
    """A row each depth and pipeline."""
    rows = [
        (curve.name, f"{point.depth:g}", f"{point.milliseconds:.1f}", f"{point.value:.4f}")
        for curve in curves
        for point in curve.points
    ]
    columns = ("pipeline", ">depth", ">ms/query", f">{measure}")
    return Table(f"{measure} by depth of re-ranking", columns, tuple(rows))


def budget_table(found: Mapping[str, Sequence[Point]], measure: Measure) -> Table:
    """A row each budget, a column each pipeline: value and the mean depth it allowed."""
    names = list(found)
    budgets = [point.milliseconds for point in next(iter(found.values()))]
    rows = [
        (
            f"{budget:g}",
            *(f"{found[name][at].value:.4f} ({found[name][at].depth:.0f})" for name in names),
        )
        for at, budget in enumerate(budgets)
    ]
    title = f"{measure} within a budget of ms a query (mean depth it allows)"
    return Table(title, (">budget", *(f">{name}" for name in names)), tuple(rows))


def depth_plot(curves: Sequence[Curve], measure: Measure) -> str:
    """A line each pipeline: quality against depth."""
    series = {
        curve.name: [svg.Point(p.depth, p.value, _label(p)) for p in curve.points]
        for curve in curves
    }
    return _lines(series, "candidates re-ranked", measure, logarithmic=False)


def budget_plot(found: Mapping[str, Sequence[Point]], measure: Measure) -> str:
    """A line each pipeline: quality against the time a query may take."""
    series = {
        name: [svg.Point(p.milliseconds, p.value, _label(p)) for p in points]
        for name, points in found.items()
    }
    return _lines(series, "milliseconds a query may take", measure, logarithmic=True)


def html(
    curves: Sequence[Curve], found: Mapping[str, Sequence[Point]], measure: Measure, title: str
) -> str:
    """One page that needs nothing else."""
    queries = len(curves[0].run.candidates.queries)
    note = (
        f"{queries} queries, one at a time, each run once at full depth. At a smaller depth the "
        "other candidates follow in the order in which they were found."
    )
    by_depth = depth_plot(curves, measure) + depth_table(curves, measure).html()
    by_time = budget_plot(found, measure) + budget_table(found, measure).html()
    return page(title, note, [("By depth", by_depth), ("By time", by_time)])


def _lines(
    series: Mapping[str, Sequence[svg.Point]], name: str, measure: Measure, *, logarithmic: bool
) -> str:
    every = [point for points in series.values() for point in points]
    x = svg.axis_over(name, [max(p.x, 1e-3) for p in every], logarithmic=logarithmic)
    y = svg.axis_over(str(measure), [p.y for p in every])
    return svg.lines(dict(series), x, y, f"{measure} against {name}")


def _label(point: Point) -> str:
    return f"depth {point.depth:.0f}, {point.milliseconds:.1f} ms: {point.value:.4f}"
