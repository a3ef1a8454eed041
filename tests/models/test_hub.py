"""From a name to a directory: paths first, then bundled models, then the hub or its cache."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub.errors import LocalEntryNotFoundError

from crossrank import CrossEncoder
from crossrank.errors import ModelError, NotFound, Offline
from crossrank.models.bundled import bundled_names
from crossrank.models.hub import find_model, needed
from tiny_models import save_bi, save_cross

NAME = "someone/some-model"
FILES = [
    *(".gitattributes", "README.md", "config.json", "tokenizer.json", "vocab.txt"),
    *("model.safetensors", "pytorch_model.bin", "tf_model.h5", "modeling.py"),
    *("1_Pooling/config.json", "openvino/openvino_model.xml", "openvino/config.json"),
    *("onnx/model_O4.onnx", "onnx/model_qint8_avx512.onnx"),
]


class FakeHub:
    """Stands in for huggingface_hub: `cache` is what is local, `files` what can be downloaded."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, cache: Path | None = None) -> None:
        self.cache, self.asked, self.files = cache, 0, list(FILES)
        self.error: Exception | None = None
        self.patterns: list[str] = []
        self.target = Path()
        monkeypatch.setattr(huggingface_hub, "snapshot_download", self.snapshot_download)
        monkeypatch.setattr(huggingface_hub, "HfApi", lambda: self)

    def snapshot_download(self, name: str, **given: Any) -> str:
        if given.get("local_files_only"):
            if self.cache is None:
                raise LocalEntryNotFoundError("not cached")
            return str(self.cache)
        self.asked += 1
        self.patterns = given["allow_patterns"]
        return str(self.target)

    def model_info(self, name: str, **given: Any) -> SimpleNamespace:
        self.asked += 1
        if self.error:
            raise self.error
        return SimpleNamespace(siblings=[SimpleNamespace(rfilename=name) for name in self.files])


def test_a_path_is_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = FakeHub(monkeypatch)
    monkeypatch.chdir(tmp_path)
    folder = save_cross(tmp_path / "someone" / "some-model")
    assert find_model(NAME) == Path(NAME)
    assert find_model(folder) == folder
    for missing in ("./nowhere", "/nowhere/at/all", "~/nowhere", Path("some/thing"), "a/b/c"):
        with pytest.raises(NotFound, match="neither a directory nor a bundled model"):
            find_model(missing)
    assert hub.asked == 0


def test_bundled_models_by_name_and_those_of_the_environment_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_bi(tmp_path / "one" / "crossrank-embed")
    other = save_cross(tmp_path / "two" / "tiny")
    (tmp_path / "two" / "no-model").mkdir()
    monkeypatch.setenv("CROSSRANK_MODELS", f"{tmp_path / 'one'}:{tmp_path / 'two'}")
    assert find_model("tiny") == other
    assert find_model("crossrank-embed") == tmp_path / "one" / "crossrank-embed"
    assert {"crossrank-embed", "tiny"} <= set(bundled_names())
    assert "no-model" not in bundled_names()
    with pytest.raises(NotFound, match=r"bundled model .*crossrank-embed.*tiny"):
        find_model("crossrank-smal")


def test_a_cached_model_is_used_without_a_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = tmp_path / "models--someone--some-model" / "snapshots" / "0f3c"
    commit.parent.mkdir(parents=True)
    hub = FakeHub(monkeypatch, cache=save_cross(commit))
    assert find_model(NAME) == commit
    assert CrossEncoder(NAME).name.startswith("someone/some-model@")
    assert hub.asked == 0


def test_half_a_model_in_the_cache_is_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = FakeHub(monkeypatch, cache=tmp_path)
    (tmp_path / "config.json").write_text("{}")
    hub.target = save_cross(tmp_path / "snapshot")
    assert find_model(NAME) == hub.target
    assert set(hub.patterns) == {
        *("README.md", "config.json", "tokenizer.json", "vocab.txt", "1_Pooling/config.json"),
        "model.safetensors",
    }


def test_only_one_form_of_the_weights_is_downloaded() -> None:
    both = [*FILES, "onnx/model.onnx", "onnx/model.onnx_data"]
    chosen = {name for name in needed(both) if not name.endswith((".json", ".txt", ".md"))}
    assert chosen == {"onnx/model.onnx", "onnx/model.onnx_data"}
    assert "onnx/model_O4.onnx" in needed(FILES, "onnx/model_O4.onnx")
    with pytest.raises(NotFound, match=r"the repository has onnx/model_O4.onnx"):
        needed(FILES, "onnx/model_int4.onnx")
    with pytest.raises(ModelError, match=r"has only pytorch_model\.bin"):
        needed(["config.json", "pytorch_model.bin"])


class ConnectError(Exception):
    """As the hub's client lets it through."""

    __module__ = "httpx2"


@pytest.mark.parametrize(
    "error",
    [
        ConnectError("no route to host"),
        OSError("no route to host"),
        huggingface_hub.errors.OfflineModeIsEnabled("no route to host: offline mode"),
    ],
)
def test_without_a_network_the_error_names_the_way_out(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    hub = FakeHub(monkeypatch)
    hub.error = error
    with pytest.raises(Offline, match=r"no route to host.*hf download someone/some-model") as info:
        find_model(NAME)
    assert "the path of that directory instead" in str(info.value)


def test_other_errors_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = FakeHub(monkeypatch)
    hub.error = ZeroDivisionError("a fault of ours")
    with pytest.raises(ZeroDivisionError):
        find_model(NAME)
