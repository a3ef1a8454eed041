"""Models together with the calibrations saved beside them."""

from __future__ import annotations

from pathlib import Path

from crossrank.models import BiEncoder, CrossEncoder
from crossrank.tasks.calibration import Calibrated, Calibration
from crossrank.tasks.duplicates.decision import Decision
from crossrank.tasks.duplicates.scoring import Judge
from crossrank.tasks.saved import Purpose, read_calibration
from crossrank.types import Encoder


def calibrated(
    scorer: CrossEncoder, purpose: Purpose = "relevance", kept: Path | None = None
) -> Calibrated:
    """The scorer with calibrated scores: by `kept`, or by what is saved beside the model.

    Raises NotFound, naming the command that makes one, when there is no calibration.
    """
    stored = read_calibration(kept or scorer.folder, purpose)
    return Calibrated(scorer, Calibration.from_dict(stored))


def duplicate_judge(
    model: str | Path, encoder: str | Path | Encoder, kept: Path | None = None
) -> Judge:
    """What decides about duplicates: a cross-encoder, a bi-encoder, and their calibration.

    Raises NotFound when there is no calibration, BadInput when it is for other models.
    """
    scorer = CrossEncoder(model)
    vectors = BiEncoder(encoder) if isinstance(encoder, str | Path) else encoder
    stored = read_calibration(kept or scorer.folder, "duplicate")
    return Judge(scorer, vectors, Decision.from_dict(stored))
