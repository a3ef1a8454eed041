"""The models that come with the package, and those of folders that $CROSSRANK_MODELS names."""

from __future__ import annotations

import os
from importlib import resources
from pathlib import Path
from typing import Final

ENVIRONMENT: Final = "CROSSRANK_MODELS"


def bundled(name: str) -> Path | None:
    """The folder of the bundled model `name`; those of $CROSSRANK_MODELS come first."""
    return next((each / name for each in _folders() if _is_model(each / name)), None)


def bundled_names() -> list[str]:
    """The names of all bundled models, sorted."""
    present = [folder for folder in _folders() if folder.is_dir()]
    return sorted({path.name for folder in present for path in folder.iterdir() if _is_model(path)})


def _folders() -> list[Path]:
    extra = [Path(each) for each in os.environ.get(ENVIRONMENT, "").split(os.pathsep) if each]
    return [*extra, Path(str(resources.files("crossrank"))) / "assets" / "models"]


def _is_model(path: Path) -> bool:
    return (path / "crossrank.json").is_file() and any(path.glob("*.onnx"))
