"""What makes a directory a model: a graph or weights, a tokenizer, and settings."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from crossrank.errors import ModelError, NotFound
from crossrank.models.bundled import bundled
from crossrank.models.describe import read_settings
from crossrank.models.sbert import transformer_folder
from crossrank.models.settings import Settings
from crossrank.models.wire import lacking, with_weights

_TOKENIZERS = ("tokenizer.json", "vocab.txt")
_NAME: Final = re.compile(r"[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A model directory: where its parts lie and what it says about itself. Nothing is loaded.

    `tokenizer` is tokenizer.json, or the vocab.txt of an older BERT. `lender` is the model
    whose weights this one borrows; it may borrow itself.
    """

    folder: Path
    graph: Path
    tokenizer: Path
    settings: Settings
    lender: ModelFiles | None = None

    def whole(self) -> Path | bytes:
        """The graph as ONNX Runtime can load it: its file, or with what it borrows, its bytes.

        Raises ModelError when the lender is not the one that the model was made with.
        """
        return self.graph if self.lender is None else self.content()

    def content(self) -> bytes:
        """The bytes of the graph, with what it borrows. Raises ModelError as `whole`."""
        return self._completed(self.graph.read_bytes())

    def _completed(self, own: bytes) -> bytes:
        """The graph's own bytes and what they lack."""
        if self.lender is None:
            return own
        theirs = self.lender.graph.read_bytes()
        found = hashlib.sha256(theirs).hexdigest()
        if found != self.settings.lender_digest:
            raise ModelError(
                f"{self.folder} borrows weights of another {self.settings.lender} than "
                f"{self.lender.graph} (SHA-256 {self.settings.lender_digest or 'not stated'} "
                f"wanted, got {found}): take both models from the same release of crossrank"
            )
        lent = self.lender._completed(theirs)
        try:
            made = with_weights(own, lent)
            rest = lacking(made)
        except ValueError as error:
            raise ModelError(f"an ONNX graph wanted, {self.graph}: {error}") from error
        if rest:
            raise ModelError(
                f"{self.graph} lacks weights that {self.lender.graph} does not have: "
                f"{', '.join(sorted(rest)[:3])}"
            )
        return made


def read_files(folder: Path, graph: str = "", borrowers: tuple[Path, ...] = ()) -> ModelFiles:
    """The model in `folder`, its weights exported to ONNX first if that was never done.

    `graph` names one of several ONNX files, relative to `folder`: "onnx/model_quantized.onnx".
    `borrowers` are the models that this one lends its weights to.
    Raises NotFound when there is no such directory or graph, and ModelError when what is there is
    not a model or could run code when read (pickled weights).
    """
    if not folder.is_dir():
        raise NotFound(f"a model directory wanted, {folder} is not there: check the path")
    chosen = find_graph(folder, graph)
    made = chosen.parent if chosen else _exported(folder)
    settings = read_settings(folder)
    return ModelFiles(
        folder=folder,
        graph=chosen or made / "model.onnx",
        tokenizer=_tokenizer(folder, made),
        settings=settings,
        lender=_lender(folder, settings, borrowers) if settings.lender else None,
    )


def read_weights(folder: Path) -> ModelFiles:
    """The model in `folder` by its safetensors, for torch: nothing is exported, `graph` is them.

    Raises NotFound when there is no such directory, ModelError when it has no safetensors.
    """
    if not folder.is_dir():
        raise NotFound(f"a model directory wanted, {folder} is not there: check the path")
    found = sorted(transformer_folder(folder).glob("*.safetensors"))
    if not found:
        raise ModelError(f"safetensors wanted in {folder} to run with torch, found none")
    return ModelFiles(folder, found[0], _tokenizer(folder, folder), read_settings(folder))


def find_graph(folder: Path, name: str = "") -> Path | None:
    """The ONNX file to run: the named one, `model.onnx`, `onnx/model.onnx`, or the only one.

    Raises NotFound for a named one that is not there, ModelError for several to choose from.
    """
    found = sorted({*folder.glob("*.onnx"), *folder.glob("onnx/*.onnx")})
    if name:
        if not (folder / name).is_file():
            raise NotFound(f"the graph {name!r} wanted in {folder}, there is {_listed(found)}")
        return folder / name
    for usual in (folder / "model.onnx", folder / "onnx" / "model.onnx"):
        if usual in found:
            return usual
    if len(found) > 1:
        raise ModelError(f"one graph wanted in {folder}, found {_listed(found)}: name one (graph=)")
    return found[0] if found else None


def _lender(folder: Path, settings: Settings, borrowers: tuple[Path, ...]) -> ModelFiles:
    """The model to borrow from: the one beside `folder`, else the bundled one."""
    name = settings.lender
    if not _NAME.fullmatch(name):
        raise ModelError(f"{folder} borrows weights of {name!r}: the name of a model wanted")
    beside = folder.parent / name
    place = beside if (beside / "crossrank.json").is_file() else bundled(name)
    graph = find_graph(place) if place else None
    if place is None or graph is None:
        raise ModelError(
            f"{folder} borrows weights of the bundled model {name}, which is not there: "
            "copy it beside, or install crossrank anew"
        )
    chain = (*borrowers, folder.resolve())
    if place.resolve() in chain:
        raise ModelError(
            f"{place} borrows in the end its own weights: take it from a release again"
        )
    return read_files(place, "", chain)


def _listed(found: list[Path]) -> str:
    names = [path.name if path.parent.name != "onnx" else f"onnx/{path.name}" for path in found]
    return ", ".join(names) or "no .onnx file"


def _exported(folder: Path) -> Path:
    """The exported copy of a directory that has weights only."""
    if any(folder.rglob("*.safetensors")):
        from crossrank.models.export import ensure_onnx

        return ensure_onnx(folder)
    pickled = sorted(
        path.name
        for pattern in ("*.bin", "*.pt", "*.pth", "*.ckpt")
        for path in folder.glob(pattern)
    )
    if pickled:
        raise ModelError(
            f"{folder} has only pickled weights ({', '.join(pickled)}), which can run code when "
            "they are read, so they are not. Where you trust them, save them once as safetensors: "
            f"AutoModelForSequenceClassification.from_pretrained({str(folder)!r})"
            ".save_pretrained(OUT)"
        )
    raise ModelError(
        f"a model wanted in {folder} (model.onnx, onnx/*.onnx or model.safetensors), found none"
    )


def _tokenizer(folder: Path, made: Path) -> Path:
    for name in _TOKENIZERS:
        for place in (folder, transformer_folder(folder), made):
            if (place / name).is_file():
                return place / name
    raise ModelError(
        f"a tokenizer.json wanted in {folder}, found none: save it once with transformers, "
        f"AutoTokenizer.from_pretrained({str(folder)!r}).save_pretrained(...)"
    )
