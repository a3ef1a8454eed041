"""A training run from its configuration to a model directory, resumable at any moment."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from crossrank.errors import BadInput
from crossrank.extras import require
from crossrank.io.lines import replaced
from crossrank.io.problems import Problems
from crossrank.train.config import KINDS, Dev, TrainConfig
from crossrank.train.dev import DevSet, dev_set, load_dev
from crossrank.train.labelled import merged
from crossrank.train.leaks import Leaks, leaks
from crossrank.train.plan import Plan
from crossrank.train.sources import read_source
from crossrank.train.split import split
from crossrank.types import Ranking

if TYPE_CHECKING:
    from crossrank.train.loop import Watcher
    from crossrank.train.students import Student

NOTES: Final = "training"
"""The folder in the output that holds what is said about the run."""


@dataclass(frozen=True, slots=True)
class Material:
    """The labelled data of a run, what measures it, and what was wrong with either."""

    train: Ranking
    dev: DevSet | None
    problems: Problems
    leaks: Leaks | None = None


@dataclass(frozen=True, slots=True)
class Trained:
    """What came out: the model's folder, the log of the run, and all that is known about it."""

    folder: Path
    log: Sequence[dict[str, float]]
    card: dict[str, Any]


def gather(config: TrainConfig) -> Material:
    """Reads all data of a configuration, holds out queries if asked, looks for leaks."""
    problems = Problems()
    train = merged([read_source(source, problems) for source in config.train])
    dev = load_dev(config.dev, problems) if config.dev else None
    if config.holdout:
        shares = {"train": 1 - config.holdout, "dev": config.holdout}
        parts = split(train, shares, config.seed)
        train, dev = parts["train"], dev_set(parts["dev"])
        if not len(train.docs) or not len(parts["dev"].docs):
            raise BadInput(f"queries on both sides of holdout = {config.holdout} wanted, too few")
    pairs = all(source.format == "pairs" for source in (*config.train, *_given(config.dev)))
    found = leaks(train, dev.qrels, documents=pairs) if dev else None
    return Material(train, dev, problems, found)


def _given(dev: Dev | None) -> tuple[Dev, ...]:
    return () if dev is None else (dev,)


def train(
    kind: str, config: TrainConfig, material: Material | None = None, watch: Watcher | None = None
) -> Trained:
    """Trains a model of that kind; goes on where an earlier process with the same settings stood.

    The model is written into `config.output`, its best state on the development set if there is
    one, with a report in `training/`. Raises BadInput when the output holds a finished model or a
    run with other settings.
    """
    for module in ("torch", "transformers", "accelerate", "sentence_transformers", "matplotlib"):
        require(module, extra="train")
    if kind not in KINDS:
        raise BadInput(f"a kind ({', '.join(KINDS)}) wanted, got {kind!r}")
    notes = config.output / NOTES
    _begin(kind, config, notes)
    material = material or gather(config)
    loop, student, plan = _ready(kind, config, material, notes, watch)
    from crossrank.train.checkpoints import latest
    from crossrank.train.students.quiet import quiet

    with quiet():
        loop.go(latest(notes / "checkpoints"))
    log = [dict(entry) for entry in loop.state.log_history]
    card = _card(kind, config, material, student, plan, log)
    _finish(config.output, notes, card, log)
    return Trained(config.output, log, card)


def _ready(
    kind: str, config: TrainConfig, material: Material, notes: Path, watch: Watcher | None
) -> tuple[Any, Student, Plan]:
    """The loop with everything in it, the student made from the seed."""
    from transformers import set_seed

    from crossrank.train.loop import Goal, Loop, unwatched
    from crossrank.train.objectives import objective
    from crossrank.train.settings import arguments, updates
    from crossrank.train.start import load_student, recompute_activations

    contrastive = config.loss(0.0).contrastive
    in_batch = kind != "cross-encoder" and config.similarity.in_batch and contrastive
    batch = config.optimiser.batch
    plan = Plan(
        material.train, config.loss(0.0), config.groups, batch, config.seed, in_batch=in_batch
    )
    steps = updates(config, plan.epoch)
    plan.over(steps * batch * config.optimiser.accumulate)
    chosen = config.loss(plan.rate())
    set_seed(config.seed)
    student = load_student(kind, config, chosen, material.train)
    if config.optimiser.gradient_checkpointing:
        recompute_activations(student.module)
    goal = Goal(
        objective(chosen),
        material.dev,
        notes / "best",
        config.watch.patience,
        in_batch,
    )
    asked = arguments(config, steps, notes / "checkpoints", material.dev is not None)
    return Loop(student, plan, goal, asked, watch or unwatched), student, plan


