"""A model whose graph borrows weights of another: the same scores, or a clear refusal."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest

from crossrank.errors import ModelError
from crossrank.models import CrossEncoder
from crossrank.models.bundled import ENVIRONMENT
from crossrank.models.files import read_files
from crossrank.models.wire import lacking, with_weights
from crossrank.train.borrow import without_borrowed
from tiny_models import save_bi, save_cross

PAIRS = [("abc", "abcd"), ("def", "a b c")]


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    return save_cross(tmp_path / "whole")


@pytest.fixture
def lean(tmp_path: Path, whole: Path) -> Path:
    """The same cross-encoder, without what the bi-encoder `lender` beside it has."""
    lender = save_bi(tmp_path / "lender") / "model.onnx"
    folder = tmp_path / "lean"
    shutil.copytree(whole, folder)
    made = without_borrowed(onnx.load(whole / "model.onnx"), onnx.load(lender))
    onnx.save(made, folder / "model.onnx")
    tell(folder, model="lender", sha256=digest(lender))
    return folder


def digest(graph: Path) -> str:
    return hashlib.sha256(graph.read_bytes()).hexdigest()


def tell(folder: Path, **borrows: str) -> None:
    file = folder / "crossrank.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "borrows": borrows}))


def test_scores_are_those_of_the_whole_model(whole: Path, lean: Path) -> None:
    sizes = [(folder / "model.onnx").stat().st_size for folder in (whole, lean)]
    assert sizes[1] < 0.8 * sizes[0]
    np.testing.assert_array_equal(CrossEncoder(lean).score(PAIRS), CrossEncoder(whole).score(PAIRS))


def test_a_copy_elsewhere_borrows_of_the_bundled_model(
    lean: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = CrossEncoder(lean).score(PAIRS)
    copy = tmp_path / "elsewhere" / "copy"
    shutil.copytree(lean, copy)
    with pytest.raises(ModelError, match="the bundled model lender, which is not there"):
        CrossEncoder(copy)
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path))
    np.testing.assert_array_equal(CrossEncoder(copy).score(PAIRS), expected)


def test_another_lender_is_refused(lean: Path, tmp_path: Path) -> None:
    (tmp_path / "lender" / "model.onnx").write_bytes((lean / "model.onnx").read_bytes())
    with pytest.raises(ModelError, match="take both models from the same release"):
        CrossEncoder(lean)


def test_a_lender_without_the_weights_is_refused(lean: Path, tmp_path: Path) -> None:
    graph = tmp_path / "lender" / "model.onnx"
    onnx.save(without_borrowed(onnx.load(graph), onnx.load(graph)), graph)
    tell(lean, model="lender", sha256=digest(graph))
    with pytest.raises(ModelError, match=r"lacks weights .* does not have: layer\.0"):
        CrossEncoder(lean)


def test_a_lender_may_borrow_itself(whole: Path, lean: Path, tmp_path: Path) -> None:
    third = tmp_path / "third"
    shutil.copytree(lean, third)
    model = onnx.load(lean / "model.onnx")
    onnx.save(without_borrowed(model, model), third / "model.onnx")
    tell(third, model="lean", sha256=digest(lean / "model.onnx"))
    np.testing.assert_array_equal(
        CrossEncoder(third).score(PAIRS), CrossEncoder(whole).score(PAIRS)
    )
    tell(lean, model="third", sha256="")
    with pytest.raises(ModelError, match="in the end its own weights"):
        read_files(third)


def test_a_model_is_told_apart_by_what_it_borrows(lean: Path, tmp_path: Path) -> None:
    before = CrossEncoder(lean).name
    graph = tmp_path / "lender" / "model.onnx"
    lender = onnx.load(graph)
    lender.doc_string = "another"
    onnx.save(lender, graph)
    tell(lean, model="lender", sha256=digest(graph))
    assert CrossEncoder(lean).name != before


def test_the_lender_is_a_name_and_no_path(lean: Path) -> None:
    tell(lean, model="../lender", sha256="")
    with pytest.raises(ModelError, match="the name of a model wanted"):
        read_files(lean)


def test_a_graph_that_is_none_is_refused(lean: Path) -> None:
    (lean / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(ModelError, match="an ONNX graph wanted"):
        CrossEncoder(lean)


def test_weights_are_added_as_bytes(whole: Path, lean: Path, tmp_path: Path) -> None:
    content, lender = (
        (folder / "model.onnx").read_bytes() for folder in (lean, tmp_path / "lender")
    )
    assert not lacking((whole / "model.onnx").read_bytes())
    assert "layer.0.qkv.weight" in lacking(content)
    made = onnx.load_from_string(with_weights(content, lender))
    onnx.checker.check_model(made)
    names = [each.name for each in made.graph.initializer]
    assert len(names) == len(set(names))
