"""The cross-encoder: equal to the graph run by itself, whatever it is scored beside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnxruntime.quantization import quantize_dynamic
from tokenizers import Tokenizer

from crossrank import CrossEncoder, MemoryCorpus, Queries, Ranking, Scale, Search
from crossrank.errors import BadInput, ModelError
from crossrank.models import Ranked
from crossrank.models.heads import softmax
from crossrank.models.scores import Aggregate
from crossrank.rerank import Rerank
from tiny_models import save_bi, save_cross
from tiny_transformers import POSITIONS

TEXTS = st.text(st.sampled_from("abcdef äß.-☃"), max_size=60)
PAIRS = [("wie", "groß"), ("", ""), ("ab", "ab " * 70), ("q " * 99, "d " * 99), ("ab", "ein hund")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_cross(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def model(folder: Path) -> CrossEncoder:
    return CrossEncoder(folder)


class Plain:
    """The graph on one unpadded pair, encoded by the tokenizer itself, cut by `only_second`."""

    def __init__(self, folder: Path) -> None:
        self.session = ort.InferenceSession(str(folder / "model.onnx"))
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(POSITIONS, strategy="only_second")

    def __call__(self, query: str, document: str) -> float:
        found = self.tokenizer.encode(query, document)
        feed = {
            "input_ids": [found.ids],
            "attention_mask": [[1] * len(found.ids)],
            "token_type_ids": [found.type_ids],
        }
        return float(self.session.run(None, feed)[0][0, 0])


@given(pairs=st.lists(st.tuples(st.text(st.sampled_from("ab ß"), max_size=20), TEXTS), max_size=9))
@settings(max_examples=40)
def test_scores_are_those_of_the_graph(
    folder: Path, model: CrossEncoder, pairs: list[tuple[str, str]]
) -> None:
    plain = Plain(folder)
    found = model.score(pairs)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [plain(*pair) for pair in pairs], atol=2e-5, rtol=0)


def test_a_score_does_not_depend_on_its_company(model: CrossEncoder) -> None:
    alone = np.concatenate([model.score([pair]) for pair in PAIRS])
    many = [PAIRS[i % len(PAIRS)] for i in np.random.default_rng(1).permutation(5000)]
    wanted = [alone[PAIRS.index(pair)] for pair in many]
    np.testing.assert_allclose(model.score(many), wanted, atol=2e-5, rtol=0)


def test_truncated_pairs_are_counted_and_windows_avoid_it(folder: Path) -> None:
    cut = CrossEncoder(folder).scored(PAIRS)
    assert cut.truncated.tolist() == [False, False, True, True, False]
    assert [(note.kind, note.count) for note in cut.notes()] == [("truncated", 2)]
    whole = CrossEncoder(folder, long="window").scored(PAIRS)
    assert whole.truncated.tolist() == [False, False, False, True, False]  # a query too long
    assert (whole.windows[[2, 3]] > 4).all()
    assert whole.windows[[0, 1, 4]].tolist() == [1, 1, 1]
    np.testing.assert_allclose(whole.values[[0, 1, 4]], cut.values[[0, 1, 4]], atol=2e-5)


@pytest.mark.parametrize("how", ["max", "mean", "sum", "first"])
def test_windows_are_aggregated(folder: Path, how: Aggregate) -> None:
    model = CrossEncoder(folder, long="window", aggregate=how, max_length=12)
    assert model.scale is (Scale.RAW if how == "sum" else Scale.LOGIT)
    first = model.score([("a", "ab " * 70)])
    second = model.score([("a", "ab " * 140)])  # more of the same windows
    if how == "sum":
        assert second[0] > 1.8 * first[0]
    else:
        np.testing.assert_allclose(first, second, atol=0.2)


def test_pairs_may_come_from_a_generator_and_progress_is_told(model: CrossEncoder) -> None:
    def pairs() -> Iterator[tuple[str, str]]:
        for i in range(2500):
            yield "ab", f"{i}"

    told: list[int] = []
    assert model.score(pairs(), told.append).shape == (2500,)
    assert told == [2048, 2500]


def test_ranking_is_best_first_and_stable(model: CrossEncoder) -> None:
    documents = ["ein hund", "katze", "ein hund", "ab " * 70]
    found = model.rank("hund", documents)
    scores = model.score([("hund", text) for text in documents])
    assert [each.index for each in found] == np.argsort(-scores, kind="stable").tolist()
    assert [each.rank for each in found] == [1, 2, 3, 4]
    first = found[0]
    assert isinstance(first, Ranked)
    assert (first.text, first.scale) == (documents[first.index], Scale.LOGIT)
    assert sum(each.truncated for each in found) == 1
    assert model.rank("hund", documents, top_k=2) == found[:2]
    assert model.rank("hund", []) == []


def test_probabilities_and_predictions(folder: Path, tmp_path: Path, model: CrossEncoder) -> None:
    logits = model.score(PAIRS).astype(np.float64)
    wanted = 1 / (1 + np.exp(-logits))
    np.testing.assert_allclose(model.probability(PAIRS), wanted, rtol=1e-12)
    np.testing.assert_allclose(model.predict(PAIRS), wanted, rtol=1e-12)
    raw = save_cross(tmp_path / "raw", {"activation": "torch.nn.modules.linear.Identity"})
    np.testing.assert_allclose(CrossEncoder(raw).predict(PAIRS), logits, rtol=1e-12)
    with pytest.raises(BadInput, match="a model of several classes wanted"):
        model.class_probabilities(PAIRS)
    with pytest.raises(BadInput, match="long='window'"):
        CrossEncoder(folder, long="window").predict(PAIRS)


def test_several_classes(tmp_path: Path) -> None:
    folder = save_cross(tmp_path / "graded", {"scale": "grade"}, labels=3)
    model = CrossEncoder(folder)
    shares = model.class_probabilities(PAIRS)
    assert model.scale is Scale.GRADE
    np.testing.assert_allclose(model.score(PAIRS), shares @ [0, 1, 2], atol=1e-5)
    chosen = CrossEncoder(folder, label="1")
    np.testing.assert_allclose(chosen.probability(PAIRS), shares[:, 1], atol=1e-5)
    np.testing.assert_allclose(softmax(model.predict(PAIRS)), shares, atol=1e-12)
    with pytest.raises(BadInput, match="these scores are grade"):
        model.probability(PAIRS)


def test_it_is_a_scorer_and_its_notes_reach_the_ranking(model: CrossEncoder) -> None:
    corpus = MemoryCorpus.of(["katze", "ab " * 70, "hund"])
    found = Rerank(model)(Ranking.everything(Search(Queries.of(["hund", "b"]), corpus)))
    assert [note.count for note in found.notes] == [2]
    assert found.scale is Scale.LOGIT
    np.testing.assert_allclose(
        np.sort(found.query(0)[1]),
        np.sort(model.score_texts(["hund"] * 3, ["katze", "ab " * 70, "hund"])),
        atol=2e-5,
    )


def test_nothing_gives_nothing(model: CrossEncoder) -> None:
    assert model.score([]).shape == (0,)
    assert model.probability([]).shape == (0,)
    assert model.predict([]).shape == (0,)


def test_the_name_changes_with_whatever_changes_scores(folder: Path, tmp_path: Path) -> None:
    usual = CrossEncoder(folder).name
    assert usual == CrossEncoder(save_cross(tmp_path / "tiny")).name  # the same content elsewhere
    others = {
        CrossEncoder(folder, max_length=20).name,
        CrossEncoder(folder, query_share=0.25).name,
        CrossEncoder(folder, long="window").name,
        CrossEncoder(folder, long="window", aggregate="mean").name,
        CrossEncoder(save_cross(tmp_path / "b" / "tiny", {"max_length": 40})).name,
    }
    assert len(others | {usual}) == 6


def test_wrong_use_is_refused(folder: Path, tmp_path: Path, model: CrossEncoder) -> None:
    with pytest.raises(BadInput, match=r"pairs \(query, document\) wanted, got 'ab'"):
        model.score(["ab"])  # type: ignore[list-item]
    with pytest.raises(BadInput, match="texts wanted, got int"):
        model.score([("a", 1)])  # type: ignore[list-item]
    with pytest.raises(BadInput, match="as many queries as documents"):
        model.score_texts(["a"], [])
    with pytest.raises(BadInput, match=f"a max_length up to {POSITIONS} tokens"):
        CrossEncoder(folder, max_length=POSITIONS + 1)
    with pytest.raises(BadInput, match="long=truncate or window wanted"):
        CrossEncoder(folder, long="windows")  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="aggregate=max, first, sum, mean wanted"):
        CrossEncoder(folder, aggregate="median")  # type: ignore[arg-type]
    with pytest.raises(ModelError, match=r"a cross-encoder wanted, .* is a bi-encoder"):
        CrossEncoder(save_bi(tmp_path / "bi"))


def test_a_graph_that_says_nothing_is_judged_by_its_output(tmp_path: Path) -> None:
    bare = save_bi(tmp_path / "bare")
    (bare / "crossrank.json").unlink()
    with pytest.raises(ModelError, match="is it a bi-encoder"):
        CrossEncoder(bare)
    (bare / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(ModelError, match="a graph that ONNX Runtime runs wanted"):
        CrossEncoder(bare)


def test_a_graph_that_fails_says_on_what(tmp_path: Path) -> None:
    folder = save_cross(tmp_path / "long", {"max_length": 4 * POSITIONS})
    with pytest.raises(ModelError, match=r"the graph failed on 1 inputs of up to \d+ tokens"):
        CrossEncoder(folder).score([("a", "ab " * 70)])


@pytest.mark.parametrize("dynamic", [True, False])
def test_an_int8_graph_scores_a_pair_alone(folder: Path, tmp_path: Path, dynamic: bool) -> None:
    small = save_cross(tmp_path / "int8")
    if dynamic:
        source, target = str(folder / "model.onnx"), str(small / "model.onnx")
        quantize_dynamic(source, target, extra_options={"DisableShapeInference": True})
    model = CrossEncoder(small)
    assert model._model.backend.alone is dynamic  # type: ignore[union-attr]
    alone = np.concatenate([model.score([pair]) for pair in PAIRS])
    together = model.score(PAIRS)
    np.testing.assert_allclose(together, alone, atol=0 if dynamic else 2e-5)
