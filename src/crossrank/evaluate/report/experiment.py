"""An experiment as tables and as one HTML page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from crossrank.evaluate.report.comparison import (
    difference_plot,
    latency_plot,
    means_table,
    tests_table,
)
from crossrank.evaluate.report.page import page
from crossrank.evaluate.report.table import Table
from crossrank.evaluate.results import SetResult


def tables(results: Sequence[SetResult], *, intervals: bool = True) -> list[Table]:
    """For each set the means of the pipelines, their stages, and the tests."""
    found = []
    for each in results:
        means = means_table(each.comparison, each.times())
        found.append(Table(f"{each.name}: {means.title}", means.columns, means.rows, means.best))
        found.append(stages_table(each))
        if each.comparison.pairs:
            tests = tests_table(each.comparison, intervals=intervals)
            found.append(Table(f"{each.name}: {tests.title}", tests.columns, tests.rows))
    return found


def stages_table(result: SetResult) -> Table:
    """A row each stage of each pipeline: what it reached, documents left, and its time."""
    measures = result.comparison.measures
    rows = [
        (
            name,
            stage.name,
            *(f"{stage.scores.mean(measure):.4f}" for measure in measures),
            f"{len(stage.ranking.docs) / max(len(stage.ranking.queries), 1):.0f}",
            f"{stage.milliseconds_a_query:.1f}",
        )
        for name, stages in result.stages.items()
        for stage in stages
    ]
    columns = ("pipeline", "stage", *(f">{measure}" for measure in measures), ">docs", ">ms/query")
    return Table(f"{result.name}: stage by stage", columns, tuple(rows))


def html(name: str, results: Sequence[SetResult], facts: Mapping[str, str]) -> str:
    """One page that needs nothing else."""
    sections = []
    for each in results:
        found = each.comparison
        parts = [means_table(found, each.times()).html()]
        if len(each.stages) > 1:
            parts.append(latency_plot(found, each.times()))
        parts.append(stages_table(each).html())
        if found.pairs:
            parts.append(tests_table(found).html())
        leading = [pair for pair in found.pairs if pair.measure == found.measures[0]]
        for pair in leading:
            parts.append(f"<h3>{escape(pair.run)} against {escape(pair.against)}</h3>")
            parts.append(difference_plot(found, pair))
        sections.append((each.name, "".join(parts)))
    note = ", ".join(f"{key} {value}" for key, value in facts.items())
    return page(name, note, sections)
