"""The README's examples run as they stand, in order, in one fresh directory.

A code block is skipped only if the line above it says `<!-- not run: reason -->`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
BLOCK = re.compile(
    r"(?P<skip><!-- not run: [^\n]+ -->\n)?"
    r"```(?P<language>bash|python|toml)(?P<file> \S+)?\n(?P<code>.*?)```",
    re.DOTALL,
)


def _blocks() -> list[re.Match[str]]:
    return list(BLOCK.finditer(README.read_text(encoding="utf-8")))


def test_readme_is_short() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) < 220


def test_every_relative_link_leads_somewhere() -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", README.read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_examples_run_in_order(tmp_path: Path) -> None:
    run = [block for block in _blocks() if not block["skip"]]
    languages = {block["language"] for block in run}
    assert {"bash", "python"} <= languages
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "COLUMNS": "120"}
    for block in run:
        if block["language"] == "toml":
            assert block["file"], "a toml block names its file: ```toml shop.toml"
            (tmp_path / block["file"].strip()).write_text(block["code"], encoding="utf-8")
            continue
        shell = ["bash", "-euo", "pipefail", "-c"]
        start = shell if block["language"] == "bash" else [sys.executable, "-W", "error", "-c"]
        done = subprocess.run(
            [*start, block["code"]],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if done.returncode:
            pytest.fail(f"{block['code']}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
