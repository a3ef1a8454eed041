"""From the name a user gives to a directory: a path, a bundled model, or an id of the hub."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from crossrank.errors import Error, ModelError, NotFound, Offline
from crossrank.models.bundled import bundled, bundled_names

_ID: Final = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
# Everything a model needs beside its weights; no code, no pickles, no other frameworks.
_SIDECARS: Final = ("*.json", "*.txt", "*.model", "*.jinja", "README.md")
_CLIENTS: Final = frozenset({"httpx", "httpx2", "requests", "urllib3"})
_TIMEOUT: Final = 10.0  # seconds
_EXTRA_FOLDERS: Final = ("openvino/*", "checkpoint*/*", "runs/*", "eval/*", "coreml/*")


def find_model(name: str | Path, *, graph: str = "", revision: str = "") -> Path:
    """The directory of a model.

    A path that exists is used as it is, then come the bundled names, then ids of the Hugging
    Face hub ("cross-encoder/ms-marco-MiniLM-L6-v2"): from the local cache without a request where
    it is there, else downloaded with progress on stderr, only the files that are needed.
    `graph` names one ONNX file of several, `revision` a branch, tag or commit on the hub.
    Raises NotFound for a name that is none of these, Offline when the hub cannot be reached.
    """
    path = Path(name).expanduser()
    if path.is_dir():
        return path
    found = bundled(str(name))
    if found is not None:
        return found
    if _means_a_path(name) or not _ID.fullmatch(str(name)):
        raise NotFound(
            f"a model wanted, {str(name)!r} is neither a directory nor a bundled model "
            f"({', '.join(bundled_names()) or 'none here'}) nor an id of the hub (owner/name)"
        )
    return cached(str(name), graph, revision) or _downloaded(str(name), graph, revision)


def _means_a_path(name: str | Path) -> bool:
    text = str(name)
    return isinstance(name, Path) or text.startswith(("/", ".", "~")) or "\\" in text


def cached(name: str, graph: str = "", revision: str = "") -> Path | None:
    """The model in the hub's local cache, if all of it is there; asks nobody."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(name, revision=revision or None, local_files_only=True))
    except (LocalEntryNotFoundError, OSError, ValueError):
        return None
    return folder if _complete(folder, graph) else None


def _complete(folder: Path, graph: str) -> bool:
    """Whether a cached copy has weights and a tokenizer: another program may have left a part."""
    from crossrank.models.files import find_graph

    try:
        weights = find_graph(folder, graph) or any(folder.rglob("*.safetensors"))
    except Error:
        return False
    return bool(weights) and any(folder.rglob("tokenizer.json"))


def _downloaded(name: str, graph: str, revision: str) -> Path:
    import huggingface_hub as hub
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

    try:
        # one request that is not repeated: without a network this fails at once
        found = hub.HfApi().model_info(name, revision=revision or None, timeout=_TIMEOUT)
        files = [each.rfilename for each in found.siblings or ()]
        return Path(
            hub.snapshot_download(
                name, revision=revision or None, allow_patterns=needed(files, graph)
            )
        )
    except GatedRepoError as error:
        raise NotFound(
            f"{name!r} asks for an agreement on its page first: accept it there, then run "
            "`hf auth login`"
        ) from error
    except RepositoryNotFoundError as error:
        raise NotFound(f"a model wanted, the hub has no {name!r} that you may read") from error
    except HfHubHTTPError as error:
        if error.response is not None and error.response.status_code == 404:
            raise NotFound(f"the hub has no {revision or 'main'!r} of {name!r}") from error
        raise _offline(name, error) from error
    except Exception as error:
        if _of_the_network(error):
            raise _offline(name, error) from error
        raise


def _of_the_network(error: Exception) -> bool:
    """Whether an error is one of those that the hub's client lets through without a network.

    Which library it uses changes with its version: httpx2, httpx, requests before.
    """
    modules = {each.__module__.partition(".")[0] for each in type(error).__mro__}
    return isinstance(error, OSError) or bool(modules & _CLIENTS)


def _offline(name: str, error: Exception) -> Offline:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return Offline(
        f"{name!r} is neither a local directory, nor in the cache, nor can it be downloaded now "
        f"({reason}): download it where there is a network (`hf download {name} --local-dir DIR`) "
        "and give the path of that directory instead"
    )


def needed(files: Sequence[str], graph: str = "") -> list[str]:
    """The files of a repository to download: settings, tokenizer, and one form of the weights.

    That is the named graph, else `model.onnx` or `onnx/model.onnx` (with its external data),
    else the safetensors. Raises ModelError when there is none of these.
    """
    from fnmatch import fnmatch

    def matching(*patterns: str) -> list[str]:
        return [file for file in files if any(fnmatch(file, each) for each in patterns)]

    dropped = set(matching(*_EXTRA_FOLDERS))
    sidecars = [file for file in matching(*_SIDECARS) if file not in dropped]
    usual = (graph,) if graph else ("model.onnx", "onnx/model.onnx")
    chosen = next((file for file in usual if file in files), "")
    if chosen:
        return [*sidecars, chosen, *matching(f"{chosen}_data", f"{chosen}.data")]
    if graph:
        onnx = ", ".join(matching("*.onnx")) or "no .onnx file"
        raise NotFound(f"the graph {graph!r} wanted, the repository has {onnx}")
    weights = [file for file in matching("*.safetensors") if file not in dropped]
    if not weights:
        raise ModelError(
            "model.onnx, onnx/model.onnx or safetensors wanted, the repository has only "
            f"{', '.join(matching('*.bin', '*.onnx', '*.h5', '*.msgpack')) or 'other files'}"
        )
    return [*sidecars, *weights]
