"""How close two forms of one model are: differences of their outputs and agreement of the order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from crossrank.errors import BadInput
from crossrank.types import Floats

_DE = (
    "Der Laborkühlschrank LABO-288 fasst 280 Liter und hält +2 °C bis +8 °C nach DIN 13277; er "
    "meldet Netzausfall, Tür offen und Übertemperatur mit einem Warnton und hat kein Eisfach."
)
_EN = (
    "This laboratory refrigerator holds 280 litres between +2 and +8 degrees Celsius, sounds an "
    "alarm when the door stays open, and is not meant for storing flammable solvents."
)
# (query, document): German and English, short and beyond 512 tokens, empty, and awkward Unicode.
PAIRS: Final[tuple[tuple[str, str], ...]] = (
    ("Laborkühlschrank 280 Liter DIN 13277", _DE),
    ("Kühlschrank ohne Eisfach", _DE),
    ("Gefrierschrank für Weinflaschen", _DE),
    ("Medikamentenkühlschrank mit Alarm?", "Haushaltskühlschrank, 150 l, weiß, leise."),
    ("laboratory refrigerator with door alarm", _EN),
    ("can I store solvents in it?", _EN),
    ("Kann ich darin Lösungsmittel lagern?", _EN),
    ("how do vaccines work", "Vaccines train the immune system to recognise a pathogen."),
    ("how do vaccines work", "The price of the vaccine was not disclosed by the company."),
    ("Wie kündige ich meine Wohnung?", "Die Kündigung bedarf der schriftlichen Form (§ 568 BGB)."),
    ("Wie kündige ich meine Wohnung?", "Straßenbahnen fahren sonntags im 20-Minuten-Takt."),
    ("1.500,50 €", "Der Preis beträgt 1.500,50 Euro; früher kostete das Gerät $1,500.50."),
    ("", _EN),
    ("leere Antwort", ""),
    ("   ", " \t\n"),
    ("Größe", "Gro\u0308ße in Unicode-Zerlegung, groß, GROSS, ẞ, ﬁ, ①, Å, ½"),
    ("emoji 🧊", "👩‍🔬 stellt die Probe in den 🧊-Schrank \u200b und schließt die Tür\u00a0."),
    ("東京 冷蔵庫", "実験用冷蔵庫 280 リットル · холодильник · ثلاجة المختبر · Ψυγείο"),
    ("x" * 300, "Donaudampfschifffahrtsgesellschaftskapitänsmütze" * 6),
    ("<mask> [SEP] </s>", "[CLS] text that looks like special tokens </s> <pad> [MASK]"),
    ("alarm", " ".join([_EN] * 24)),
    ("Netzausfall", " ".join([_DE] * 24)),
    (_DE, _EN),
    ("Stromverbrauch pro Jahr", " ".join([_EN, _DE] * 3)),
)


@dataclass(frozen=True, slots=True)
class Parity:
    """The drift between a reference and another form of a model, over the same inputs.

    `spread` is the standard deviation of the reference outputs, the measure of what a difference
    means; `tau` is Kendall's tau-b between the two orders, 1 when they agree.
    """

    inputs: int
    max_difference: float
    mean_difference: float
    spread: float
    tau: float

    def within(self, tolerance: float) -> bool:
        """Whether no output differs by more than `tolerance`, relative where outputs are > 1."""
        return self.max_difference <= tolerance * max(1.0, self.spread)

    def __str__(self) -> str:
        return (
            f"{self.inputs} inputs: largest difference {self.max_difference:.2g}, "
            f"mean {self.mean_difference:.2g} (outputs spread by {self.spread:.2g}), "
            f"rank agreement {self.tau:.4f}"
        )


def parity(reference: Floats, other: Floats, *, vectors: bool = False) -> Parity:
    """The drift from `reference` to `other`, both [n, labels], or [n, dimension] with `vectors`.

    The order compared is that of the inputs by each label, or that of the pairs of inputs by
    cosine. Raises BadInput for shapes that differ and for outputs that are not finite.
    """
    if reference.shape != other.shape or reference.ndim != 2:
        raise BadInput(f"outputs of one 2-D shape wanted, got {reference.shape}, {other.shape}")
    if not (np.isfinite(reference).all() and np.isfinite(other).all()):
        raise BadInput("finite model outputs wanted, got some that are not")
    difference = np.abs(reference.astype(np.float64) - other)
    pairs = zip(_orders(reference, vectors), _orders(other, vectors), strict=True)
    taus = [kendall_tau(one, two) for one, two in pairs]
    return Parity(
        inputs=len(reference),
        max_difference=float(difference.max(initial=0.0)),
        mean_difference=float(difference.mean()) if difference.size else 0.0,
        spread=float(reference.std()) if reference.size else 0.0,
        tau=float(np.mean(taus)) if taus else 1.0,
    )


def kendall_tau(one: npt.ArrayLike, two: npt.ArrayLike) -> float:
    """Kendall's tau-b of two lists of scores, -1 to 1; 1 when neither orders anything.

    Kendall (1945), The treatment of ties in ranking problems. Takes O(n²) time, O(n) memory.
    """
    a, b = np.asarray(one, dtype=np.float64), np.asarray(two, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 1:
        raise BadInput(f"two lists of one length wanted, got shapes {a.shape} and {b.shape}")
    agree = first = second = 0.0
    for at in range(len(a) - 1):
        left, right = np.sign(a[at + 1 :] - a[at]), np.sign(b[at + 1 :] - b[at])
        agree += float(left @ right)
        first += float(np.abs(left).sum())
        second += float(np.abs(right).sum())
    if first == 0.0 and second == 0.0:
        return 1.0
    return agree / float(np.sqrt(first * second)) if first and second else 0.0


def _orders(outputs: Floats, vectors: bool) -> list[Floats]:
    if not vectors:
        return list(outputs.T)
    length = np.maximum(np.linalg.norm(outputs, axis=1, keepdims=True), 1e-12)
    unit = outputs / length
    upper = np.triu_indices(len(outputs), 1)
    return [np.asarray((unit @ unit.T)[upper], dtype=np.float32)]
