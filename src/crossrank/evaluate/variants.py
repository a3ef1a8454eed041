"""Forms of one model side by side: size, speed in one run, drift of the scores, and quality."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from crossrank.errors import BadInput
from crossrank.evaluate.measures import nDCG
from crossrank.evaluate.scores import evaluate
from crossrank.models import BiEncoder, CrossEncoder
from crossrank.models.describe import read_settings
from crossrank.models.files import read_files
from crossrank.models.parity import PAIRS, Parity, kendall_tau, parity
from crossrank.models.settings import Kind
from crossrank.types import Floats, Ranking

MOST_LOST: Final = 0.01  # of nDCG@10, relative: a form that loses more is no default
Pairs = Sequence[tuple[str, str]]
Done = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Variant:
    """One form of a model, measured against the first of its list.

    `per_second` counts pairs (texts of a bi-encoder), median of the rounds, forms taking turns;
    `drift` is over texts with all that is awkward. With judgements: `agreement` is Kendall's tau
    to the first form's order, mean over queries; `ndcg` is nDCG@10 and `change` its relative
    change; None without.
    """

    name: str
    bytes: int
    per_second: float
    drift: Parity
    agreement: float | None = None
    ndcg: float | None = None
    change: float | None = None

    @property
    def shippable(self) -> bool | None:
        """Whether this form may be a default: nDCG@10 lost is at most 1 %; None: not measured."""
        return None if self.change is None else self.change >= -MOST_LOST

    def as_dict(self) -> dict[str, Any]:
        """The variant as JSON values."""
        return {**asdict(self), "shippable": self.shippable}


class _Form:
    """A cross- or bi-encoder behind the two things measured here."""

    def __init__(self, folder: Path) -> None:
        self.bytes = read_files(folder).graph.stat().st_size
        self.vectors = read_settings(folder).kind is Kind.BI
        self._model = BiEncoder(folder) if self.vectors else CrossEncoder(folder)

    def outputs(self, pairs: Pairs) -> Floats:
        """Scores [n, 1] of the pairs, or the vectors of their documents."""
        if isinstance(self._model, BiEncoder):
            return self._model.encode_documents([document for _, document in pairs])
        return self._model.score(pairs)[:, None]

    def rescored(self, candidates: Ranking) -> Ranking:
        """The candidates under this form's scores."""
        rows, at = np.unique(candidates.docs, return_inverse=True)
        texts, owners = candidates.corpus.texts(rows), candidates.owners()
        if isinstance(self._model, BiEncoder):
            vectors = self._model.encode_documents(texts)
            asked = self._model.encode_queries(candidates.queries.texts)
            scores = np.einsum("ij,ij->i", asked[owners], vectors[at])
            return candidates.rescored(scores, self._model.scale)
        queries = candidates.queries.texts
        pairs = ((queries[q], texts[i]) for q, i in zip(owners, at, strict=True))
        return candidates.rescored(self._model.score(pairs), self._model.scale)


def measure_variants(
    folders: Mapping[str, Path],
    pairs: Pairs = PAIRS,
    judged: tuple[Ranking, Ranking] | None = None,
    rounds: int = 5,
    done: Done = lambda count: None,
) -> list[Variant]:
    """The forms of a model in `folders` by name, against the first one.

    `pairs` are scored for the speed; `judged` are (candidates, qrels), the candidates' texts being
    in their corpus. `done` is told the number of rounds and re-rankings finished.
    """
    if not folders or not pairs:
        raise BadInput("at least one model directory and one pair wanted, got none")
    forms = {name: _Form(folder) for name, folder in folders.items()}
    speeds = _speeds(forms, pairs, rounds, done)
    first = next(iter(forms.values()))
    reference = first.outputs(PAIRS)
    plain = [
        Variant(
            name,
            form.bytes,
            speeds[name],
            parity(reference, form.outputs(PAIRS), vectors=form.vectors),
        )
        for name, form in forms.items()
    ]
    if judged is None:
        return plain
    return _judged(plain, list(forms.values()), *judged, lambda count: done(rounds + count))


def _speeds(forms: Mapping[str, _Form], pairs: Pairs, rounds: int, done: Done) -> dict[str, float]:
    """Pairs a second, median over rounds in which the forms take turns."""
    seconds: dict[str, list[float]] = {name: [] for name in forms}
    for form in forms.values():
        form.outputs(pairs[:8])
    for finished in range(1, rounds + 1):
        for name, form in forms.items():
            start = time.perf_counter()
            form.outputs(pairs)
            seconds[name].append(time.perf_counter() - start)
        done(finished)
    return {name: len(pairs) / float(np.median(each)) for name, each in seconds.items()}


def _judged(
    plain: list[Variant], forms: list[_Form], candidates: Ranking, qrels: Ranking, done: Done
) -> list[Variant]:
    found: list[Variant] = []
    measure = nDCG @ 10
    reference: Ranking | None = None
    for variant, form in zip(plain, forms, strict=True):
        ranking = form.rescored(candidates)
        reference = reference or ranking
        value = evaluate(ranking, qrels, [measure]).mean(measure)
        base = found[0].ndcg if found else value
        change = value / base - 1 if base else 0.0
        found.append(
            Variant(
                variant.name,
                variant.bytes,
                variant.per_second,
                variant.drift,
                agreement(reference, ranking),
                value,
                change,
            )
        )
        done(len(found))
    return found


def agreement(one: Ranking, two: Ranking) -> float:
    """Kendall's tau between two rankings of the same candidates, mean over queries with two."""
    taus = []
    for (rows, scores), (others, values) in zip(one, two, strict=True):
        if len(rows) > 1:
            taus.append(kendall_tau(scores[np.argsort(rows)], values[np.argsort(others)]))
    return float(np.mean(taus)) if taus else 1.0
