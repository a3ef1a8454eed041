"""One contract for both backends: the same rows, in order, whatever the batch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from crossrank.errors import BadInput, ModelError
from crossrank.models import BiEncoder, CrossEncoder
from crossrank.models.backend import Backend
from crossrank.models.backend_onnx import Mask, OnnxBackend
from crossrank.models.export import ensure_onnx
from crossrank.models.probe import per_input
from crossrank.models.tokens import TokenBatch
from crossrank.types import Floats
from tiny_transformers import save_tiny

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
from crossrank.models.backend_torch import torch_backend  # noqa: E402

pytestmark = pytest.mark.torch


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("tiny"), "bert", 2)


@pytest.fixture(scope="session", params=["onnx", "torch"])
def backend(
    request: pytest.FixtureRequest, tiny: Path, tmp_path_factory: pytest.TempPathFactory
) -> Backend:
    if request.param == "torch":
        return torch_backend(tiny, "cpu")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CROSSRANK_CACHE", str(tmp_path_factory.mktemp("cache")))
        return OnnxBackend(ensure_onnx(tiny) / "model.onnx", 0, "cpu")


def _batch(*lengths: int) -> TokenBatch:
    rng = np.random.default_rng(7)
    rows = [rng.integers(5, 80, n).astype(np.int32) for n in lengths]
    return TokenBatch.of([(row, (np.arange(len(row)) > 3).astype(np.int32)) for row in rows])


def _part(batch: TokenBatch, at: int) -> TokenBatch:
    start, stop = batch.offsets[at : at + 2]
    return TokenBatch.of([(batch.ids[start:stop], batch.types[start:stop])])


def _as_it_is(outputs: Floats, mask: Mask) -> Floats:
    return outputs


def test_rows_come_in_order_and_do_not_depend_on_company(backend: Backend) -> None:
    batch = _batch(3, 48, 1, 17, 17, 30)
    found = backend.run(batch, _as_it_is)
    alone = [backend.run(_part(batch, at), _as_it_is) for at in range(len(batch))]
    assert found.dtype == np.float32
    assert found.shape == (6, 2)
    np.testing.assert_allclose(found, np.concatenate(alone), atol=1e-4)
    assert len(np.unique(found[:, 0].round(3))) == 6


def test_shape_is_known_without_running(backend: Backend) -> None:
    assert (backend.rank, backend.width, backend.pooled, backend.device) == (2, 2, False, "cpu")
    assert backend.run(_batch(), _as_it_is).shape == (0, 2)


def test_reduce_sees_outputs_and_mask_of_the_same_inputs(backend: Backend) -> None:
    def lengths(outputs: Floats, mask: Mask) -> Floats:
        return np.asarray(mask.sum(1, keepdims=True), np.float32) + 0 * outputs[:, :1]

    assert backend.run(_batch(5, 40, 2), lengths)[:, 0].tolist() == [5, 40, 2]


def test_both_backends_agree(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSRANK_CACHE", str(tmp_path))
    batch = _batch(48, 3, 20, 11)
    graph = OnnxBackend(ensure_onnx(tiny) / "model.onnx", 0, "cpu")
    reference = torch_backend(tiny, "cpu").run(batch, per_input)
    np.testing.assert_allclose(graph.run(batch, per_input), reference, atol=1e-4)


@pytest.mark.parametrize(("precision", "tolerance"), [("bf16", 0.1), ("fp16", 0.02)])
def test_halved_precision_is_close_and_not_equal(
    tiny: Path, precision: str, tolerance: float
) -> None:
    batch = _batch(48, 3, 20, 11)
    whole = torch_backend(tiny, "cpu").run(batch, _as_it_is)
    halved = torch_backend(tiny, "cpu", precision).run(batch, _as_it_is)  # type: ignore[arg-type]
    drift = np.abs(halved - whole).max()
    assert halved.dtype == np.float32
    assert 0 < drift < tolerance * max(1.0, float(np.abs(whole).max()))


def test_what_is_not_there_is_refused(tiny: Path) -> None:
    with pytest.raises(BadInput, match="a precision of fp32, bf16, fp16 wanted"):
        torch_backend(tiny, "cpu", "int3")  # type: ignore[arg-type]
    if not torch.cuda.is_available():
        with pytest.raises(BadInput, match="torch sees none"):
            torch_backend(tiny, "cuda")


TEXTS = ["ein kühlschrank", "a fridge, 280 l", "groß", "und nun etwas mehr text als vorher"]
PAIRS = [(a, b) for a in TEXTS for b in TEXTS]


def test_encoders_run_weights_with_torch_and_export_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CROSSRANK_CACHE", str(tmp_path / "cache"))
    folder = save_tiny(tmp_path / "cross", "bert")
    torch_side = CrossEncoder(folder, device="cpu", runtime="torch-fp32")
    half_side = CrossEncoder(folder, device="cpu", runtime="torch-bf16")
    scores, halves = torch_side.score(PAIRS), half_side.score(PAIRS)
    base = save_tiny(tmp_path / "bi", "bert", classifier=False)
    vectors = BiEncoder(base, device="cpu", runtime="torch-fp32").encode(TEXTS)
    assert not (tmp_path / "cache").exists()
    np.testing.assert_allclose(scores, CrossEncoder(folder, device="cpu").score(PAIRS), atol=1e-4)
    np.testing.assert_allclose(vectors, BiEncoder(base, device="cpu").encode(TEXTS), atol=1e-5)
    assert 0 < np.abs(halves - scores).max() < 0.1
    assert torch_side.name != half_side.name


def test_a_runtime_without_its_weights_is_refused(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match="safetensors wanted"):
        CrossEncoder(tmp_path / "empty", runtime="torch-fp32")
    with pytest.raises(BadInput, match="a runtime of onnx, torch-fp32"):
        CrossEncoder(tiny, label="1", runtime="tpu")  # type: ignore[arg-type]
