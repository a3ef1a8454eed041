"""The reader: its graph against torch, its marks, and what it leaves of the model it joins."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
import pytest
import torch

from crossrank.errors import BadInput
from crossrank.train.gated import Encoder, Gated, Shape
from crossrank.train.gated_graph import encoder_graph, gated_graph
from crossrank.train.reader import START, Reader, shared
from crossrank.train.reader_graph import reader_graph, with_reader

SHAPE = Shape(words=50, hidden=32, layers=6, heads=4, inner=64, positions=64, split=5)
PAIRS = [
    ([0, 5, 6, 2], [0, 11, 12, 5, 2]),
    ([0, 7, 8, 9, 10, 2], [0, 5, 2]),
    ([0, 5, 2], [0, 20, 21, 22, 23, 24, 25, 26, 2]),
]


@pytest.fixture(scope="module")
def parts() -> tuple[Encoder, Gated, Reader]:
    torch.manual_seed(3)
    encoder = Encoder(SHAPE).eval()
    gated = Gated(encoder).eval()
    reader = Reader(encoder, depth=2).eval()
    with torch.no_grad():
        for parameter in (*encoder.parameters(), *reader.parameters(), gated.head.weight):
            parameter.add_(0.2 * torch.randn_like(parameter))
    return encoder, gated, reader


def arrays(module: torch.nn.Module) -> dict[str, np.ndarray]:
    return {name: value.numpy() for name, value in module.state_dict().items()}


def fed(pairs: list[tuple[list[int], list[int]]]) -> dict[str, np.ndarray]:
    width = max(len(q) + len(d) for q, d in pairs)
    ids, mask, kinds = (np.zeros((len(pairs), width), np.int64) for _ in range(3))
    for row, (q, d) in enumerate(pairs):
        end = len(q) + len(d)
        ids[row, :end], mask[row, :end], kinds[row, len(q) : end] = [*q, *d], 1, 1
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": kinds}


def by_torch(encoder: Encoder, reader: Reader, query: list[int], document: list[int]) -> float:
    sides = [torch.tensor([ids]) for ids in (query, document)]
    states = []
    for ids in sides:
        state = encoder.embeddings(ids, torch.arange(ids.shape[1])[None])
        for layer in encoder.layers[:START]:
            state = layer(state, torch.zeros(1))
        states.append(state)
    ids = torch.cat(sides, 1)
    kinds = torch.cat([torch.zeros_like(sides[0]), torch.ones_like(sides[1])], 1)
    return float(reader(torch.cat(states, 1), ids, torch.ones_like(ids), kinds))


def test_the_graph_adds_what_torch_computes(parts: tuple[Encoder, Gated, Reader]) -> None:
    encoder, gated, reader = parts
    own = {k: v for k, v in arrays(gated).items() if not k.startswith("layers.")}
    plain = gated_graph({**arrays(encoder), **own}, SHAPE.split, SHAPE.heads, SHAPE.eps, None)
    alone = reader_graph(arrays(reader), SHAPE.heads, SHAPE.eps)
    both = with_reader(plain, alone, (0.5, 2.0))
    again = with_reader(both, alone, (0.5, 2.0))
    before, after, twice = (
        ort.InferenceSession(m.SerializeToString()).run(["logits"], fed(PAIRS))[0]
        for m in (plain, both, again)
    )
    with torch.no_grad():
        read = [by_torch(encoder, reader, q, d) for q, d in PAIRS]
    np.testing.assert_allclose(after[:, 0], 0.5 * before[:, 0] + 2.0 * np.array(read), atol=1e-4)
    np.testing.assert_array_equal(after, twice)


def test_only_a_gated_cross_encoder_takes_a_reader(parts: tuple[Encoder, Gated, Reader]) -> None:
    encoder, _, reader = parts
    alone = reader_graph(arrays(reader), SHAPE.heads, SHAPE.eps)
    other = encoder_graph(arrays(encoder), SHAPE.heads, SHAPE.eps, None)
    with pytest.raises(BadInput, match="a gated cross-encoder wanted"):
        with_reader(other, alone, (1.0, 1.0))


def test_marks_are_on_pieces_of_both_segments() -> None:
    inputs = {name: torch.from_numpy(value) for name, value in fed(PAIRS[:2]).items()}
    marked = shared(inputs["input_ids"], inputs["attention_mask"], inputs["token_type_ids"])
    # the starts and ends are shared too; padding, although it has the start's number, is not
    assert marked[0].tolist() == [1, 1, 0, 1, 1, 0, 0, 1, 1]
    assert marked[1].tolist() == [1, 0, 0, 0, 0, 1, 1, 0, 1]
