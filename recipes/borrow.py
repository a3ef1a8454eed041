"""Lets crossrank-small borrow what crossrank-embed has too.

python recipes/borrow.py --models OUT

OUT holds both models as ship.py and lexical.py made them. Their words and a part of the lower
layers are the same to the last bit, and stay in crossrank-embed's file alone: no score changes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import onnx

from crossrank.io.lines import replaced
from crossrank.models.files import read_files
from crossrank.train.borrow import without_borrowed


def read_whole(folder: Path) -> onnx.ModelProto:
    """The graph of a model, with what it borrows."""
    return onnx.load_from_string(read_files(folder).content())


def write_borrowing(model: onnx.ModelProto, folder: Path, lender: Path) -> None:
    """Saves the cross-encoder in `folder` without what the model in `lender` has."""
    lean = without_borrowed(model, read_whole(lender))
    digest = hashlib.sha256((lender / "model.onnx").read_bytes()).hexdigest()
    settings = json.loads((folder / "crossrank.json").read_text(encoding="utf-8"))
    settings["borrows"] = {"model": lender.name, "sha256": digest}
    onnx.save(lean, folder / "model.onnx")
    with replaced(folder / "crossrank.json") as out:
        out.write(json.dumps(settings, indent=2, ensure_ascii=False) + "\n")
    print(f"{folder}: {(folder / 'model.onnx').stat().st_size / 1e6:.1f} MB")


def main() -> None:
    """Writes crossrank-small again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, required=True)
    given = parser.parse_args()
    small, embed = (given.models / f"crossrank-{name}" for name in ("small", "embed"))
    write_borrowing(read_whole(small), small, embed)


if __name__ == "__main__":
    main()
