"""A small collection in both languages, and the same texts in memory."""

from __future__ import annotations

from pathlib import Path

from crossrank import MemoryCorpus
from crossrank.io.document import Document
from crossrank.store import Collection
from fakes import FakeEncoder

TEXTS = (
    "Laborkühlschrank mit 280 Litern nach DIN 13277",
    "Medikamentenkühlschrank mit 280L, ohne Gefrierfach, nach DIN 13277",
    "Kühlschrank für die Küche, 300 l, mit Gefrierfach",
    "Gefrierschrank LABO-288 bis -20 °C",
    "Das Labor prüft die Kühlung der Schränke",
    "The fridge in the laboratory holds 280 litres",
    "A freezer without frost",
    "A freezer without frost",
    "Wine fridge, two zones, 5 to 18 °C",
    "Der Schrank steht in der Küche",
)
PRICES = (900, 1200, 300, 1500, 0, 850, 400, 400, 600, 90)


def memory() -> MemoryCorpus:
    return MemoryCorpus([f"d{i}" for i in range(len(TEXTS))], TEXTS)


def collection(folder: Path, texts: tuple[str, ...] = TEXTS) -> Collection:
    made = Collection.create(folder)
    made.add(
        [Document(f"d{i}", text, fields={"price": PRICES[i % 10]}) for i, text in enumerate(texts)],
        [FakeEncoder()],
    )
    return made
