"""One table from error to exit code and HTTP status, and the error for a missing extra."""

from __future__ import annotations

import pytest

from crossrank import errors, extras


def test_every_error_has_a_status_of_its_own() -> None:
    classes = {
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, errors.Error)
    }
    assert classes == set(errors.STATUS)
    codes = [code for code, _ in errors.STATUS.values()]
    assert len(set(codes)) == len(codes)
    assert 0 not in codes


def test_a_subclass_takes_the_status_of_its_nearest_parent() -> None:
    class Special(errors.NotFound):
        pass

    assert errors.exit_code(Special("x")) == errors.exit_code(errors.NotFound("x"))
    assert errors.http_status(Special("x")) == 404


def test_a_missing_extra_names_the_pip_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(extras.EXTRAS, "train", "training")
    with pytest.raises(ImportError, match=r"pip install 'crossrank\[train\]'"):
        extras.require("module_that_is_not_there", extra="train")


def test_a_broken_dependency_is_not_called_missing(
    tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "halfbroken.py").write_text("import module_that_is_not_there\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModuleNotFoundError, match="module_that_is_not_there") as caught:
        extras.require("halfbroken", extra="train")
    assert not isinstance(caught.value, errors.MissingExtra)
