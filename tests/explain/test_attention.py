"""Attention is read off the graph as it runs, by tokens of either side; pages hold all of it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from crossrank.explain.attention import SPECIAL, Attention
from crossrank.explain.explanation import Explanation, explain
from crossrank.explain.page import page
from crossrank.explain.reading import read_attention
from crossrank.models import CrossEncoder
from crossrank.models.wire import is_output_of_a_node, with_outputs
from crossrank.pipelines.hits import Place
from crossrank.types import Scale
from explain.tiny import HEADS, LAYERS, tiny_gated, tiny_model

QUERY, DOCUMENT = "Kühlschrank ohne Gefrierfach", "Labor Fridge, 280 Liter <leise> ohne Gefrierfach"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def attention(folder: Path) -> Attention:
    return read_attention(folder, QUERY, DOCUMENT)


def test_rows_of_every_head_sum_to_one(attention: Attention) -> None:
    count = len(attention.tokens)
    assert attention.weights.shape == (LAYERS, HEADS, count, count)
    np.testing.assert_allclose(attention.weights.sum(axis=-1), 1, atol=1e-5)


def test_tokens_lie_where_they_say(attention: Attention) -> None:
    for token in attention.tokens:
        text = {0: QUERY, 1: DOCUMENT, SPECIAL: token.piece}[token.side]
        if token.side != SPECIAL:
            assert text[token.start : token.end] == token.piece
    assert [t.piece for t in attention.tokens if t.side == SPECIAL] == ["[CLS]", "[SEP]", "[SEP]"]
    assert [t.piece for t in attention.tokens if t.side == 0] == QUERY.split()


def test_between_is_the_mean_of_both_ways(attention: Attention) -> None:
    found = attention.between()
    q, d = attention.places(0), attention.places(1)
    assert found.shape == (LAYERS, HEADS, len(q), len(d))
    weights = attention.weights[1, 0]
    assert found[1, 0, 2, 3] == pytest.approx((weights[q[2], d[3]] + weights[d[3], q[2]]) / 2)
    best = attention.meetings(3)
    assert [each.weight for each in best] == sorted((each.weight for each in best), reverse=True)
    assert best[0].weight == pytest.approx(float(attention.averaged().max()))
    assert attention.tokens[best[0].query].side == 0
    assert attention.tokens[best[0].document].side == 1


def test_a_document_too_long_is_explained_as_far_as_it_was_read(folder: Path) -> None:
    found = read_attention(folder, QUERY, "leise " * 100)
    assert len(found.tokens) == 24
    assert len(found.places(1)) == 24 - 3 - 3


def test_another_graph_gets_its_outputs_from_the_package_onnx(folder: Path, tmp_path: Path) -> None:
    other = tiny_model(tmp_path / "renamed")
    model = onnx.load(str(other / "model.onnx"))
    for node in model.graph.node:
        for names in (node.input, node.output):
            names[:] = [re.sub(r"^layer\.(\d)\.attention$", r"probs_\1", each) for each in names]
    onnx.save(model, str(other / "model.onnx"))
    assert not is_output_of_a_node((other / "model.onnx").read_bytes(), "layer.0.attention")
    found, wanted = read_attention(other, QUERY, DOCUMENT), read_attention(folder, QUERY, DOCUMENT)
    np.testing.assert_allclose(found.weights, wanted.weights, atol=1e-6)


def test_bytes_put_behind_a_model_are_further_outputs(folder: Path) -> None:
    content = (folder / "model.onnx").read_bytes()
    made = onnx.load_from_string(with_outputs(content, ["layer.0.attention", "layer.1.scaled"]))
    onnx.checker.check_model(made)
    assert [each.name for each in made.graph.output] == [
        "logits",
        "layer.0.attention",
        "layer.1.scaled",
    ]
    session = ort.InferenceSession(made.SerializeToString())
    assert len(session.get_outputs()) == 3


def test_a_model_that_compares_tokens_tells_which_matched(tmp_path: Path) -> None:
    gated = tiny_gated(tmp_path / "gated")
    found = read_attention(gated, QUERY, DOCUMENT)
    assert set(found.cosines) == {"between the texts alone", "in the last layer"}
    for view, cosines in found.cosines.items():
        np.testing.assert_allclose(np.diagonal(cosines), 1, atol=1e-5)
        matches = found.matches(view)
        assert [each.query for each in matches] == found.places(0).tolist()
        rows = cosines[np.ix_(found.places(0), found.places(1))]
        assert [each.cosine for each in matches] == rows.max(axis=1).tolist()
    assert not found.between()[0].any()  # below the split nothing looks across
    assert found.between()[1].all()
    explained = explain(CrossEncoder(gated), QUERY, DOCUMENT, attention=found)
    assert "Best match of every query token" in page(explained)
    assert len(explained.as_dict()["matches"]["in the last layer"]) == len(found.places(0))


class _Checked(HTMLParser):
    """Counts tags, notes what would be fetched, and keeps the text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def found(folder: Path, attention: Attention) -> Explanation:
    path = (Place("bm25", 7, 3.25, Scale.BM25), Place("cross-encoder", 1, 2.5, Scale.LOGIT))
    return explain(
        CrossEncoder(folder), QUERY, DOCUMENT, model="tiny", attention=attention, path=path
    )


def test_the_page_is_one_file_that_fetches_nothing(found: Explanation) -> None:
    html = page(found)
    read = _Checked()
    read.feed(html)
    assert read.open == []
    assert read.links == []
    assert "http" not in html
    assert "@import" not in html
    assert "prefers-color-scheme: dark" in html
    q, d = (len(found.attention.places(side)) for side in (0, 1))  # type: ignore[union-attr]
    heat = html[html.index('<table class="heat">') : html.index("</tbody>")]
    assert heat.count("<td") == q * d
    assert "<leise>" not in html
    assert "<leise>" in read.text
    assert "Path through the stages" in read.text


def test_a_page_without_attention_or_path_has_neither(folder: Path) -> None:
    html = page(explain(CrossEncoder(folder), QUERY, DOCUMENT, quick=True))
    assert "<script" not in html
    assert "Path through" not in html
    assert "occlusion" in html


def test_an_explanation_is_json(found: Explanation) -> None:
    kept = found.as_dict()
    assert kept["stages"][0] == {"stage": "bm25", "rank": 7, "score": 3.25, "scale": "bm25"}
    assert len(kept["meetings"]) == 20
    assert kept["document_parts"]["baseline"] + sum(
        part["value"] for part in kept["document_parts"]["parts"]
    ) == pytest.approx(kept["score"], abs=1e-4)
