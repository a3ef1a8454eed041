"""Documents and collections for the tests of the store."""

from __future__ import annotations

from pathlib import Path

from crossrank.io.document import Document
from crossrank.store import Collection

_WORDS = ("Laborkühlschrank", "Umluft", "freezer", "280 Liter", "DIN 13277", "Tür", "glass door")


def document(number: int, text: str = "", **fields: object) -> Document:
    """A document whose text depends on its number."""
    made = f"Nummer {number}: " + ", ".join(_WORDS[number % 3 :: 1 + number % 4])
    return Document(f"d{number}", text or made, f"Titel {number}", {"n": number, **fields})


def collection(folder: Path, count: int = 0, language: str = "auto") -> Collection:
    """A collection of so many documents."""
    made = Collection.create(folder / "collection", language)
    if count:
        made.add(document(number) for number in range(count))
    return made
