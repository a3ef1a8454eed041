"""Many threads, one model: loaded once, the same numbers for all, and a fork that works."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from crossrank import BiEncoder, CrossEncoder
from crossrank.models import loaded, workers
from tiny_models import save_bi, save_cross

LETTERS = "abcdefgh 0123"


def pairs(seed: int, count: int = 60) -> list[tuple[str, str]]:
    rng = np.random.default_rng(seed)

    def text(most: int) -> str:
        return "".join(rng.choice(list(LETTERS), rng.integers(0, most)))

    return [(text(9), text(70)) for _ in range(count)]


def in_threads(works: list[Callable[[], object]]) -> list[object]:
    """The result of each, all running at once."""
    found: list[object] = [None] * len(works)
    start = threading.Barrier(len(works))

    def run(at: int) -> None:
        start.wait()
        found[at] = works[at]()

    threads = [threading.Thread(target=run, args=(at,)) for at in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_sixteen_threads_give_the_results_of_one(tmp_path: Path) -> None:
    model = CrossEncoder(save_cross(tmp_path / "tiny"), long="window")
    jobs = [pairs(seed) for seed in range(16)]
    wanted = [model.score(job) for job in jobs]
    for _ in range(3):
        found = in_threads([lambda job=job: model.score(job) for job in jobs])
        for mine, alone in zip(found, wanted, strict=True):
            np.testing.assert_array_equal(mine, alone)


def test_sixteen_threads_encode_as_one(tmp_path: Path) -> None:
    model = BiEncoder(save_bi(tmp_path / "tiny"))
    jobs = [[document for _, document in pairs(seed)] for seed in range(16)]
    wanted = [model.encode(job) for job in jobs]
    found = in_threads([lambda job=job: model.encode(job) for job in jobs])
    for mine, alone in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(mine, alone)


def test_a_directory_is_loaded_once_even_by_many_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = save_cross(tmp_path / "tiny")
    count = 0
    load = loaded._load

    def counted(*given: object) -> loaded.Loaded:
        nonlocal count
        count += 1
        return load(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(loaded, "_load", counted)
    in_threads([lambda: CrossEncoder(folder)] * 8)
    CrossEncoder(str(folder), max_length=20)
    assert count == 1
    os.utime(folder / "model.onnx", (1, 1))
    CrossEncoder(folder)
    assert count == 2
    settings = folder / "crossrank.json"
    settings.write_text(settings.read_text().replace("48", "40"))
    assert CrossEncoder(folder).max_length == 40


def test_work_is_spread_and_an_error_comes_back() -> None:
    seen: set[str] = set()
    both = threading.Barrier(2)

    def meet(part: int) -> None:
        if workers.cores() > 1:
            both.wait(30)
        seen.add(threading.current_thread().name)

    workers.run_each(meet, [1, 2])
    assert all(name.startswith("crossrank") for name in seen)
    assert len(seen) == min(workers.cores(), 2)

    def fail(part: int) -> None:
        raise ValueError(part)

    with pytest.raises(ValueError, match="1"):
        workers.run_each(fail, [1, 2, 3])


def test_no_more_cores_than_the_process_may_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda who: set(range(12)))
    quota = tmp_path / "cpu.max"
    monkeypatch.setattr(workers, "_QUOTA", quota)
    assert workers.cores() == 12
    for line, wanted in (("max 100000", 12), ("350000 100000", 4), ("10000 100000", 1)):
        quota.write_text(line)
        assert workers.cores() == wanted


def test_a_forked_child_scores_as_its_parent(tmp_path: Path) -> None:
    folder = save_cross(tmp_path / "tiny")
    code = f"""
        import os, sys
        from crossrank import CrossEncoder
        os.environ["TOKENIZERS_PARALLELISM"] = "false"
        model = CrossEncoder({str(folder)!r})
        job = [("ab", "c" * (i % 40)) for i in range(200)]
        wanted = model.score(job).tolist()
        child = os.fork()
        if not child:
            os._exit(0 if model.score(job).tolist() == wanted else 1)
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)], timeout=120, check=False
    )
    assert done.returncode == 0
