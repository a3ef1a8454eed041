"""The training loop: transformers' Trainer with our batches, losses, measures and checkpoints."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import torch
from safetensors.torch import load_model, save_model
from torch.utils.data import SequentialSampler
from transformers import Trainer, TrainingArguments
from transformers.trainer_callback import PrinterCallback

from crossrank.train.checkpoints import mark, swap
from crossrank.train.students import Student, collate

if TYPE_CHECKING:
    from torch import Tensor, nn

    from crossrank.train.dev import DevSet
    from crossrank.train.objectives.table import Loss
    from crossrank.train.plan import Plan

VALUE: Final = "dev"
WEIGHTS: Final = "model.safetensors"
Log = dict[str, float]


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands: updates done and wanted, the last loss, the last and best value."""

    step: int
    steps: int
    loss: float | None = None
    value: float | None = None
    best: float | None = None


Watcher = Callable[[Progress], None]


def unwatched(progress: Progress) -> None:
    """Watches nothing."""


@dataclass(frozen=True, slots=True)
class Goal:
    """What a run works towards: the loss, the set it is measured on, where the best is kept."""

    loss: Loss
    dev: DevSet | None
    best: Path
    patience: int = 0
    in_batch: bool = False


class Loop(Trainer):  # type: ignore[misc]
    """One run. Batches come from a plan in its order, so a resumed run sees the same ones."""

    def __init__(
        self,
        student: Student,
        plan: Plan,
        goal: Goal,
        arguments: TrainingArguments,
        watch: Watcher = unwatched,
    ) -> None:
        self.student, self.plan, self.goal, self._watch = student, plan, goal, watch
        self._before, self._began = 0.0, time.monotonic()
        super().__init__(
            model=student.module,
            args=arguments,
            data_collator=self._features,
            train_dataset=plan,
            eval_dataset=plan if goal.dev is not None else None,
        )
        self.remove_callback(PrinterCallback)
        self.model_accepts_loss_kwargs = False  # the loss is a mean over the batch already

    def go(self, checkpoint: Path | None) -> None:
        """Trains to the end, from a checkpoint if there is one."""
        self._began = time.monotonic()
        self.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        measured = self.values()
        if self.goal.dev is None:
            self._keep()
        elif not measured or measured[-1][0] != self.state.global_step:
            self.evaluate()

    def values(self) -> list[tuple[int, float]]:
        """(step, value) of every measurement of the development set so far."""
        return [(int(log["step"]), log[VALUE]) for log in self.state.log_history if VALUE in log]

    def compute_loss(
        self, model: nn.Module, inputs: Any, return_outputs: bool = False, **_: Any
    ) -> Tensor:
        """The objective over the scores of one batch."""
        scores = self.student.scores(inputs["features"])
        return self.goal.loss(scores, inputs["labels"], inputs["mask"])

    def evaluate(self, *_: Any, **__: Any) -> Log:
        """Measures the development set; keeps the model if none was better, stops in time.

        Of equals the later one is kept: it has learned more. For the patience they are no better.
        """
        assert self.goal.dev is not None
        value = self.goal.dev.value(self.student)
        before = [each for _, each in self.values()]
        self.log({VALUE: value})
        if not before or value >= max(before):
            self._keep()
        since = len(before) - (before.index(max(before)) if before else 0)
        if self.goal.patience and before and value <= max(before) and since >= self.goal.patience:
            self.control.should_training_stop = True
        return {VALUE: value}

    def log(self, logs: Log, start_time: float | None = None) -> None:
        """Notes loss, learning rate or value with the seconds spent, and tells the watcher."""
        history = self.state.log_history
        if not self._before and history:  # the first log of a resumed run
            self._before = history[-1].get("seconds", 0.0) if self._initial_step() else 0.0
        seconds = self._before + time.monotonic() - self._began
        super().log({**logs, "seconds": round(seconds, 3)})
        values = [each for _, each in self.values()]
        self._watch(
            Progress(
                self.state.global_step,
                self.state.max_steps,
                next((log["loss"] for log in reversed(history) if "loss" in log), None),
                values[-1] if values else None,
                max(values, default=None),
            )
        )

    def floating_point_ops(self, inputs: Any) -> int:
        """Not counted."""
        return 0

    def _initial_step(self) -> int:
        return int(getattr(self, "_initial_global_step", 0))

    def _features(self, items: list[Any]) -> dict[str, Any]:
        batch = collate(self.plan.data, items, in_batch=self.goal.in_batch)
        return {
            "features": dict(self.student.features(batch)),
            "labels": torch.from_numpy(batch.labels),
            "mask": torch.from_numpy(batch.mask),
        }

    def _keep(self) -> None:
        partial = self.goal.best.with_name(f"{self.goal.best.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        self.student.save(partial)
        swap(partial, self.goal.best)

    def _get_train_sampler(self, *_: Any) -> SequentialSampler:
        return SequentialSampler(self.plan)

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        folder = Path(output_dir or self.args.output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        save_model(self.student.module, str(folder / WEIGHTS))

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        load_model(self.student.module, str(Path(resume_from_checkpoint) / WEIGHTS))

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        super()._save_checkpoint(model, trial)
        mark(Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}")
