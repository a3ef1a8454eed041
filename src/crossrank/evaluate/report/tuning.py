"""What tuning found, as tables and as an HTML page."""

from __future__ import annotations

from dataclasses import replace

from crossrank.evaluate.learn import Learned
from crossrank.evaluate.report.comparison import difference_plot, means_table, tests_table
from crossrank.evaluate.report.page import page
from crossrank.evaluate.report.svg import ranked_bars
from crossrank.evaluate.report.table import Table
from crossrank.evaluate.tune import Tuned


def tables(tuned: Tuned, learned: Learned | None, *, intervals: bool = True) -> list[Table]:
    """The folds, the held-out means, and the tests against each single ranking."""
    held = learned.held_out if learned else tuned.held_out
    compared = [tuned.held_out, *([learned.held_out] if learned else [])]
    tests = [tests_table(each, intervals=intervals) for each in compared]
    title = f"Means on held-out folds, {len(held.queries)} queries"
    return [folds_table(tuned), replace(means_table(held, {}), title=title), *tests]


def folds_table(tuned: Tuned) -> Table:
    """What each fold chose on the others, and reached there and on its own queries."""
    measure = tuned.held_out.measures[0]
    rows = [
        (str(number), str(fold.setting), f"{fold.fitted:.4f}", f"{fold.held_out:.4f}",
         str(fold.queries))
        for number, fold in enumerate(tuned.folds, 1)
    ]  # fmt: skip
    every = sum(fold.queries for fold in tuned.folds)
    rows.append(("all", str(tuned.setting), f"{tuned.fitted:.4f}", "", str(every)))
    return Table(
        f"{measure} of the fusion chosen, {tuned.tried} settings tried",
        ("fold", "chosen on the other folds", ">there", ">held out", ">queries"),
        tuple(rows),
    )


def importance_plot(learned: Learned, most: int = 20) -> str:
    """The features that lowered the loss most."""
    shares = learned.model.importance()[:most]
    return ranked_bars(shares, "share of the gain of all splits", "What the trees look at")


def html(tuned: Tuned, learned: Learned | None, title: str) -> str:
    """One page that needs nothing else."""
    folds, means, *tests = tables(tuned, learned)
    sections = [
        ("Held-out quality", means.html()),
        ("What was chosen", folds.html()),
        ("Tests", "".join(each.html() for each in tests)),
    ]
    if learned:
        sections.append(("Learned fusion", importance_plot(learned)))
    best = next(p for p in tuned.held_out.pairs if p.against == tuned.best_single)
    shown = [(tuned.held_out, best)]
    shown += [(learned.held_out, learned.held_out.pairs[0])] if learned else []
    for found, pair in shown:
        sections.append((f"{pair.run} against {pair.against}", difference_plot(found, pair)))
    note = (
        f"Chosen: {tuned.setting}. Figures are means over {len(tuned.folds)} folds, each query "
        "measured by a setting that was chosen without it."
    )
    return page(title, note, sections)
