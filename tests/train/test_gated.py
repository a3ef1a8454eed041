"""The gated cross-encoder: its graph against torch, its start against the bi-encoder."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
import pytest
import torch

from crossrank.train.gated import Encoder, Gated, Shape, best_match, mean_pool
from crossrank.train.gated_graph import encoder_graph, gated_graph
from crossrank.train.graph import pack_rows

SHAPE = Shape(words=50, hidden=32, layers=4, heads=4, inner=64, positions=64, split=2)
QUERIES = [[0, 5, 6, 2], [0, 7, 8, 9, 10, 2], [0, 5, 2]]
DOCUMENTS = [[0, 11, 12, 13, 2], [0, 5, 2], [0, 20, 21, 22, 23, 24, 25, 26, 2]]


@pytest.fixture(scope="module")
def model() -> tuple[Encoder, Gated]:
    torch.manual_seed(3)
    encoder = Encoder(SHAPE).eval()
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
        # rows of 4-bit blocks, so that packing them loses nothing
        words = encoder.embeddings.words.weight
        words.copy_(torch.from_numpy(pack_rows(words.numpy()).unpack()))
        gated = Gated(encoder).eval()
        for parameter in (gated.gates, gated.head.weight, gated.weigh.weight):
            parameter.add_(torch.randn_like(parameter))
    return encoder, gated


def tensors(encoder: Encoder, gated: Gated) -> dict[str, np.ndarray]:
    found = {name: value.numpy() for name, value in encoder.state_dict().items()}
    rest = {k: v.numpy() for k, v in gated.state_dict().items() if not k.startswith("layers.")}
    return {**found, **rest}


def fed(pairs: list[tuple[list[int], list[int]]]) -> dict[str, np.ndarray]:
    width = max(len(q) + len(d) for q, d in pairs)
    ids, mask, kinds = (np.zeros((len(pairs), width), np.int64) for _ in range(3))
    for row, (q, d) in enumerate(pairs):
        end = len(q) + len(d)
        ids[row, :end], mask[row, :end], kinds[row, len(q) : end] = [*q, *d], 1, 1
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": kinds}


def by_torch(encoder: Encoder, gated: Gated, query: list[int], document: list[int]) -> float:
    parts = [torch.tensor([ids]) for ids in (query, document)]
    states = [encoder.lower(ids, torch.ones_like(ids)) for ids in parts]
    kinds = torch.cat([torch.zeros_like(parts[0]), torch.ones_like(parts[1])], 1)
    state = torch.cat(states, 1)
    return float(gated(state, torch.ones_like(kinds), kinds))


@pytest.mark.parametrize("packed", [False, True])
def test_the_graph_gives_the_logits_of_torch(model: tuple[Encoder, Gated], packed: bool) -> None:
    encoder, gated = model
    found = tensors(encoder, gated)
    rows = pack_rows(found["embeddings.words.weight"]) if packed else None
    graph = gated_graph(found, SHAPE.split, SHAPE.heads, SHAPE.eps, rows)
    session = ort.InferenceSession(graph.SerializeToString())
    pairs = list(zip(QUERIES, DOCUMENTS, strict=True))
    (logits,) = session.run(["logits"], fed(pairs))
    assert logits.shape == (3, 1)
    with torch.no_grad():
        expected = [by_torch(encoder, gated, q, d) for q, d in pairs]
    np.testing.assert_allclose(logits[:, 0], expected, atol=1e-4)


def test_the_encoder_graph_gives_the_states_of_torch(model: tuple[Encoder, Gated]) -> None:
    encoder, gated = model
    graph = encoder_graph(tensors(encoder, gated), SHAPE.heads, SHAPE.eps, None)
    session = ort.InferenceSession(graph.SerializeToString())
    ids = np.array([[0, 5, 6, 7, 2, 1], [0, 9, 8, 7, 6, 2]], np.int64)
    mask = np.array([[1, 1, 1, 1, 1, 0], [1] * 6], np.int64)
    zeros = np.zeros_like(ids)
    fed_in = {"input_ids": ids, "attention_mask": mask, "token_type_ids": zeros}
    used = {each.name for each in session.get_inputs()}
    (states,) = session.run(None, {k: v for k, v in fed_in.items() if k in used})
    with torch.no_grad():
        both = torch.from_numpy(mask)
        expected = encoder.upper(encoder.lower(torch.from_numpy(ids), both), both).numpy()
    np.testing.assert_allclose(states[mask == 1], expected[mask == 1], atol=1e-4)


def test_closed_gates_give_the_cosine_of_the_bi_encoder(model: tuple[Encoder, Gated]) -> None:
    encoder, _ = model
    closed = Gated(encoder, opening=(-1e4, -1e4)).eval()
    with torch.no_grad():
        closed.views.copy_(torch.tensor([1.0, 0.0, 0.0]))
        for query, document in zip(QUERIES, DOCUMENTS, strict=True):
            vectors = []
            for ids in (query, document):
                inputs = torch.tensor([ids])
                mask = torch.ones_like(inputs)
                vectors.append(mean_pool(encoder.upper(encoder.lower(inputs, mask), mask), mask))
            cosine = float(torch.cosine_similarity(*vectors))
            assert by_torch(encoder, closed, query, document) == pytest.approx(
                cosine - 0.85, abs=1e-5
            )


def test_best_match_looks_at_document_tokens_only() -> None:
    state = torch.eye(4)[None]
    state[0, 3] = state[0, 0]
    kinds, mask = torch.tensor([[0, 0, 1, 1]]), torch.ones(1, 4, dtype=torch.long)
    assert best_match(state, mask, kinds)[0].tolist() == pytest.approx([1, 0, 1, 1])
    mask[0, 3] = 0
    assert best_match(state, mask, kinds)[0].tolist() == pytest.approx([0, 0, 1, 0])
