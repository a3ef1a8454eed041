"""Export: once, cached whole, usable without torch, and refused where it would be unsafe."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crossrank.errors import ModelError
from crossrank.models import BiEncoder, CrossEncoder
from crossrank.models.cached import content_hash, made_once, place_directory
from crossrank.models.export import ensure_onnx, export_model
from crossrank.models.export_report import read_report
from crossrank.models.quantise import Mode
from crossrank.models.tokens import TokenBatch
from tiny_transformers import save_tiny

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
from crossrank.models import torch_export  # noqa: E402
from crossrank.models.torch_modules import TorchModel, load_torch  # noqa: E402

pytestmark = pytest.mark.torch

TEXTS = ["ein kühlschrank", "a fridge, 280 l", "groß", "und nun etwas mehr text als vorher"]
PAIRS = [(a, b) for a in TEXTS for b in TEXTS]


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CROSSRANK_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield Path(os.environ["CROSSRANK_CACHE"])


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Path:
    return save_tiny(tmp_path_factory.mktemp("bert"), "bert")


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Path:
    return save_tiny(tmp_path_factory.mktemp("base"), "bert", classifier=False)


def _module(folder: Path, path: str, kind: str, config: dict[str, Any], **tensors: Any) -> None:
    from safetensors.torch import save_file

    known = json.loads((folder / "modules.json").read_text()) if path else []
    known.append({"idx": len(known), "name": str(len(known)), "path": path, "type": f"st.x.{kind}"})
    (folder / "modules.json").write_text(json.dumps(known))
    (folder / path).mkdir(exist_ok=True)
    if path:
        (folder / path / "config.json").write_text(json.dumps(config))
    if tensors:
        named = {name.replace("_", "."): value for name, value in tensors.items()}
        save_file(named, folder / path / "model.safetensors")


def _chained(source: Path, to: Path, pooling: str) -> Path:
    """`source` followed by a pooling, a dense layer of 8 and GELU, as sentence-transformers do."""
    shutil.copytree(source, to)
    _module(to, "", "Transformer", {})
    _module(to, "1_Pooling", "Pooling", {"embedding_dimension": 32, "pooling_mode": pooling})
    dense = {"in_features": 32, "out_features": 8, "bias": True}
    dense["activation_function"] = "torch.nn.modules.activation.GELU"
    torch.manual_seed(1)
    weights = {"linear_weight": torch.randn(8, 32), "linear_bias": torch.randn(8)}
    _module(to, "2_Dense", "Dense", dense, **weights)
    return to


def _scored(source: Path, to: Path) -> Path:
    """The modular cross-encoder: the chain above, a layer norm, and a dense layer to one score."""
    _chained(source, to, "cls")
    torch.manual_seed(2)
    norm = {"norm_weight": torch.randn(8), "norm_bias": torch.randn(8)}
    _module(to, "3_LayerNorm", "LayerNorm", {"dimension": 8}, **norm)
    last = {"in_features": 8, "out_features": 1, "bias": False, "module_output_name": "scores"}
    last["activation_function"] = "torch.nn.modules.linear.Identity"
    _module(to, "4_Dense", "Dense", last, linear_weight=torch.randn(1, 8))
    return to


def test_the_second_load_neither_exports_nor_imports_torch(tiny: Path) -> None:
    expected = CrossEncoder(tiny).score(PAIRS)
    code = (
        "import sys, json\n"
        "sys.modules['torch'] = sys.modules['transformers'] = sys.modules['onnx'] = None\n"
        "from crossrank.models import CrossEncoder\n"
        f"print(json.dumps(CrossEncoder({str(tiny)!r}).score({PAIRS!r}).tolist()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    np.testing.assert_array_equal(np.array(json.loads(done.stdout), np.float32), expected)


def test_a_copy_elsewhere_shares_the_export_and_other_weights_do_not(
    tiny: Path, tmp_path: Path
) -> None:
    copied = shutil.copytree(tiny, tmp_path / "copy")
    (copied / "README.md").write_text("a readme changes nothing")
    assert ensure_onnx(copied) == ensure_onnx(tiny)
    weights = copied / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    assert content_hash(copied) != content_hash(tiny)


def test_a_directory_with_a_graph_is_taken_as_it_is(tiny: Path) -> None:
    exported = ensure_onnx(tiny)
    assert ensure_onnx(exported) == exported


def test_modular_cross_encoder_equals_sentence_transformers(base: Path, tmp_path: Path) -> None:
    sbert = pytest.importorskip("sentence_transformers")
    folder = _scored(base, tmp_path / "modular")
    _as_sentence_transformers(folder, "CrossEncoder")
    reference = sbert.CrossEncoder(str(folder)).predict(PAIRS, activation_fn=torch.nn.Identity())
    assert reference.std() > 0.1
    np.testing.assert_allclose(CrossEncoder(folder).score(PAIRS), reference, atol=1e-4)


@pytest.mark.parametrize("pooling", ["mean", "max", "lasttoken", "weightedmean"])
def test_bi_encoder_equals_sentence_transformers(base: Path, tmp_path: Path, pooling: str) -> None:
    sbert = pytest.importorskip("sentence_transformers")
    folder = _chained(base, tmp_path / "chained", pooling)
    _module(folder, "3_Normalize", "Normalize", {})
    _as_sentence_transformers(folder, "SentenceTransformer")
    reference = sbert.SentenceTransformer(str(folder)).encode(TEXTS)
    np.testing.assert_allclose(BiEncoder(folder).encode(TEXTS), reference, atol=1e-5)
    assert not np.allclose(reference[0], reference[1], atol=1e-2)


def _as_sentence_transformers(folder: Path, kind: str) -> None:
    """Real type names and the files that the library itself wants to see."""
    places = {
        "Transformer": "sentence_transformers.base.modules.transformer",
        "Pooling": "sentence_transformers.sentence_transformer.modules.pooling",
        "Dense": "sentence_transformers.base.modules.dense",
        "LayerNorm": "sentence_transformers.sentence_transformer.modules.layer_norm",
        "Normalize": "sentence_transformers.base.modules.normalize",
    }
    modules = json.loads((folder / "modules.json").read_text())
    for module in modules:
        name = module["type"].rpartition(".")[2]
        module["type"] = f"{places[name]}.{name}"
    (folder / "modules.json").write_text(json.dumps(modules))
    own = {"model_type": kind, "prompts": {}, "similarity_fn_name": "cosine"}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(own))
    (folder / "sentence_bert_config.json").write_text(
        '{"transformer_task": "feature-extraction", "module_output_name": "token_embeddings", '
        '"modality_config": {"text": {"method": "forward", '
        '"method_output_name": "last_hidden_state"}}}'
    )


def test_a_bare_encoder_exports_its_token_vectors(base: Path) -> None:
    import onnxruntime as ort

    exported = ensure_onnx(base)
    output = ort.InferenceSession(exported / "model.onnx").get_outputs()[0]
    assert output.name == "last_hidden_state"
    assert BiEncoder(exported).encode(TEXTS).shape == (4, 32)


def test_export_to_a_directory_that_loads_alone(tiny: Path, tmp_path: Path) -> None:
    found = export_model(tiny, tmp_path / "out")
    assert found == read_report(tmp_path / "out")
    assert not list((tmp_path / "out").glob("*.safetensors"))
    np.testing.assert_array_equal(
        CrossEncoder(tmp_path / "out").score(PAIRS), CrossEncoder(tiny).score(PAIRS)
    )
    with pytest.raises(ModelError, match="already there"):
        export_model(tiny, tmp_path / "out")


def test_int8_is_made_and_cached_too(tiny: Path) -> None:
    made = ensure_onnx(tiny, Mode.INT8)
    assert made == ensure_onnx(tiny, Mode.INT8) != ensure_onnx(tiny)
    assert read_report(made)["mode"] == "int8"


class _Sums(torch.nn.Module):
    """As small as a model gets: two logits of the sum of the vectors of the real tokens."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.words, self.head = torch.nn.Embedding(99, 4), torch.nn.Linear(4, 2)

    def forward(self, *tensors: torch.Tensor) -> torch.Tensor:
        ids, mask = tensors
        return self.head((self.words(ids) * mask.unsqueeze(-1)).sum(1))


