"""Losses that look at one document at a time: its score against its label."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def bce(scores: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    """Binary cross-entropy of the logits with labels in [0, 1]: the mean over documents."""
    return F.binary_cross_entropy_with_logits(scores[mask], labels[mask])


def mse(scores: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    """Squared difference of score and label: the mean over documents."""
    return F.mse_loss(scores[mask], labels[mask])


def cross_entropy(scores: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    """-log softmax of the right class; scores [groups, documents, classes], labels the class."""
    return F.cross_entropy(scores[mask], labels[mask].long())


def ordinal(scores: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    """Cumulative link loss: score k is the logit of `grade > k`, labels are grades from 0.

    scores [groups, documents, grades - 1]; the mean over documents and thresholds. With one
    weight vector for all thresholds this is CORAL (Cao, Mirjalili & Raschka 2020).
    """
    logits, grades = scores[mask], labels[mask]
    steps = torch.arange(logits.shape[-1], device=grades.device, dtype=grades.dtype)
    above = (grades[:, None] > steps).to(logits.dtype)
    return F.binary_cross_entropy_with_logits(logits, above)


def gbce(scores: Tensor, labels: Tensor, mask: Tensor, beta: float) -> Tensor:
    """Generalised binary cross-entropy: log-probability of a positive is weighted by `beta`.

    The mean over documents of `-beta log sigmoid(s)` for labels above 0 and of
    `-log(1 - sigmoid(s))` for the others (Petrov & Macdonald 2023; for cross-encoders 2024).
    """
    values, positive = scores[mask], labels[mask] > 0
    right = F.logsigmoid(torch.where(positive, values, -values))
    weights = torch.where(positive, beta, 1.0).to(values.dtype)
    return -(weights * right).mean()


def gbce_beta(t: float, rate: float) -> float:
    """The weight of positives: `rate * (t * (1 - 1 / rate) + 1 / rate)` = 1 - t * (1 - rate).

    rate: the share of all negatives that a group holds, in (0, 1]. t = 0 is plain binary
    cross-entropy, t = 1 undoes the over-confidence that sampling negatives brings.
    """
    return 1.0 - t * (1.0 - rate)
