"""Late interaction and poly-encoder: the formulas, by loops; states kept and dropped."""

from __future__ import annotations

import math

import numpy as np
import pytest

from crossrank import MemoryCorpus, Queries, Ranking, Scale, Search
from crossrank.errors import BadInput
from crossrank.retrieve.late import (
    LateInteraction,
    PolyEncoder,
    StateStore,
    TokenStates,
    codes_from,
    max_sim,
)
from fakes import FakeEncoder, FakeTokens

CORPUS = MemoryCorpus.of(["a b c", "a a", "", "d e f g", "b"])
SEARCH = Search(Queries.of(["a b", "d"]), CORPUS)


def test_max_sim_is_the_sum_of_best_cosines() -> None:
    query = np.array([[1, 0], [0, 1]], dtype=np.float32)
    document = np.array([[0.6, 0.8], [0.8, 0.6], [-1, 0]], dtype=np.float32)
    assert max_sim(query, document) == pytest.approx(0.8 + 0.8)
    assert max_sim(query, document[:0]) == 0.0


def test_late_interaction_ranks_by_max_sim() -> None:
    found = LateInteraction(FakeTokens(), depth=4)(Ranking.everything(SEARCH))
    assert found.scale is Scale.MAXSIM
    assert found.depths().tolist() == [4, 4]
    rows, scores = found.query(0)
    assert rows[0] == 0  # both words of the query
    assert scores[0] == pytest.approx(2.0, abs=1e-2)
    tokens = FakeTokens()
    query = tokens.query_states(["a b"])[0]
    for row, score in zip(rows, scores, strict=True):
        states = tokens.document_states(CORPUS.texts(np.array([row], np.int32)))[0]
        loop = sum(max((float(q @ d) for d in states), default=0.0) for q in query)
        assert score == pytest.approx(loop, abs=5e-3)  # float16 states


def test_states_are_kept_and_the_oldest_go() -> None:
    class Counting(FakeTokens):
        seen = 0

        def document_states(self, texts):  # type: ignore[no-untyped-def]
            self.seen += len(texts)
            return super().document_states(texts)

    tokens = Counting()
    store = StateStore(tokens, CORPUS, keep=3 * 16 * 2)
    rows = np.array([0, 1, 4, 0], dtype=np.int32)
    found = store.states(rows)
    assert [len(each) for each in found] == [3, 2, 1, 3]
    assert store.bytes_per_document == 1.5 * 16 * 2  # rows 1 and 4; row 0 had to go
    before = tokens.seen
    store.states(np.array([1, 4], dtype=np.int32))
    assert tokens.seen == before


def _poly_by_loops(
    codes: np.ndarray, states: np.ndarray, vector: np.ndarray, sharp: float
) -> float:
    def mix(logits: list[float], values: np.ndarray) -> np.ndarray:
        shares = [math.exp(sharp * each) for each in logits]
        total = sum(shares)
        return sum(share / total * value for share, value in zip(shares, values, strict=True))

    views = np.stack([mix([float(code @ s) for s in states], states) for code in codes])
    return float(mix([float(view @ vector) for view in views], views) @ vector)


def test_a_poly_encoder_is_the_formula_of_the_paper() -> None:
    random = np.random.default_rng(1)
    states, codes, vectors = (
        (each / np.linalg.norm(each, axis=1, keepdims=True)).astype(np.float32)
        for each in (random.normal(size=(n, 16)) for n in (6, 3, 4))
    )
    stage = PolyEncoder(FakeTokens(), FakeEncoder(), codes, sharpness=4.0)
    wanted = [_poly_by_loops(codes, states, vector, 4.0) for vector in vectors]
    np.testing.assert_allclose(stage.score(states, vectors), wanted, atol=1e-5)


def test_one_view_of_one_token_is_the_bi_encoder() -> None:
    stage = PolyEncoder(FakeTokens(), FakeEncoder(), 1)
    state = FakeTokens().query_states(["a"])[0]
    vectors = FakeEncoder().encode_documents(["a", "b c"])
    np.testing.assert_allclose(stage.score(state, vectors), vectors @ state[0], atol=1e-6)


def test_stored_vectors_are_used_where_they_are_given() -> None:
    everything = Ranking.everything(SEARCH)
    encoded = FakeEncoder().encode_documents(CORPUS.texts(CORPUS.rows()))
    asked: list[int] = []

    def stored(rows: np.ndarray) -> np.ndarray:
        asked.extend(rows.tolist())
        return encoded[rows]

    plain = PolyEncoder(FakeTokens(), FakeEncoder(), 4)(everything)
    kept = PolyEncoder(FakeTokens(), FakeEncoder(), 4, vectors=stored)(everything)
    assert asked == [0, 1, 2, 3, 4]
    np.testing.assert_allclose(plain.scores, kept.scores, atol=1e-6)


def test_codes_cover_the_states() -> None:
    axes = np.repeat(np.eye(4, dtype=np.float32), 10, axis=0)
    codes = codes_from(axes, 4)
    assert np.linalg.norm(codes, axis=1) == pytest.approx(np.ones(4))
    assert codes.tolist() == codes_from(axes, 4).tolist()
    with pytest.raises(BadInput, match="at least 3 token states"):
        codes_from(axes[:2], 3)


def test_states_know_their_texts() -> None:
    states = TokenStates(np.arange(6, dtype=np.float32).reshape(3, 2), np.array([0, 1, 1, 3]))
    assert len(states) == 3
    assert [len(states[i]) for i in range(3)] == [1, 0, 2]


@pytest.mark.parametrize("depth", [0, -1])
def test_a_depth_below_one_is_refused(depth: int) -> None:
    with pytest.raises(BadInput):
        LateInteraction(FakeTokens(), depth)
    with pytest.raises(BadInput):
        PolyEncoder(FakeTokens(), FakeEncoder(), 4, depth)
