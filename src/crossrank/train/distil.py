"""Distillation: teachers score candidates once, a smaller or faster student learns from that."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from crossrank.config import cache_dir
from crossrank.errors import BadInput
from crossrank.io.trec import read_run
from crossrank.rerank.cache import FileStore
from crossrank.train.config import KINDS, TrainConfig, beside
from crossrank.train.run import Material, Trained, gather, train
from crossrank.train.tables import load
from crossrank.train.teachers import (
    Done,
    EncoderTeacher,
    RunTeacher,
    ScorerTeacher,
    Teacher,
    squashed,
    taught,
)
from crossrank.types import Ranking

if TYPE_CHECKING:
    from crossrank.train.loop import Watcher

OBJECTIVES: Final = ("mse", "margin-mse", "rank-net", "kl", "list-net")


@dataclass(frozen=True, slots=True)
class TeacherSpec:
    """A teacher by name: `model` a cross-encoder, `encoder` a bi-encoder, or `run` a TREC run.

    Names are directories, hub ids or bundled names.
    """

    model: str = ""
    encoder: str = ""
    run: Path | None = None
    weight: float = 1.0

    def __post_init__(self) -> None:
        if sum(map(bool, (self.model, self.encoder, self.run))) != 1:
            raise BadInput("one of model, encoder or run wanted for a teacher")
        if not self.weight > 0:
            raise BadInput(f"a weight above 0 wanted, got {self.weight:g}")


@dataclass(frozen=True, slots=True)
class DistilConfig(TrainConfig):
    """A training run whose labels come from teachers; those in the data only measure it.

    kind: what the student is. cache: the file that keeps the teachers' scores, by default one in
    crossrank's cache directory.
    """

    objective: str = "margin-mse"
    kind: str = "bi-encoder"
    teacher: tuple[TeacherSpec, ...] = ()
    cache: Path | None = None

    def __post_init__(self) -> None:
        TrainConfig.__post_init__(self)
        if self.kind not in KINDS:
            raise BadInput(f"kind {', '.join(KINDS)} wanted, got {self.kind!r}")
        if self.objective not in OBJECTIVES:
            raise BadInput(f"objective {', '.join(OBJECTIVES)} wanted, got {self.objective!r}")
        if not self.teacher:
            raise BadInput("one or more [[teacher]] tables wanted, got none")
        if len(self.train) > 1 and any(each.run for each in self.teacher):
            raise BadInput("one [[train]] table wanted with a run as teacher: its ids are theirs")


def load_distil(path: Path) -> DistilConfig:
    """The configuration in a TOML file; paths in it are relative to its folder."""
    config = load(DistilConfig, path)
    teachers = tuple(
        replace(each, model=beside(path, each.model), encoder=beside(path, each.encoder))
        for each in config.teacher
    )
    return replace(config, model=beside(path, config.model), teacher=teachers)


def distil(
    config: DistilConfig,
    teachers: Sequence[Teacher] = (),
    scored: Done = lambda count: None,
    watch: Watcher | None = None,
) -> Trained:
    """Trains a student on its teachers' scores; both halves go on where a killed run stood.

    teachers: in place of those that `config` names. `scored` is told the pairs scored so far.
    """
    material = gather(config)
    labels = taught(material.train, teachers or load_teachers(config), scored)
    settings = replace(
        config,
        scale=str(labels.scale) if config.objective == "mse" else "raw",
        groups=replace(config.groups, positive=float("-inf")),
    )
    return train(config.kind, settings, fitted(config, material, labels), watch)


def fitted(config: DistilConfig, material: Material, labels: Ranking) -> Material:
    """The material with the teachers' labels, in the form the student's scores can take."""
    cosines = config.kind == "bi-encoder" and config.objective == "mse"
    return replace(material, train=squashed(labels) if cosines else labels)


def load_teachers(config: DistilConfig) -> list[Teacher]:
    """The teachers that a configuration names; scores of cross-encoders are kept on disk."""
    return [_teacher(spec, config.cache) for spec in config.teacher]


def _teacher(spec: TeacherSpec, cache: Path | None) -> Teacher:
    if spec.run is not None:
        return RunTeacher(read_run(spec.run), spec.weight)
    if spec.encoder:
        from crossrank.models import BiEncoder

        return EncoderTeacher(BiEncoder(spec.encoder), spec.weight)
    from crossrank.models import CrossEncoder

    scorer = CrossEncoder(spec.model)
    return ScorerTeacher(scorer, FileStore(cache or _default_cache(scorer.name)), spec.weight)


def _default_cache(name: str) -> Path:
    digest = hashlib.blake2b(name.encode(), digest_size=8).hexdigest()
    return cache_dir() / "teachers" / f"{digest}.sqlite"
