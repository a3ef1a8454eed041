"""A comparison as tables and as an HTML page with plots."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from crossrank.evaluate.compare import Comparison, Pair
from crossrank.evaluate.measures import Measure
from crossrank.evaluate.report.page import page
from crossrank.evaluate.report.svg import Point, axis_over, scatter, signed_bars
from crossrank.evaluate.report.table import Table, best_of

Times = Mapping[str, float]
"""Milliseconds a query by the name of the run, where they are known."""


def tables(
    found: Comparison,
    times: Times,
    texts: Mapping[str, str],
    moved: int,
    *,
    intervals: bool = True,
) -> list[Table]:
    """The means, the tests, and for each pair the queries that moved most.

    texts: what the queries say, by id, where it is known. intervals: of the differences too.
    """
    return [
        means_table(found, times),
        *([tests_table(found, intervals=intervals)] if found.pairs else []),
        *(moved_table(found, pair, texts, moved) for pair in _leading(found) if moved),
    ]


def means_table(found: Comparison, times: Times) -> Table:
    """A row each run: mean and interval of every measure, the best mean in bold."""
    rows = []
    for name, scores in found.scores.items():
        cells = [
            f"{scores.mean(m):.4f} [{low:.3f}, {high:.3f}]"
            for m, (low, high) in found.intervals[name].items()
        ]
        clock = [f"{times[name]:.1f}" if name in times else ""] if times else []
        rows.append((name, *cells, *clock))
    values = [[scores.mean(m) for m in found.measures] for scores in found.scores.values()]
    level = f"{100 * found.settings.level:g}%"
    return Table(
        f"Means over {len(found.queries)} queries, with {level} bootstrap intervals",
        ("run", *(f">{m}" for m in found.measures), *([">ms/query"] if times else [])),
        tuple(rows),
        best_of(values),
    )


def tests_table(found: Comparison, *, intervals: bool = True) -> Table:
    """A row each pair and measure: difference, interval, p values, wins, ties and losses."""
    middle = (">interval",) if intervals else ()
    columns = ("run", "against", "measure", ">diff", *middle, ">p(t)", ">p(W)", ">p(R)", ">Holm",
               ">+/=/−")  # fmt: skip
    rows = [_test_row(pair) for pair in found.pairs]
    if not intervals:
        rows = [(*row[:4], *row[5:]) for row in rows]
    return Table(
        "Paired tests, two-sided: t, Wilcoxon, randomisation, this corrected by Holm",
        columns,
        tuple(rows),
    )


def moved_table(found: Comparison, pair: Pair, texts: Mapping[str, str], count: int) -> Table:
    """The queries whose value changed most between the runs of a pair."""
    rows = tuple(
        (
            each.query,
            _shortened(texts.get(each.query, "")),
            f"{each.before:.4f}",
            f"{each.after:.4f}",
            signed(each.change),
        )
        for each in found.moved(pair, count)
    )
    title = f"Queries that moved most in {pair.measure}: {pair.run} against {pair.against}"
    return Table(title, ("query", "text", f">{pair.against}", f">{pair.run}", ">change"), rows)


def html(found: Comparison, times: Times, texts: Mapping[str, str], moved: int, title: str) -> str:
    """One page that needs nothing else."""
    sections = [("Means", means_table(found, times).html())]
    if len(times) > 1:
        sections.append(("Quality against time", latency_plot(found, times)))
    if found.pairs:
        sections.append(("Tests", tests_table(found).html()))
    for pair in _leading(found):
        table = moved_table(found, pair, texts, moved).html() if moved else ""
        name = f"{pair.run} against {pair.against}"
        sections.append((name, difference_plot(found, pair) + table))
    settings = found.settings
    note = (
        f"{len(found.queries)} judged queries. Randomisation test with {settings.samples:,} "
        f"samples, bootstrap with {settings.resamples:,}, seed {settings.seed}."
    )
    return page(title, note, sections)


def latency_plot(found: Comparison, times: Times) -> str:
    """The first measure against milliseconds a query, a point each run whose time is known."""
    measure = found.measures[0]
    points = [
        Point(max(times[name], 1e-3), scores.mean(measure), name)
        for name, scores in found.scores.items()
        if name in times
    ]
    x = axis_over("milliseconds a query", [p.x for p in points], logarithmic=True)
    y = axis_over(str(measure), [p.y for p in points])
    return scatter(points, x, y, f"{measure} against time")


def difference_plot(found: Comparison, pair: Pair) -> str:
    """A bar each query, from the largest gain to the largest loss."""
    change = found.differences(pair)
    order = np.argsort(-change, kind="stable")
    bars = [Point(0, float(change[i]), f"{found.queries[i]}: {signed(change[i])}") for i in order]
    y = axis_over(f"difference in {pair.measure}", [0.0, *change.tolist()])
    title = f"{pair.wins} queries better, {pair.ties} the same, {pair.losses} worse"
    return signed_bars(bars, y, title, f"{len(change)} queries, largest gain first")


def signed(value: float) -> str:
    """A difference with its sign, a minus being a minus."""
    return f"{value:+.4f}".replace("-", "−")


def p_text(p: float) -> str:
    """A p value as people write it."""
    return f"{p:.3f}" if p >= 0.001 else "<0.001"


def _test_row(pair: Pair) -> tuple[str, ...]:
    return (
        pair.run,
        pair.against,
        str(pair.measure),
        signed(pair.difference),
        f"[{signed(pair.interval[0])}, {signed(pair.interval[1])}]",
        p_text(pair.p.t),
        p_text(pair.p.wilcoxon),
        p_text(pair.p.randomisation),
        p_text(pair.holm.randomisation),
        f"{pair.wins}/{pair.ties}/{pair.losses}",
    )


def _leading(found: Comparison) -> list[Pair]:
    """The pairs in the first measure: those are shown query by query."""
    first: Measure = found.measures[0]
    return [pair for pair in found.pairs if pair.measure == first]


def _shortened(text: str, length: int = 70) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
