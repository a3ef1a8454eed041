"""Everything a training run is told, as one value that a TOML file describes.

model = "bert-base-german-cased"
output = "runs/first"
objective = "bce"

[[train]]
path = "pairs.jsonl.gz"

[dev]
path = "dev.jsonl.gz"
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from crossrank.errors import BadInput
from crossrank.train.objectives.table import NAMES, Objective
from crossrank.train.sources import Source
from crossrank.train.tables import load
from crossrank.types import Scale

KINDS: Final = ("cross-encoder", "bi-encoder", "late-interaction")
PRECISIONS: Final = ("fp32", "bf16")
SCHEDULES: Final = ("linear", "cosine", "constant")


def _require(ok: bool, wanted: str, came: object) -> None:
    if not ok:
        raise BadInput(f"{wanted} wanted, got {came!r}")


@dataclass(frozen=True, slots=True)
class Start:
    """How the starting point is made smaller: layers kept, pieces of the vocabulary kept.

    layers: a number (evenly spaced ones are kept, the last among them) or a list of numbers from
    0. vocabulary: how many pieces, the most frequent ones in the training texts and in `texts`
    (text files, or JSONL with `text`).
    """

    layers: int | tuple[int, ...] = 0
    vocabulary: int = 0
    texts: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        count = self.layers if isinstance(self.layers, int) else min(self.layers, default=0)
        _require(count >= 0, "layers from 0", self.layers)
        _require(self.vocabulary >= 0, "a vocabulary of 0 (all) or more pieces", self.vocabulary)


@dataclass(frozen=True, slots=True)
class Optimiser:
    """AdamW and its schedule. batch: queries (or pairs) a step and device, times `accumulate`.

    steps: a number of updates, 0 for `epochs`. warmup: share of the updates.
    """

    learning_rate: float = 2e-5
    schedule: str = "linear"
    warmup: float = 0.1
    weight_decay: float = 0.01
    clip: float = 1.0
    batch: int = 16
    accumulate: int = 1
    epochs: int = 1
    steps: int = 0
    precision: str = "fp32"
    gradient_checkpointing: bool = False

    def __post_init__(self) -> None:
        _require(self.learning_rate > 0, "a learning_rate above 0", self.learning_rate)
        _require(self.schedule in SCHEDULES, f"schedule {', '.join(SCHEDULES)}", self.schedule)
        _require(0 <= self.warmup < 1, "warmup from 0 to below 1", self.warmup)
        _require(self.weight_decay >= 0, "weight_decay of 0 or more", self.weight_decay)
        for name in ("batch", "accumulate", "epochs"):
            value = getattr(self, name)
            _require(value >= 1, f"{name} of 1 or more", value)
        _require(self.steps >= 0, "steps of 0 or more", self.steps)
        _require(self.precision in PRECISIONS, f"precision {', '.join(PRECISIONS)}", self.precision)


@dataclass(frozen=True, slots=True)
class Groups:
    """How many documents of a query come together, for losses that compare them.

    size: documents a group, one of them positive (label of `positive` or more) where the query
    has one. random: how many of them are drawn from all documents, unjudged, as label 0.
    """

    size: int = 8
    positive: float = 1e-6
    random: int = 0

    def __post_init__(self) -> None:
        _require(self.size >= 2, "groups of 2 or more documents", self.size)
        _require(0 <= self.random < self.size, f"random from 0 to {self.size - 1}", self.random)


@dataclass(frozen=True, slots=True)
class Watch:
    """When the run looks at itself, in updates. patience: evaluations without a better one.

    Checkpoints are written at multiples of `log_every`; evaluate_every 0: ten times a run.
    """

    log_every: int = 10
    evaluate_every: int = 0
    checkpoint_every: int = 0
    patience: int = 0

    def __post_init__(self) -> None:
        _require(self.log_every >= 1, "log_every of 1 or more", self.log_every)
        for name in ("evaluate_every", "checkpoint_every", "patience"):
            _require(getattr(self, name) >= 0, f"{name} of 0 or more", getattr(self, name))


@dataclass(frozen=True, slots=True)
class Dev(Source):
    """The labelled data a run is measured on; `run` (TREC) names the candidates to be ordered.

    Without a run the candidates are the labelled documents. measure: a measure such as nDCG@10,
    or spearman or accuracy for pairs.
    """

    split: str = "dev"
    run: Path | None = None
    depth: int = 100
    measure: str = "nDCG@10"


@dataclass(frozen=True, slots=True)
class Similarity:
    """Of bi-encoders: pooling, prompts, and what cosines are multiplied with before a softmax.

    in_batch: documents of the other queries of a batch are negatives too. dimension: of the
    token vectors of a late-interaction model.
    """

    pooling: str = "mean"
    query_prompt: str = ""
    document_prompt: str = ""
    scale: float = 20.0
    in_batch: bool = True
    dimension: int = 128

    def __post_init__(self) -> None:
        _require(self.pooling in ("mean", "cls"), "pooling mean or cls", self.pooling)
        _require(self.scale > 0, "a scale above 0", self.scale)
        _require(self.dimension >= 1, "a dimension of 1 or more", self.dimension)


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """A training run. Either `dev` or a share `holdout` of the training queries measures it.

    scale: what a cross-encoder's scores mean, where the labels say more than the objective does:
    "logit" for mse on the logits of a teacher.
    """

    model: str
    train: tuple[Source, ...]
    output: Path
    objective: str = "bce"
    temperature: float = 1.0
    gbce_t: float = 0.75
    scale: str = ""
    max_length: int = 256
    query_length: int = 64
    seed: int = 0
    dev: Dev | None = None
    holdout: float = 0.0
    start: Start = field(default_factory=Start)
    optimiser: Optimiser = field(default_factory=Optimiser)
    groups: Groups = field(default_factory=Groups)
    similarity: Similarity = field(default_factory=Similarity)
    watch: Watch = field(default_factory=Watch)

    def __post_init__(self) -> None:
        _require(bool(self.train), "one or more [[train]] tables", self.train)
        if self.objective not in NAMES:
            raise BadInput(f"objective {', '.join(NAMES)} wanted, got {self.objective!r}")
        _require(
            not self.scale or self.scale in set(Scale), f"scale {', '.join(Scale)}", self.scale
        )
        _require(self.max_length >= 8, "a max_length of 8 or more tokens", self.max_length)
        _require(self.query_length >= 4, "a query_length of 4 or more tokens", self.query_length)
        _require(0 <= self.holdout < 1, "holdout from 0 to below 1", self.holdout)
        if self.dev is not None and self.holdout:
            raise BadInput("either [dev] or holdout wanted, got both")
        if self.watch.patience and self.dev is None and not self.holdout:
            raise BadInput("patience needs something to watch: add [dev] or holdout")

    def loss(self, rate: float) -> Objective:
        """The objective; `rate` is the share of a query's negatives that a group holds."""
        return Objective(self.objective, self.gbce_t, rate, self.temperature)


def load_config(path: Path) -> TrainConfig:
    """The configuration in a TOML file; paths in it are relative to its folder."""
    config = load(TrainConfig, path)
    return replace(config, model=beside(path, config.model))


def beside(path: Path, model: str) -> str:
    """The model directory of that name beside a configuration, else the name as it is."""
    here = path.parent / model
    return str(here) if model and here.is_dir() else model
