"""A configuration in the terms of transformers' Trainer."""

from __future__ import annotations

import platform
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from transformers import TrainingArguments

import crossrank

if TYPE_CHECKING:
    from crossrank.train.config import TrainConfig


def updates(config: TrainConfig, epoch: int) -> int:
    """How many updates a run takes over data with that many items an epoch."""
    asked = config.optimiser
    if asked.steps:
        return asked.steps
    return max(1, asked.epochs * epoch // (asked.batch * asked.accumulate))


def rhythm(config: TrainConfig, steps: int) -> tuple[int, int, int]:
    """Updates between logs, measurements and checkpoints; the latter two multiples of the first.

    A checkpoint between two logs would lose the losses since the first, and the curve of a
    resumed run would not be that of an uninterrupted one.
    """
    log = min(config.watch.log_every, steps)

    def whole(every: int) -> int:
        return max(1, -(-every // log)) * log

    evaluate = whole(config.watch.evaluate_every or max(1, steps // 10))
    return log, evaluate, whole(config.watch.checkpoint_every or evaluate)


def arguments(config: TrainConfig, steps: int, folder: Path, measured: bool) -> TrainingArguments:
    """The Trainer's arguments; batches come in our order, so one epoch is the whole run."""
    asked = config.optimiser
    log, evaluate, save = rhythm(config, steps)
    gpu = torch.cuda.is_available()
    made = TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=1,
        per_device_train_batch_size=asked.batch,
        gradient_accumulation_steps=asked.accumulate,
        learning_rate=asked.learning_rate,
        lr_scheduler_type="constant_with_warmup"
        if asked.schedule == "constant"
        else asked.schedule,
        warmup_steps=round(asked.warmup * steps),
        weight_decay=asked.weight_decay,
        max_grad_norm=asked.clip,
        bf16=asked.precision == "bf16",
        use_cpu=not gpu,
        dataloader_pin_memory=gpu,
        logging_steps=log,
        logging_nan_inf_filter=False,
        eval_strategy="steps" if measured else "no",
        eval_steps=evaluate,
        save_strategy="steps",
        save_steps=save,
        save_total_limit=2,
        seed=config.seed,
        data_seed=config.seed,
        report_to=[],
        disable_tqdm=True,
        remove_unused_columns=False,
    )
    made._n_gpu = min(made.n_gpu, 1)  # one device a run, however many there are
    return made


def versions() -> dict[str, str]:
    """What the run was made with: programs, versions, and the device."""
    packages = ("torch", "transformers", "sentence-transformers", "tokenizers", "numpy")
    found = {name: version(name) for name in packages}
    gpu = torch.cuda.get_device_name(0) if torch.cuda.is_available() else ""
    return {
        "crossrank": crossrank.__version__,
        "python": platform.python_version(),
        **found,
        "device": gpu or f"CPU, {torch.get_num_threads()} threads",
    }


def as_json(value: Any) -> Any:
    """A configuration as JSON values."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, dict):
        return {key: as_json(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(each) for each in value]
    return value
