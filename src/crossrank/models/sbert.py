"""The files of sentence-transformers: modules.json and what its modules keep in their folders."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from crossrank.errors import ModelError
from crossrank.models.settings import Kind, Settings, read_json

_CONFIG: Final = "config_sentence_transformers.json"
_DOCUMENT_PROMPTS: Final = ("document", "passage", "corpus")
_LEGACY_POOLING: Final = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
# Modules that the run time knows how to apply to token vectors; others only inside a graph.
RUNNABLE: Final = frozenset({"Transformer", "Pooling", "Normalize"})


def with_sentence_transformers(folder: Path, settings: Settings) -> Settings:
    """The settings as the files of sentence-transformers have them, unchanged without any."""
    config = read_json(transformer_folder(folder) / "config.json")
    own = read_json(folder / _CONFIG)
    modules = read_modules(folder)
    length = read_json(folder / "sentence_bert_config.json").get("max_seq_length")
    query, document = _prompts(own)
    changed = replace(
        settings,
        max_length=int(length) if isinstance(length, int) else settings.max_length,
        activation=_activation(config, own) or settings.activation,
        normalise=_normalise(modules, own),
        query_prompt=query,
        document_prompt=document,
    )
    return _with_modules(folder, modules, changed) if modules else changed


def read_modules(folder: Path) -> list[tuple[str, Path]]:
    """The class name and the folder of each module in modules.json; empty without that file."""
    path = folder / "modules.json"
    if not path.is_file():
        return []
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))
        return [
            (str(each["type"]).rpartition(".")[2], folder / str(each["path"])) for each in listed
        ]
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise ModelError(f"a list of modules wanted in {path}, got {error!r}") from error


def transformer_folder(folder: Path) -> Path:
    """Where the encoder and its tokenizer lie: the folder of the first module, else `folder`."""
    modules = read_modules(folder)
    return modules[0][1] if modules else folder


def _with_modules(folder: Path, modules: Sequence[tuple[str, Path]], given: Settings) -> Settings:
    kinds = [kind for kind, _ in modules]
    if kinds[0] != "Transformer":
        raise ModelError(f"{folder}: a first module of type Transformer wanted, got {kinds[0]}")
    length = read_json(modules[0][1] / "sentence_bert_config.json").get("max_seq_length")
    given = replace(given, max_length=int(length)) if isinstance(length, int) else given
    if _scores(modules):
        return replace(given, kind=Kind.CROSS)
    if "Pooling" not in kinds:
        return given
    at = modules[kinds.index("Pooling")][1]
    return replace(given, kind=Kind.BI, pooling=_pooling(at))


def _scores(modules: Sequence[tuple[str, Path]]) -> bool:
    """Whether the last module turns a vector into scores: the modular cross-encoder."""
    kind, folder = modules[-1]
    name = read_json(folder / "config.json").get("module_output_name")
    return kind == "LogitScore" or name == "scores"


def _pooling(folder: Path) -> tuple[str, ...]:
    config = read_json(folder / "config.json")
    named = config.get("pooling_mode")
    if config.get("include_prompt") is False:
        raise ModelError(f"{folder}: pooling without the prompt's tokens is not supported")
    if named:
        return (named,) if isinstance(named, str) else tuple(map(str, named))
    chosen = tuple(new for old, new in _LEGACY_POOLING.items() if config.get(old))
    if not chosen:
        raise ModelError(f"a pooling mode wanted in {folder / 'config.json'}, found none")
    return chosen


def _normalise(modules: Sequence[tuple[str, Path]], own: Mapping[str, Any]) -> bool:
    """Unit length, unless the directory says that its vectors are compared by inner product."""
    if any(kind == "Normalize" for kind, _ in modules):
        return True
    return own.get("similarity_fn_name") not in ("dot", "dot_product")


def _prompts(own: Mapping[str, Any]) -> tuple[str, str]:
    prompts = own.get("prompts") or {}
    default = str(prompts.get(own.get("default_prompt_name"), ""))
    document = next((prompts[name] for name in _DOCUMENT_PROMPTS if prompts.get(name)), default)
    return str(prompts.get("query") or default), str(document)


def _activation(config: Mapping[str, Any], own: Mapping[str, Any]) -> str:
    """What `predict` applies, as 6.x, 4.x and older versions write it down."""
    nested = config.get("sentence_transformers") or {}
    legacy = config.get("sbert_ce_default_activation_function")
    return str(own.get("activation_fn") or nested.get("activation_fn") or legacy or "")
