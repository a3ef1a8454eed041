"""The recipes run from their folder; none of them is part of the package."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

RECIPES = Path(__file__).parents[1] / "recipes"


def test_every_recipe_imports() -> None:
    names = sorted(path.stem for path in RECIPES.glob("*.py"))
    assert names
    program = "\n".join(f"import {name}" for name in names)
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=RECIPES,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr


def test_the_list_of_steps_names_every_recipe_that_is_run() -> None:
    steps = (RECIPES / "README.md").read_text(encoding="utf-8")
    run = [
        path.name
        for path in RECIPES.glob("*.py")
        if '__name__ == "__main__"' in path.read_text(encoding="utf-8")
    ]
    assert [name for name in run if name not in steps] == []
