"""A fusion as a file: it survives writing and reading, and `crossrank fuse` applies it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from crossrank.cli.app import app
from crossrank.errors import BadInput
from crossrank.fuse import Combination
from crossrank.fuse.setting import Setting, setting_from
from crossrank.io.trec import read_run

sums = st.builds(
    Combination,
    st.sampled_from(["sum", "mnz"]),
    st.sampled_from([(), (0.25, 0.75)]),
    st.sampled_from(["auto", "z-score", ("min-max", "none")]),
    st.sampled_from(["auto", "min"]),
)
ranks = st.builds(Combination, st.just("rrf"), st.just((1.0, 2.0)), k=st.floats(0, 100))


@given(how=st.one_of(sums, ranks), depth=st.integers(0, 50))
def test_json_and_back(how: Combination, depth: int) -> None:
    setting = Setting(how, depth)
    assert setting_from(json.loads(json.dumps(setting.as_dict()))) == setting


@pytest.mark.parametrize(
    "broken", [{}, {"format": "other"}, {"format": "crossrank-fusion-1"}, [],
               Setting().as_dict() | {"weights": 3}, Setting().as_dict() | {"method": "best"}]
)  # fmt: skip
def test_other_files_are_refused(broken: object) -> None:
    with pytest.raises(BadInput, match=r"fusion|method"):
        setting_from(broken)  # type: ignore[arg-type]


def test_it_says_what_it_does() -> None:
    assert str(Setting()) == "rrf, weights equal, k 60"
    how = Combination("sum", (0.5, 0.5), ("z-score", "none"), "zero")
    assert str(Setting(how, 20)) == "sum, weights 0.5:0.5, z-score/none, missing zero, depth 20"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.trec").write_text("q Q0 x 1 9 a\nq Q0 y 2 5 a\nq Q0 z 3 1 a\n")
    with gzip.open(tmp_path / "b.trec.gz", "wt") as out:
        out.write("q Q0 z 1 0.9 b\nq Q0 y 2 0.8 b\np Q0 x 1 0.1 b\n")
    return tmp_path


def run(folder: Path, *options: str) -> Result:
    files = [str(folder / "a.trec"), str(folder / "b.trec.gz"), "-o", str(folder / "out.trec.gz")]
    return CliRunner().invoke(app, ["fuse", *files, *options])


def test_the_command_writes_a_run_that_is_read_again(folder: Path) -> None:
    done = run(folder, "--method", "sum", "--weights", "1,2", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["weights"] == [1.0, 2.0]
    fused = read_run(folder / "out.trec.gz")
    assert fused.queries.ids == ("q", "p")
    assert fused.corpus.ids(fused.query(0)[0]) == ["z", "x", "y"]
    assert fused.query(0)[1].tolist() == pytest.approx([2.0, 1.0, 0.5])


def test_the_command_takes_a_tuned_fusion_and_a_cut(folder: Path) -> None:
    how = folder / "how.json"
    how.write_text(json.dumps(Setting(Combination(weights=(0.0, 1.0)), 1).as_dict()))
    assert run(folder, "--how", str(how), "--top", "1").exit_code == 0
    fused = read_run(folder / "out.trec.gz")
    assert fused.corpus.ids(fused.query(0)[0]) == ["z"]


def test_the_command_tells_mistakes(folder: Path) -> None:
    assert "weights like 0.3,0.7" in str(run(folder, "--weights", "a,b").exception)
    assert "one weight for each of 2" in str(run(folder, "--weights", "1,2,3").exception)
    (folder / "how.json").write_text("{")
    assert "how.json" in str(run(folder, "--how", str(folder / "how.json")).exception)
    lone = CliRunner().invoke(app, ["fuse", str(folder / "a.trec"), "-o", "x"])
    assert "two or more runs" in str(lone.exception)
