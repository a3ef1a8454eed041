"""`crossrank compare` as a person runs it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from crossrank.cli.app import app
from crossrank.errors import BadInput

RUN = "".join(
    f"q{q} Q0 d{d} {d + 1} {9 - d if d != q else bonus} {{tag}}\n"
    for q, bonus in ((0, 1), (1, 12), (2, 13))
    for d in range(3)
)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    flat = "".join(f"q{q} Q0 d{d} {d + 1} {9 - d} a\n" for q in range(3) for d in range(3))
    (tmp_path / "flat.trec").write_text(flat)
    with gzip.open(tmp_path / "tuned.run.gz", "wt") as out:
        out.write(RUN.format(tag="b"))
    (tmp_path / "qrels.tsv").write_text(
        "query-id\tcorpus-id\tscore\nq0\td0\t1\nq1\td1\t1\nq2\td2\t1\n"
    )
    (tmp_path / "queries.tsv").write_text("q0\tKühlschrank\nq1\tGefrierschrank\nq2\tHerd\n")
    (tmp_path / "times.json").write_text('{"flat": 1.5, "tuned": 20}')
    return tmp_path


def compare(files: Path, *options: str) -> Result:
    runs = [str(files / "flat.trec"), str(files / "tuned.run.gz")]
    arguments = ["compare", *runs, "--qrels", str(files / "qrels.tsv"), "--samples", "500"]
    return CliRunner().invoke(app, [*arguments, *options], catch_exceptions=True)


def test_json_has_means_tests_and_moved_queries(files: Path) -> None:
    done = compare(
        files, "--json", "--measures", "RR nDCG@10", "--times", str(files / "times.json")
    )
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["runs"]["flat"]["RR"]["mean"] == pytest.approx((1 + 1 / 2 + 1 / 3) / 3)
    pair = found["pairs"][0]
    assert (pair["run"], pair["wins"], pair["losses"]) == ("tuned", 2, 1)
    assert pair["moved"][0] == {"query": "q0", "before": 1.0, "after": pytest.approx(1 / 3)}
    assert found["times"] == {"flat": 1.5, "tuned": 20.0}


def test_a_terminal_shows_what_was_asked(files: Path) -> None:
    done = compare(files, "--queries", str(files / "queries.tsv"))
    assert "Gefrierschrank" in done.stdout
    assert "tuned" in done.stdout


@pytest.mark.parametrize(("form", "mark"), [("--markdown", "| ---: |"), ("--latex", "\\toprule")])
def test_markdown_and_latex(files: Path, form: str, mark: str) -> None:
    assert mark in compare(files, form).stdout


def test_the_html_report_has_both_plots(files: Path) -> None:
    report = files / "out" / "report.html"
    done = compare(files, "--html", str(report), "--times", str(files / "times.json"))
    assert done.exit_code == 0, done.output
    text = report.read_text(encoding="utf-8")
    assert text.count("<svg") == 2
    assert "milliseconds a query" in text
    assert "tuned against flat" in text


def test_mistakes_are_told(files: Path) -> None:
    done = compare(files, "--json", "--latex")
    assert isinstance(done.exception, BadInput)
    (files / "times.json").write_text('{"else": 3}')
    done = compare(files, "--times", str(files / "times.json"))
    assert "times of flat, tuned wanted" in str(done.exception)
