"""Losses that compare the documents of one query with one another."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F


def info_nce(scores: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    """-log of the softmax share of a positive among itself and the negatives of its group.

    Labels above 0 are positives; a group with several counts the mean over them, one without
    any counts nothing (van den Oord et al. 2018).
    """
    positive, negative = mask & (labels > 0), mask & (labels <= 0)
    values = _blank(scores, mask)
    others = torch.logsumexp(values.masked_fill(~negative, _low(values)), dim=-1, keepdim=True)
    each = torch.logaddexp(values, others) - values
    return _mean(each.masked_fill(~positive, 0).sum(-1), positive.sum(-1))


def list_net(scores: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    """Cross-entropy of softmax(scores) under softmax(labels): mean over groups (Cao 2007)."""
    wanted = torch.softmax(_closed(labels, mask), dim=-1)
    got = torch.log_softmax(_closed(scores, mask), dim=-1)
    return _mean(-(wanted * got).masked_fill(~mask, 0).sum(-1), mask.any(-1))


def kl(scores: Tensor, labels: Tensor, mask: Tensor, temperature: float) -> Tensor:
    """KL(softmax(labels / T) || softmax(scores / T)) * T^2: mean over groups (Hinton 2015)."""
    wanted = torch.log_softmax(_closed(labels, mask) / temperature, dim=-1)
    got = torch.log_softmax(_closed(scores, mask) / temperature, dim=-1)
    each = (wanted.exp() * (wanted - got)).masked_fill(~mask, 0).sum(-1)
    return temperature**2 * _mean(each, mask.any(-1))


def margin_mse(scores: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    """Squared difference of margins: the best labelled document against each other one.

    `((s_best - s_i) - (y_best - y_i))^2`, the mean over all i (Hofstätter et al. 2020, where
    groups are one positive and one negative).
    """
    best = labels.masked_fill(~mask, -torch.inf).argmax(-1, keepdim=True)
    other = mask & ~torch.zeros_like(mask).scatter(-1, best, True)
    gap = (scores.gather(-1, best) - scores) - (labels.gather(-1, best) - labels)
    return gap[other].square().sum() / other.sum().clamp(min=1)


def rank_net(scores: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    """-log sigmoid(s_i - s_j) for every pair with label i above label j: the mean over pairs.

    Natural logarithm (Burges et al. 2005).
    """
    better = _ordered(labels, mask)
    values = _blank(scores, mask)
    each = -F.logsigmoid(values[..., :, None] - values[..., None, :])
    return each[better].sum() / better.sum().clamp(min=1)


def lambda_loss(
    scores: Tensor, labels: Tensor, mask: Tensor, mu: float = 10.0, sigma: float = 1.0
) -> Tensor:
    """RankNet weighted by what a swap would change in nDCG: LambdaLoss, NDCG-Loss2++.

    Gain 2^label - 1 of labels of 0 and more, binary logarithm, the mean over ordered pairs;
    mu weighs NDCG-Loss2 against LambdaRank (Wang et al. 2018, equations 17 and 18).
    """
    place = _closed(scores, mask).argsort(dim=-1, descending=True, stable=True)
    values = _blank(scores, mask).gather(-1, place)
    grades, there = labels.gather(-1, place), mask.gather(-1, place)
    weight = _swap_weights(grades.masked_fill(~there, 0), mu)
    each = -F.logsigmoid(sigma * (values[..., :, None] - values[..., None, :])) / math.log(2)
    better = _ordered(grades, there)
    return (weight * each)[better].sum() / better.sum().clamp(min=1)


def _swap_weights(grades: Tensor, mu: float) -> Tensor:
    """(mu * rho_ij + |1/D_i - 1/D_j|) * |G_i - G_j| of grades in ranked order: [groups, n, n]."""
    n = grades.shape[-1]
    rank = torch.arange(1, n + 1, device=grades.device, dtype=grades.dtype)
    discount = 1 / torch.log2(1 + torch.arange(n + 1, device=grades.device, dtype=grades.dtype) + 1)
    gain = torch.exp2(grades.clamp(min=0)) - 1
    best = gain.sort(dim=-1, descending=True).values
    ideal = (best * discount[:n]).sum(-1, keepdim=True).clamp(min=1e-10)
    share = gain / ideal
    apart = (rank[:, None] - rank[None, :]).abs().long()
    steps = discount[(apart - 1).clamp(min=0)] - discount[apart]
    swap = (discount[:n, None] - discount[None, :n]).abs()
    weight = mu * steps.masked_fill(apart == 0, 0) + swap
    return weight * (share[..., :, None] - share[..., None, :]).abs()


def _ordered(labels: Tensor, mask: Tensor) -> Tensor:
    """Which pairs (i, j) are both there with label i above label j: bool [groups, n, n]."""
    both = mask[..., :, None] & mask[..., None, :]
    return both & (labels[..., :, None] > labels[..., None, :])


def _low(values: Tensor) -> float:
    """A score so low that its softmax share is 0, and finite so that gradients are."""
    return float(torch.finfo(values.dtype).min) / 4


def _closed(values: Tensor, mask: Tensor) -> Tensor:
    return values.masked_fill(~mask, _low(values))


def _blank(values: Tensor, mask: Tensor) -> Tensor:
    return values.masked_fill(~mask, 0)


def _mean(sums: Tensor, counts: Tensor) -> Tensor:
    """The mean over groups of sum / count, over those groups that count something."""
    counts = counts.to(sums.dtype)
    each = sums / counts.clamp(min=1)
    return each.sum() / (counts > 0).sum().clamp(min=1)
