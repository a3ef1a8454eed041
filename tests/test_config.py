"""The cache lies where the environment says."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossrank.config import cache_dir


def test_the_cache_lies_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/anna")
    monkeypatch.delenv("CROSSRANK_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache_dir() == Path("/home/anna/.cache/crossrank")
    monkeypatch.setenv("XDG_CACHE_HOME", "/scratch")
    assert cache_dir() == Path("/scratch/crossrank")
    monkeypatch.setenv("CROSSRANK_CACHE", "/models")
    assert cache_dir() == Path("/models")
