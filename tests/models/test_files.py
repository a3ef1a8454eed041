"""What a model directory is: layouts of transformers, sentence-transformers, ONNX, and ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from crossrank import Scale
from crossrank.errors import ModelError, NotFound
from crossrank.models.describe import read_settings
from crossrank.models.files import read_files
from crossrank.models.settings import Kind, Settings

BERT = {"model_type": "bert", "max_position_embeddings": 512, "pad_token_id": 0}
CLASSIFIER = BERT | {"architectures": ["BertForSequenceClassification"]}
MODULES = ("Transformer", "Pooling", "Normalize")


def write(folder: Path, files: Mapping[str, Any]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    return folder


def modules(*kinds: str) -> list[dict[str, str]]:
    return [
        {
            "path": "" if i == 0 else f"{i}_{kind}",
            "type": f"sentence_transformers.models.{kind}",
        }
        for i, kind in enumerate(kinds)
    ]


def settings(folder: Path, files: Mapping[str, Any]) -> Settings:
    return read_settings(write(folder, files))


def test_a_classifier_of_transformers(tmp_path: Path) -> None:
    found = settings(
        tmp_path,
        {
            "config.json": CLASSIFIER | {"id2label": {"1": "yes", "0": "no"}},
            "tokenizer_config.json": {"model_max_length": 128},
        },
    )
    assert found.kind is Kind.CROSS
    assert found.labels == ("no", "yes")
    assert (found.max_length, found.positions, found.pad) == (128, 512, 0)
    assert found.scale is None


@pytest.mark.parametrize(
    ("family", "room"), [("roberta", 512), ("xlm-roberta", 512), ("bert", 514)]
)
def test_positions_are_never_more_than_the_table_has(
    tmp_path: Path, family: str, room: int
) -> None:
    config = {"model_type": family, "max_position_embeddings": 514, "pad_token_id": 1}
    found = settings(
        tmp_path, {"config.json": config, "tokenizer_config.json": {"model_max_length": 10**30}}
    )
    assert (found.positions, found.max_length) == (room, room)


def test_a_regression_is_stated(tmp_path: Path) -> None:
    found = settings(tmp_path, {"config.json": CLASSIFIER | {"problem_type": "regression"}})
    assert found.scale is Scale.REGRESSION


@pytest.mark.parametrize(
    ("config", "own"),
    [
        ({"sentence_transformers": {"activation_fn": "torch.nn.Tanh"}}, {}),
        ({"sbert_ce_default_activation_function": "torch.nn.Tanh"}, {}),
        ({"sentence_transformers": {"activation_fn": "old"}}, {"activation_fn": "torch.nn.Tanh"}),
    ],
)
def test_activations_wherever_a_version_wrote_them(
    tmp_path: Path, config: dict[str, Any], own: dict[str, Any]
) -> None:
    files = {"config.json": CLASSIFIER | config, "config_sentence_transformers.json": own}
    assert settings(tmp_path, files).activation == "torch.nn.Tanh"


def test_a_bi_encoder_of_sentence_transformers(tmp_path: Path) -> None:
    found = settings(
        tmp_path,
        {
            "config.json": BERT | {"architectures": ["BertModel"]},
            "modules.json": modules(*MODULES),
            "1_Pooling/config.json": {
                "pooling_mode_cls_token": True,
                "pooling_mode_mean_tokens": True,
            },
            "sentence_bert_config.json": {"max_seq_length": 256},
            "config_sentence_transformers.json": {
                "prompts": {"query": "query: ", "passage": "passage: "},
            },
        },
    )
    assert found.kind is Kind.BI
    assert found.pooling == ("cls", "mean")
    assert (found.normalise, found.max_length) == (True, 256)
    assert (found.query_prompt, found.document_prompt) == ("query: ", "passage: ")


def test_pooling_and_prompts_of_newer_versions(tmp_path: Path) -> None:
    found = settings(
        tmp_path,
        {
            "config.json": BERT,
            "modules.json": modules("Transformer", "Pooling"),
            "1_Pooling/config.json": {"pooling_mode": "lasttoken"},
            "config_sentence_transformers.json": {
                "prompts": {"find": "find: ", "document": ""},
                "default_prompt_name": "find",
                "similarity_fn_name": "dot",
            },
        },
    )
    assert found.pooling == ("lasttoken",)
    assert not found.normalise
    assert (found.query_prompt, found.document_prompt) == ("find: ", "find: ")


def test_the_modular_cross_encoder_and_a_transformer_in_its_own_folder(tmp_path: Path) -> None:
    listed = modules("Transformer", "Pooling", "Dense")
    listed[0]["path"] = "0_Transformer"
    found = settings(
        tmp_path,
        {
            "0_Transformer/config.json": BERT,
            "0_Transformer/sentence_bert_config.json": {"max_seq_length": 64},
            "modules.json": listed,
            "2_Dense/config.json": {"module_output_name": "scores", "out_features": 1},
        },
    )
    assert found.kind is Kind.CROSS
    assert (found.positions, found.max_length) == (512, 64)


def test_our_own_settings_win(tmp_path: Path) -> None:
    found = settings(
        tmp_path,
        {
            "config.json": CLASSIFIER,
            "crossrank.json": {
                "kind": "bi-encoder",
                "scale": "cosine",
                "max_length": 96,
                "pooling": "max",
                "normalise": False,
                "prompts": {"query": "q ", "document": "d "},
                "languages": ["de", "en"],
                "licence": "MIT",
            },
        },
    )
    assert found == Settings(
        kind=Kind.BI,
        positions=512,
        max_length=96,
        pad=0,
        scale=Scale.COSINE,
        pooling=("max",),
        normalise=False,
        query_prompt="q ",
        document_prompt="d ",
        languages=("de", "en"),
        licence="MIT",
    )


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"config.json": "{"}, "a JSON file wanted"),
        ({"config.json": "[]"}, "a JSON object wanted"),
        ({"crossrank.json": {"kind": "reranker"}}, "cross-encoder, bi-encoder wanted"),
        ({"modules.json": [{"name": "0"}]}, "a list of modules wanted"),
        ({"modules.json": modules("Router")}, "of type Transformer wanted, got Router"),
        ({"modules.json": modules("Transformer", "Pooling")}, "a pooling mode wanted"),
    ],
)
def test_what_cannot_be_understood_is_refused(
    tmp_path: Path, files: dict[str, Any], words: str
) -> None:
    with pytest.raises(ModelError, match=words):
        settings(tmp_path, files)


def test_graphs_are_found_by_their_usual_names(tmp_path: Path) -> None:
    write(tmp_path, {"onnx/model.onnx": "", "onnx/model_quantized.onnx": "", "tokenizer.json": ""})
    assert read_files(tmp_path).graph == tmp_path / "onnx/model.onnx"
    named = read_files(tmp_path, "onnx/model_quantized.onnx")
    assert named.graph.name == "model_quantized.onnx"
    with pytest.raises(NotFound, match=r"there is onnx/model.onnx, onnx/model_quantized.onnx"):
        read_files(tmp_path, "model_q4.onnx")
    write(tmp_path, {"model.onnx": ""})
    assert read_files(tmp_path).graph == tmp_path / "model.onnx"


def test_one_of_several_unusual_graphs_must_be_named(tmp_path: Path) -> None:
    write(tmp_path, {"model_a.onnx": "", "vocab.txt": ""})
    assert read_files(tmp_path).graph.name == "model_a.onnx"
    write(tmp_path, {"model_b.onnx": ""})
    with pytest.raises(ModelError, match=r"found model_a\.onnx, model_b\.onnx: name one"):
        read_files(tmp_path)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"pytorch_model.bin": ""}, r"only pickled weights \(pytorch_model.bin\)"),
        ({"config.json": BERT}, "found none"),
        ({"model.onnx": ""}, "a tokenizer.json wanted"),
    ],
)
def test_a_directory_without_what_it_takes_is_refused(
    tmp_path: Path, files: dict[str, Any], words: str
) -> None:
    with pytest.raises(ModelError, match=words):
        read_files(write(tmp_path, files))


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="a model directory wanted"):
        read_files(tmp_path / "nowhere")


def test_weights_alone_are_exported_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from crossrank.models import export

    made = write(tmp_path / "made", {"model.onnx": "", "tokenizer.json": ""})
    monkeypatch.setattr(export, "ensure_onnx", lambda folder: made)
    source = write(tmp_path / "source", {"model.safetensors": "", "config.json": CLASSIFIER})
    found = read_files(source)
    assert (found.folder, found.graph) == (source, made / "model.onnx")
    assert found.tokenizer == made / "tokenizer.json"
    assert found.settings.kind is Kind.CROSS
