"""Token states are those of the graph; four architectures meet on the same candidates."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from typer.testing import CliRunner

from crossrank import MemoryCorpus, Queries, Ranking, Search
from crossrank.cli.app import app
from crossrank.errors import ModelError
from crossrank.models import BiEncoder
from crossrank.tasks.estimate import Estimate, estimate
from crossrank.tasks.token_states import BiEncoderTokens
from explain.tiny import WORDS, tiny_encoder, tiny_model
from fakes import FakeScorer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("architectures")
    tiny_encoder(made / "embed")
    tiny_model(made / "cross")
    return made


def test_states_are_the_graphs_without_specials_prompt_and_marks(folder: Path) -> None:
    tokens = BiEncoderTokens(folder / "embed")
    texts = ["Kühlschrank, leise", "", "fridge"]
    states = tokens.document_states(texts)
    assert [len(states[i]) for i in range(3)] == [2, 0, 1]
    session = ort.InferenceSession(str(folder / "embed" / "model.onnx"))
    first, last = (4 + WORDS.index(word) for word in ("kühlschrank", "leise"))
    ids = np.array([[2, first, 1, last, 3]])  # [CLS] kühlschrank [UNK] leise [SEP]
    feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": ids * 0}
    (whole,) = session.run(None, feed)
    wanted = whole[0, [1, 3]] / np.linalg.norm(whole[0, [1, 3]], axis=1, keepdims=True)
    np.testing.assert_allclose(states[0], wanted, atol=1e-5)
    query = tokens.query_states(["leise,"])  # "labor: " stands before it in the graph
    assert len(query[0]) == 2
    np.testing.assert_allclose(np.linalg.norm(query[0], axis=1), 1, atol=1e-5)


def test_long_texts_are_read_as_far_as_the_model_does(folder: Path) -> None:
    states = BiEncoderTokens(folder / "embed").document_states(["leise " * 99])
    assert len(states[0]) == 24 - 2


def test_a_graph_without_token_vectors_is_refused(folder: Path, tmp_path: Path) -> None:
    other = tiny_model(tmp_path / "pooled")
    kept = json.loads((other / "crossrank.json").read_text(encoding="utf-8")) | {
        "kind": "bi-encoder"
    }
    (other / "crossrank.json").write_text(json.dumps(kept), encoding="utf-8")
    with pytest.raises(ModelError, match="token vectors"):
        BiEncoderTokens(other)


@pytest.fixture(scope="module")
def dataset(folder: Path) -> Path:
    made = folder / "set"
    (made / "qrels").mkdir(parents=True)
    texts = ["kühlschrank leise", "labor 280 liter", "fridge ohne gefrierfach", "din warm labor"]
    rows = [{"_id": f"d{i}", "title": "", "text": text} for i, text in enumerate(texts)]
    queries = [{"_id": "q0", "text": "leise labor"}, {"_id": "q1", "text": "fridge din"}]
    for name, content in (("corpus", rows), ("queries", queries)):
        lines = "".join(json.dumps(row) + "\n" for row in content)
        (made / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    qrels = "query-id\tcorpus-id\tscore\nq0\td1\t1\nq1\td2\t1\n"
    (made / "qrels" / "test.tsv").write_text(qrels, encoding="utf-8")
    return made


def test_the_command_prints_a_row_for_each(folder: Path, dataset: Path) -> None:
    arguments = [
        *("architectures", str(dataset), "--language", "de", "--codes", "2"),
        *("--model", str(folder / "cross"), "--encoder", str(folder / "embed")),
    ]
    done = CliRunner().invoke(app, [*arguments, "--json"], catch_exceptions=False)
    found = json.loads(done.stdout)
    rows = {row["architecture"]: row for row in found["rows"]}
    assert list(rows) == [
        *("first stage", "bi-encoder", "poly-encoder", "late interaction", "cross-encoder")
    ]
    assert (found["queries"], found["pairs"]) == (2, 5)
    assert rows["bi-encoder"]["bytes_per_document"] == 8 * 4
    assert rows["late interaction"]["bytes_per_document"] == 8 * 2 * (2 + 3 + 3 + 3) / 4
    assert all(0 <= row["score"] <= 1 for row in rows.values())
    one = CliRunner().invoke(app, [*arguments, "--queries", "1"], catch_exceptions=False)
    assert "1 queries" in one.stdout


def test_vectors_and_states_agree_for_one_token(folder: Path) -> None:
    states = BiEncoderTokens(folder / "embed").document_states(["leise"])
    assert states[0].shape == (1, BiEncoder(folder / "embed").dimension)


class Slow(FakeScorer):
    calls: list[int]

    def score_texts(self, queries, documents):  # type: ignore[no-untyped-def]
        self.calls.append(len(queries))
        return super().score_texts(queries, documents)


def test_an_estimate_scores_a_few_pairs_only() -> None:
    scorer = Slow()
    scorer.calls = []
    search = Search(Queries.of(["a", "b"]), MemoryCorpus.of([str(i) for i in range(9000)]))
    found = estimate(scorer, search, sample=16)
    assert found.pairs == 18_000
    assert found.seconds > 0
    assert scorer.calls == [1, 16]
    assert estimate(scorer, Ranking.everything(search.select(slice(0, 1)))).pairs == 9000
    assert estimate(scorer, Search(Queries.of(["a"]), MemoryCorpus.of([]))).seconds == 0


@pytest.mark.parametrize(
    ("seconds", "spoken"),
    [(0.1, "a second"), (42, "42 seconds"), (200, "3 minutes"), (9000, "2 hours")],
)
def test_an_estimate_is_said_as_people_say_it(seconds: float, spoken: str) -> None:
    assert str(Estimate(1000, seconds / 1000)) == f"1,000 pairs, about {spoken}"
