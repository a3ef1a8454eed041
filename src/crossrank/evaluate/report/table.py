"""One table, written as Markdown, LaTeX or HTML. A column whose name starts with `>` is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True, slots=True)
class Table:
    """A title, column names and rows of text cells, `best` cells (row, column) in bold."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    best: frozenset[tuple[int, int]] = frozenset()

    def markdown(self) -> str:
        """A GitHub table under its title."""
        names = [_markdown(name.removeprefix(">")) for name in self.columns]
        marks = ["---:" if name.startswith(">") else "---" for name in self.columns]
        rows = [
            [f"**{_markdown(cell)}**" if (i, j) in self.best else _markdown(cell)
             for j, cell in enumerate(row)]
            for i, row in enumerate(self.rows)
        ]  # fmt: skip
        lines = ["| " + " | ".join(cells) + " |" for cells in (names, marks, *rows)]
        return "\n".join([f"**{_markdown(self.title)}**", "", *lines, ""])

    def latex(self) -> str:
        """A booktabs table that stands by itself."""
        sides = "".join("r" if name.startswith(">") else "l" for name in self.columns)
        names = " & ".join(_latex(name.removeprefix(">")) for name in self.columns)
        rows = [
            " & ".join(
                rf"\textbf{{{_latex(cell)}}}" if (i, j) in self.best else _latex(cell)
                for j, cell in enumerate(row)
            )
            + r" \\"
            for i, row in enumerate(self.rows)
        ]
        return "\n".join(
            [
                r"\begin{table}",
                r"  \centering",
                rf"  \caption{{{_latex(self.title)}}}",
                rf"  \begin{{tabular}}{{{sides}}}",
                r"    \toprule",
                rf"    {names} \\",
                r"    \midrule",
                *(f"    {row}" for row in rows),
                r"    \bottomrule",
                r"  \end{tabular}",
                r"\end{table}",
                "",
            ]
        )

    def html(self) -> str:
        """A `table` element with its title as caption."""
        head = "".join(_cell("th", name.removeprefix(">"), name, False) for name in self.columns)
        body = "".join(
            "<tr>"
            + "".join(
                _cell("td", cell, self.columns[j], (i, j) in self.best)
                for j, cell in enumerate(row)
            )
            + "</tr>"
            for i, row in enumerate(self.rows)
        )
        return (
            f'<div class="wide"><table><caption>{escape(self.title)}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        )


def best_of(values: Sequence[Sequence[float]], first: int = 1) -> frozenset[tuple[int, int]]:
    """The cells with the highest value of each column; `first` is the column they start at."""
    columns = list(zip(*values, strict=True))
    return frozenset(
        (row, first + number)
        for number, column in enumerate(columns)
        for row, value in enumerate(column)
        if value == max(column)
    )


def _cell(tag: str, text: str, column: str, bold: bool) -> str:
    kinds = [*(["number"] if column.startswith(">") else []), *(["best"] if bold else [])]
    attribute = f' class="{" ".join(kinds)}"' if kinds else ""
    return f"<{tag}{attribute}>{escape(text)}</{tag}>"


def _markdown(text: str) -> str:
    for mark in ("\\", "|", "*", "_", "`", "<"):
        text = text.replace(mark, f"\\{mark}")
    return text


def _latex(text: str) -> str:
    marks = {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "−": "$-$",
        "±": r"$\pm$",
        "<": "$<$",
        ">": "$>$",
        "…": r"\dots{}",
    }
    marks |= {mark: f"\\{mark}" for mark in "&%$#_{}"}
    return "".join(marks.get(letter, letter) for letter in text)
