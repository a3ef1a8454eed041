"""Sentence similarity: Spearman on STS-b test, average precision on covid-question-pairs.

python bench/similarity.py --data DATA [--model DIR]... [--encoder NAME]... [--start DIR --out DIR]

`--start` and `--out` first train a regression head on STS-b, German and English, as
examples/training/similarity.toml says (DIR may hold BERT, MiniLM, XLM-R, ...), and measure it with
the rest; a training that was broken off goes on. A cross-encoder scores both orders of a pair, and
the mean counts. p: paired bootstrap over pairs, against the best bi-encoder.
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.stats import spearmanr

from crossrank.models import BiEncoder, CrossEncoder
from crossrank.train.run import NOTES
from duplicates import average_precision

Reals = npt.NDArray[np.float64]
Pairs = Sequence[tuple[str, str]]
Score = Callable[[Pairs], Reals]
Measure = Callable[[Reals, Reals], float]

EXAMPLE = Path(__file__).parent.parent / "examples/training/similarity.toml"
SETS = {
    "stsb-de": "Spearman",
    "stsb-en": "Spearman",
    "stsb-de-en": "Spearman",
    "covid-question-pairs-de": "AP",
    "covid-question-pairs-en": "AP",
}


def spearman(scores: Reals, labels: Reals) -> float:
    """Rank correlation."""
    return float(spearmanr(scores, labels).statistic)


MEASURES: dict[str, Measure] = {"Spearman": spearman, "AP": average_precision}


def read(data: Path, name: str) -> tuple[Pairs, Reals]:
    """Pairs of the test set and their labels; of stsb-de-en the first text is the German one."""
    if name == "stsb-de-en":
        (german, labels), (english, same) = read(data, "stsb-de"), read(data, "stsb-en")
        if not np.array_equal(labels, same):
            raise ValueError("stsb-de and stsb-en wanted with the same pairs in the same order")
        return [(a, b) for (a, _), (_, b) in zip(german, english, strict=True)], labels
    with gzip.open(data / name / "test.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    label = "score" if "score" in rows[0] else "label"
    pairs = [(row["text_a"], row["text_b"]) for row in rows]
    return pairs, np.array([float(row[label]) for row in rows])


def by_encoder(name: str) -> Score:
    """The cosine of both texts."""
    encoder = BiEncoder(name)

    def score(pairs: Pairs) -> Reals:
        first, second = (encoder.encode([pair[i] for pair in pairs]) for i in (0, 1))
        return np.asarray((first * second).sum(1), np.float64)

    return score


def by_cross_encoder(name: str) -> Score:
    """The mean score of both orders."""
    model = CrossEncoder(name)

    def score(pairs: Pairs) -> Reals:
        other = [(b, a) for a, b in pairs]
        return np.asarray((model.score(pairs) + model.score(other)) / 2, np.float64)

    return score


def bootstrap(measure: Measure, a: Reals, b: Reals, labels: Reals, rounds: int = 2000) -> float:
    """Two-sided p of measure(a) = measure(b), pairs drawn with replacement."""
    rng = np.random.default_rng(13)
    ahead = 0.0
    for _ in range(rounds):
        rows = rng.integers(len(labels), size=len(labels))
        gain = measure(a[rows], labels[rows]) - measure(b[rows], labels[rows])
        ahead += (gain > 0) + 0.5 * (gain == 0)
    share = ahead / rounds
    return float(min(1.0, 2 * min(share, 1 - share) + 1 / rounds))


def train(data: Path, start: str, out: Path) -> None:
    """The example configuration, with these paths, by the command."""
    out.parent.mkdir(parents=True, exist_ok=True)
    config = out.with_suffix(".toml")
    text = EXAMPLE.read_text(encoding="utf-8").replace("../../data", str(data.resolve()))
    config.write_text(text, encoding="utf-8")
    command = ["train", "cross-encoder", str(config), "--model", start, "--output", str(out)]
    crossrank = Path(sys.executable).with_name("crossrank")
    subprocess.run([crossrank, *command], check=True, stdout=sys.stderr)


def main() -> None:
    """Prints one table a set."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", action="append", default=[], help="a cross-encoder")
    parser.add_argument("--encoder", action="append", default=[], help="a bi-encoder")
    parser.add_argument("--start", help="train from this encoder")
    parser.add_argument("--out", type=Path, help="where the trained model goes")
    parser.add_argument("--set", action="append", choices=list(SETS), dest="sets")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    models = given.model or ["crossrank-similar", "crossrank-small"]
    if given.start:
        if given.out is None:
            parser.error("--start wants --out")
        if not (given.out / NOTES / "report.json").is_file():
            train(given.data, given.start, given.out)
        models = [*models, str(given.out)]
    encoders = given.encoder or ["crossrank-embed"]
    cosines = {f"{name}, cosine": by_encoder(name) for name in encoders}
    scorers = cosines | {name: by_cross_encoder(name) for name in models}
    rows = []
    for name in given.sets or SETS:
        pairs, labels = read(given.data, name)
        measure = MEASURES[SETS[name]]
        found = {key: score(pairs) for key, score in scorers.items()}
        values = {key: measure(scores, labels) for key, scores in found.items()}
        best = max(cosines, key=values.__getitem__)
        print(f"{name}, {len(pairs)} pairs, {SETS[name]}")
        for key, scores in found.items():
            row: dict[str, object] = {"set": name, "scorer": key, SETS[name]: values[key]}
            shown = f"  {key:42} {values[key]:.4f}"
            if key not in cosines:
                row["p"] = bootstrap(measure, scores, found[best], labels)
                shown += f"  p {row['p']:.3f}"
            rows.append(row)
            print(shown, flush=True)
    if given.json:
        given.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
