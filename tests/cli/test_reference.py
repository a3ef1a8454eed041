"""The page of the command line is what the commands say of themselves."""

from __future__ import annotations

from pathlib import Path

from crossrank.cli.app import app
from crossrank.cli.reference import render

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(app), "run `make docs`"
