"""The view of rare pieces: hand values, the graph against torch, the view put into a graph."""

from __future__ import annotations

import math

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers

from crossrank.errors import BadInput
from crossrank.train.gated import CENTRE, Encoder, Gated, Shape, rare_match
from crossrank.train.gated_graph import encoder_graph, gated_graph
from crossrank.train.lexical import (
    Frequencies,
    piece_frequencies,
    rarity,
    view_table,
    with_rare_view,
)

SHAPE = Shape(words=50, hidden=32, layers=4, heads=4, inner=64, positions=64, split=2)
OPENING = 2  # `<s>` and a prompt of one piece
TABLE = np.linspace(0, 8, SHAPE.words, dtype=np.float32).astype(np.float16).astype(np.float32)
TABLE[[0, 2]] = 0.0
WEIGHTS = np.array([6.5, 0.5, 2.0, 3.0], np.float32)
PAIRS = [
    ([0, 40, 5, 6, 2], [0, 41, 11, 12, 13, 2]),
    ([0, 40, 7, 8, 9, 10, 2], [0, 41, 5, 2]),
    ([0, 40, 2], [0, 41, 20, 21, 22, 23, 24, 25, 26, 2]),  # a query without a piece of its own
]


@pytest.fixture(scope="module")
def parts() -> tuple[Encoder, Gated]:
    torch.manual_seed(5)
    encoder = Encoder(SHAPE).eval()
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
        gated = Gated(encoder).eval()
        for parameter in (gated.gates, gated.head.weight, gated.weigh.weight):
            parameter.add_(torch.randn_like(parameter))
    gated.views = torch.nn.Parameter(torch.from_numpy(WEIGHTS))
    return encoder, gated


def graph_of(parts: tuple[Encoder, Gated], four: bool) -> onnx.ModelProto:
    encoder, gated = parts
    found = {name: value.numpy() for name, value in encoder.state_dict().items()}
    found |= {k: v.numpy() for k, v in gated.state_dict().items() if not k.startswith("layers.")}
    if four:
        found["rarity"] = TABLE
    else:
        found["views"] = np.array([50, 4, 30], np.float32)
    return gated_graph(found, SHAPE.split, SHAPE.heads, SHAPE.eps, None, OPENING)


def logits(model: onnx.ModelProto) -> np.ndarray:
    width = max(len(q) + len(d) for q, d in PAIRS)
    ids, mask, kinds = (np.zeros((len(PAIRS), width), np.int64) for _ in range(3))
    for row, (q, d) in enumerate(PAIRS):
        end = len(q) + len(d)
        ids[row, :end], mask[row, :end], kinds[row, len(q) : end] = [*q, *d], 1, 1
    feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": kinds}
    out: np.ndarray = ort.InferenceSession(model.SerializeToString()).run(["logits"], feed)[0]
    return out[:, 0]


def by_torch(encoder: Encoder, gated: Gated, query: list[int], document: list[int]) -> float:
    ids = [torch.tensor([query]), torch.tensor([document])]
    state = torch.cat([encoder.lower(each, torch.ones_like(each)) for each in ids], 1)
    kinds = torch.cat([torch.zeros_like(ids[0]), torch.ones_like(ids[1])], 1)
    weights = torch.zeros(kinds.shape)
    own = query[OPENING:]
    weights[0, OPENING : len(query)] = torch.from_numpy(TABLE[own])
    return float(gated(state, torch.ones_like(kinds), kinds, weights))


def test_the_rare_match_is_a_weighted_mean() -> None:
    best, weights = torch.tensor([[1.0, 0.5, 0.8]]), torch.tensor([[3.0, 1.0, 0.0]])
    assert float(rare_match(best, weights)) == pytest.approx(3.5 / 4)
    assert float(rare_match(best, torch.zeros(1, 3))) == pytest.approx(CENTRE)


def test_rarity_is_that_of_the_language_where_the_piece_is_most_common() -> None:
    english = Frequencies(np.array([0, 9, 0, 4]), 9)
    german = Frequencies(np.array([0, 1, 0, 19]), 19)
    found = rarity([english, german], specials=[0])
    assert found[0] == 0.0
    assert found[1] == pytest.approx(-math.log(9.5 / 10))
    assert found[2] == pytest.approx(-math.log(0.5 / 10))
    assert found[3] == pytest.approx(-math.log(19.5 / 20))
    with pytest.raises(BadInput, match="one language"):
        rarity([], [])


def test_a_piece_counts_once_a_text() -> None:
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "a": 1, "b": 2}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    found = piece_frequencies(tokenizer, ["a a b", "a", "c"])
    assert found.counts.tolist() == [1, 2, 1]
    assert found.documents == 3


def test_the_graph_with_four_views_gives_the_logits_of_torch(
    parts: tuple[Encoder, Gated],
) -> None:
    with torch.no_grad():
        expected = [by_torch(*parts, q, d) for q, d in PAIRS]
    np.testing.assert_allclose(logits(graph_of(parts, True)), expected, atol=1e-4)


def test_the_view_put_into_a_graph_is_the_one_written_with_it(
    parts: tuple[Encoder, Gated],
) -> None:
    three, four = graph_of(parts, False), graph_of(parts, True)
    made = with_rare_view(three, TABLE, WEIGHTS, OPENING)
    np.testing.assert_allclose(logits(made), logits(four), atol=1e-6)
    again = with_rare_view(made, TABLE, WEIGHTS, OPENING)
    assert again.SerializeToString() == made.SerializeToString()
    np.testing.assert_array_equal(view_table(made), TABLE)
    before = {each.name: each.raw_data for each in three.graph.initializer}
    after = {each.name: each.raw_data for each in made.graph.initializer}
    assert [k for k in before if before[k] != after.get(k)] == ["views.weight"]


def test_a_rarer_piece_counts_more(parts: tuple[Encoder, Gated]) -> None:
    made = graph_of(parts, False)
    flat = with_rare_view(made, np.full(SHAPE.words, 2.0, np.float32), WEIGHTS, OPENING)
    peak = np.full(SHAPE.words, 2.0, np.float32)
    peak[10] = 100.0
    moved = logits(with_rare_view(made, peak, WEIGHTS, OPENING)) - logits(flat)
    assert moved[1] != 0.0  # the only query with piece 10
    assert moved[[0, 2]].tolist() == [0.0, 0.0]


def test_what_has_no_views_is_refused(parts: tuple[Encoder, Gated]) -> None:
    encoder, _ = parts
    tensors = {name: value.numpy() for name, value in encoder.state_dict().items()}
    plain = encoder_graph(tensors, SHAPE.heads, SHAPE.eps, None)
    with pytest.raises(BadInput, match="gated cross-encoder"):
        with_rare_view(plain, TABLE, WEIGHTS, OPENING)
    with pytest.raises(BadInput, match="rare pieces"):
        view_table(plain)