def _begin(kind: str, config: TrainConfig, notes: Path) -> None:
    """Refuses an output that is taken; notes the settings of a run that starts."""
    from crossrank.train.settings import as_json, versions

    settings = {"kind": kind, **as_json(asdict(config))}
    path = notes / "settings.json"
    if path.is_file():
        before = json.loads(path.read_text(encoding="utf-8"))["settings"]
        changed = sorted(
            key for key in {*before, *settings} if before.get(key) != settings.get(key)
        )
        if changed:
            raise BadInput(
                f"{config.output} holds a run with other settings ({', '.join(changed)}): "
                "choose another output, or delete it"
            )
    if (notes / "report.json").is_file() or any(config.output.glob("*.safetensors")):
        raise BadInput(
            f"{config.output} holds a finished model: choose another output, or delete it"
        )
    if not path.is_file():
        _write_json(path, {"settings": settings, "versions": versions()})


def _card(
    kind: str,
    config: TrainConfig,
    material: Material,
    student: Student,
    plan: Plan,
    log: Sequence[dict[str, float]],
) -> dict[str, Any]:
    from crossrank.train.settings import as_json, versions
    from crossrank.train.shrink import describe

    values = [(entry["step"], entry["dev"]) for entry in log if "dev" in entry]
    best = max(values, key=lambda pair: (pair[1], pair[0]), default=None)
    inner = getattr(student.module, "model", student.module)
    return {
        "kind": kind,
        "start": config.model,
        "model": describe(inner if hasattr(inner, "config") else student.module),
        "objective": config.objective,
        "measure": material.dev.measure if material.dev else "",
        "best": {"step": best[0], "value": best[1]} if best else None,
        "steps": int(log[-1]["step"]) if log else 0,
        "seconds": log[-1]["seconds"] if log else 0.0,
        "seed": config.seed,
        "data": _data_card(material, plan),
        "settings": as_json(asdict(config)),
        "versions": versions(),
    }


def _data_card(material: Material, plan: Plan) -> dict[str, Any]:
    train = material.train
    values = sorted({float(label) for label in train.scores})
    counts = (
        {f"{value:g}": int((train.scores == value).sum()) for value in values}
        if len(values) <= 10
        else {f"{values[0]:g} to {values[-1]:g}": len(train.scores)}
    )
    return {
        "queries": len(train.queries),
        "pairs": len(train.docs),
        "labels": counts,
        "queries_left_out": plan.skipped,
        "dev": material.dev.size if material.dev else "",
        "leaks": str(material.leaks) if material.leaks else "",
        "bad_rows": dict(material.problems.counts),
        "first_bad_rows": [str(problem) for problem in material.problems.first],
    }


def _finish(
    output: Path, notes: Path, card: dict[str, Any], log: Sequence[dict[str, float]]
) -> None:
    """Moves the model into place, writes the report, removes what only resuming needs."""
    from crossrank.train.report import write_report

    write_report(notes, card, log)
    for each in sorted((notes / "best").iterdir(), key=lambda path: path.suffix == ".safetensors"):
        target = output / each.name
        if target.is_dir():
            shutil.rmtree(target)
        each.replace(target)
    (notes / "best").rmdir()
    shutil.rmtree(notes / "checkpoints", ignore_errors=True)
    _write_json(notes / "report.json", {**card, "log": list(log)})


def _write_json(path: Path, value: Any) -> None:
    with replaced(path) as out:
        out.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")