def _sums() -> tuple[TorchModel, TokenBatch]:
    module = _Sums().eval().requires_grad_(False)
    model = TorchModel(module, ("input_ids", "attention_mask"), "logits", 2, 0, 99)
    inputs = [(np.arange(5, 5 + n, dtype=np.int32), np.zeros(n, np.int32)) for n in (1, 7, 30)]
    return model, TokenBatch.of(inputs)


def test_where_tracing_fails_torch_export_writes_the_graph(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnxscript")

    def broken(*_: object) -> None:
        raise RuntimeError("tracing is gone")

    monkeypatch.setattr(torch_export, "_trace", broken)
    drift, exporter = torch_export.export_graph(*_sums(), tmp_path / "model.onnx")
    assert exporter == "torch.export"
    assert drift.max_difference < 1e-5 < drift.spread


def test_a_graph_that_is_not_the_model_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = torch_export._trace

    def wrong(model: TorchModel, path: Path) -> None:
        model.module.head.weight.mul_(1.1)
        right(model, path)
        model.module.head.weight.div_(1.1)

    monkeypatch.setattr(torch_export, "_trace", wrong)
    monkeypatch.setattr(torch_export, "_torch_export", wrong)
    with pytest.raises(ModelError, match="does not compute what the model computes"):
        torch_export.export_graph(*_sums(), tmp_path / "model.onnx")


def test_pickled_weights_are_refused_with_advice(tiny: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny, tmp_path / "pickled")
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"never read")
    for load in (ensure_onnx, load_torch):
        with pytest.raises(ModelError, match=r"only pickled weights.*save_pretrained"):
            load(folder)


def test_a_base_model_is_not_given_a_random_classifier(base: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(base, tmp_path / "headless")
    config = json.loads((folder / "config.json").read_text())
    config["architectures"] = ["BertForSequenceClassification"]
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match=r"none fit classifier\.bias"):
        ensure_onnx(folder)


def test_remote_code_is_not_run(tiny: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny, tmp_path / "remote")
    trap = tmp_path / "ran"
    (folder / "modeling.py").write_text(f"open({str(trap)!r}, 'w').close()\n")
    config = json.loads((folder / "config.json").read_text())
    config["model_type"] = "unheard-of"
    config["auto_map"] = {
        "AutoConfig": "modeling.Config",
        "AutoModelForSequenceClassification": "modeling.Model",
    }
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="transformers cannot load it"):
        ensure_onnx(folder)
    assert not trap.exists()


def test_unknown_modules_and_activations_are_refused(base: Path, tmp_path: Path) -> None:
    folder = _chained(base, tmp_path / "strange", "mean")
    path = folder / "2_Dense" / "config.json"
    path.write_text(path.read_text().replace("torch.nn.modules.activation.GELU", "os.system"))
    with pytest.raises(ModelError, match=r"activation of torch\.nn wanted, got 'os\.system'"):
        ensure_onnx(folder)
    _module(folder, "3_WordWeights", "WordWeights", {})
    path.write_text(path.read_text().replace("os.system", "torch.nn.GELU"))
    with pytest.raises(ModelError, match="got WordWeights"):
        ensure_onnx(folder)


def test_what_is_made_appears_whole_or_not_at_all(cache: Path) -> None:
    def fails(to: Path) -> None:
        (to / "half").write_text("x")
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        made_once("test", "name", fails)
    assert not list((cache / "test").iterdir())
    calls: list[Path] = []
    first = made_once("test", "name", calls.append)
    assert made_once("test", "name", calls.append) == first
    assert len(calls) == 1


def test_of_two_makers_the_first_one_stays(tmp_path: Path) -> None:
    target = tmp_path / "target"

    def loses(to: Path) -> None:
        (to / "who").write_text("second")
        place_directory(target, lambda other: (other / "who").write_text("first") and None)

    place_directory(target, loses)
    assert (target / "who").read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["target"]
