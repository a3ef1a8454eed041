"""Writes the pairs that crossrank-similar learns from, with the similarity each should get.

python recipes/similar_pairs.py --data DATA --mpnet DIR --work WORK

Labelled: STS-b German and English (and across both, since the German sentences are translations),
SICK, MSRP. Taught: neighbours among questions, commands, headings and passages, by cosines of
all-mpnet-base-v2 and of crossrank-embed without prompts; a logistic fit of both to the labels of
STS-b says which similarity they stand for. German versions of a text get what the English ones
got. Texts of the contrast domains, none of them held out: the same offer, with a fact less, with a
fact changed, another offer.

WORK/similar/units.json   each text as {"en": ..., "de": ...}, either may be missing
WORK/similar/pairs.npz    left, right (rows of units), target in [0, 1], kind (index into KINDS)
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from extra import taught
from pools import first_words, rows, stsb
from scipy.optimize import minimize
from teachers import dense

from crossrank.models import BiEncoder
from crossrank.tasks.duplicates.neighbours import nearest
from crossrank.train.contrast import LANGUAGES, Group, generate

KINDS = ("stsb", "sick", "msrp", "contrast", "taught sentences", "taught texts", "taught german")
GRADES = {3: 0.95, 2: 0.8, 1: 0.5, 0: 0.2}
"""The similarity of two offers, by what the contrast generator makes of the second."""

NEAR, FAR = 3, 40
"""Nearest neighbours that are paired, and the rank up to which two more are drawn."""

HELD = 5
"""One in so many pairs of MSRP is kept from training, to calibrate on."""

Unit = dict[str, str]


@dataclass
class Pairs:
    """Texts, and pairs of them with their targets."""

    units: list[Unit] = field(default_factory=list)
    known: dict[str, int] = field(default_factory=dict)
    found: dict[tuple[int, int], tuple[float, int]] = field(default_factory=dict)

    def unit(self, **versions: str) -> int:
        """The row of a text; a known one is found by its first version."""
        first = next(iter(versions.values()))
        if first not in self.known:
            self.known[first] = len(self.units)
            self.units.append(versions)
        return self.known[first]

    def add(self, left: int, right: int, target: float, kind: str) -> None:
        """One pair; the first target of a pair stays."""
        if left != right:
            key = (min(left, right), max(left, right))
            self.found.setdefault(key, (float(target), KINDS.index(kind)))


def labelled(data: Path, pairs: Pairs) -> None:
    """STS-b, SICK and MSRP, training parts; every fifth pair of MSRP is left to calibrate.py."""
    english, german = (stsb(data, language, "train") for language in ("en", "de"))
    for (*left_right, value), (*translated, _) in zip(english, german, strict=True):
        a, b = (pairs.unit(en=en, de=de) for en, de in zip(left_right, translated, strict=True))
        pairs.add(a, b, value / 5, "stsb")
    for row in rows(data / "sick/train.jsonl.gz"):
        a, b = (pairs.unit(en=row[side]) for side in ("text_a", "text_b"))
        pairs.add(a, b, (row["score"] - 1) / 4, "sick")
    for i, row in enumerate(rows(data / "msrp/train.jsonl.gz")):
        if i % HELD == 0:
            continue
        a, b = (pairs.unit(en=row[side]) for side in ("text_a", "text_b"))
        pairs.add(a, b, 0.9 if row["score"] else 0.5, "msrp")


def compared(count: int, seed: int, mix: float = 0.0) -> Iterator[tuple[Group, str]]:
    """Contrast groups that compare offers, of `count` of all kinds, each with its first offer."""
    for group in generate(taught(), LANGUAGES, count, seed, mix=mix):
        if group.kind == "duplicate":
            yield group, next(text for text, grade in group.candidates if grade == 3)


def offers(pairs: Pairs, count: int) -> None:
    """Offers of the contrast domains beside each other."""
    for group, first in compared(count, seed=5, mix=0.5):
        texts = [(pairs.unit(**{group.language: text}), grade) for text, grade in group.candidates]
        for row, grade in texts:
            pairs.add(pairs.known[first], row, GRADES[grade], "contrast")


def commands(data: Path) -> Iterator[Unit]:
    """What commands do: the same command in both languages says the same."""

    def read(language: str) -> dict[tuple[str, str], str]:
        found = {}
        for row in rows(data / f"tldr-{language}/train.jsonl.gz"):
            key = row["passage"].split(":")[0], row["passage"].rsplit(" — ", 1)[-1]
            found[key] = row["query"].replace("[", "").replace("]", "")
        return found

    english, german = read("en"), read("de")
    yield from ({"en": english[key], "de": german[key]} for key in german if key in english)


def sentences(data: Path, rng: random.Random) -> Iterator[Unit]:
    """English questions."""
    every = list(rows(data / "questions/en.jsonl.gz"))
    web = [row["text"] for row in every if row["_id"].startswith("msmarco")]
    other = [row["text"] for row in every if not row["_id"].startswith(("msmarco", "hotpot"))]
    medical = sorted({row["query"] for row in rows(data / "medquad/train.jsonl.gz")})
    for text in (*rng.sample(web, 9000), *rng.sample(other, 4000), *rng.sample(medical, 1500)):
        yield {"en": text}


def passages(data: Path, rng: random.Random) -> Iterator[Unit]:
    """English passages."""
    every = [row["text"] for row in rows(data / "msmarco-dl21-22/corpus.jsonl.gz")]
    yield from ({"en": first_words(text, 70)} for text in rng.sample(every, 3000))


def german(data: Path, rng: random.Random) -> Iterator[Unit]:
    """German questions, and sections with their headings."""
    yield from ({"de": row["text"]} for row in rows(data / "questions/de.jsonl.gz"))
    for name in ("gesetze-de", "mdn-de"):
        every = [r for r in rows(data / f"{name}/corpus.jsonl.gz") if len(r["text"].split()) > 15]
        for row in rng.sample(every, 1200):
            heading = row["title"].rpartition(" — ")[2]
            yield {"de": first_words(f"{heading}. {row['text']}", 60)}
        for row in rng.sample(every, 800):
            yield {"de": row["title"].rpartition(" — ")[2]}


def neighbours(similar: np.ndarray, rng: np.random.Generator) -> Iterator[tuple[int, int]]:
    """Pairs of rows: the nearest, and two of those that follow."""
    for row, near in enumerate(nearest(similar, FAR)):
        for other in (*near[:NEAR], *rng.choice(near[NEAR:], 2, replace=False)):
            yield row, int(other)


def similarity(weights: np.ndarray, x: np.ndarray) -> np.ndarray:
    """sigmoid of x times the weights, the last of which stands alone."""
    return np.asarray(1 / (1 + np.exp(-(x @ weights[:-1] + weights[-1]))))


def fitted(x: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The weights whose similarity is nearest to the targets, squared error."""
    start = np.append(np.full(x.shape[1], 5.0), -4.0)
    best = minimize(lambda weights: float(((similarity(weights, x) - target) ** 2).mean()), start)
    print("fit", np.round(best.x, 2), f"rmse {best.fun**0.5:.4f}", flush=True)
    return np.asarray(best.x)


class Cosines:
    """Cosines of pairs of texts by the teachers that read their language."""

    def __init__(self, texts: Sequence[str], mpnet: Path | None) -> None:
        self.vectors = [BiEncoder("crossrank-embed").encode(texts)]
        if mpnet is not None:
            self.vectors.append(dense(mpnet, list(texts), 96))

    def __call__(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """[n, teachers]."""
        return np.column_stack([(v[left] * v[right]).sum(1) for v in self.vectors])


def teach(
    pairs: Pairs,
    at: np.ndarray,
    cosines: Cosines,
    weights: np.ndarray,
    kind: str,
    rng: np.random.Generator,
) -> None:
    """Neighbours among the units `at`, with the similarity that the teachers stand for."""
    found = np.array(list(neighbours(np.hstack(cosines.vectors), rng)))
    values = similarity(weights, cosines(*found.T))
    for (a, b), value in zip(at[found], values, strict=True):
        pairs.add(int(a), int(b), value, kind)
    print(f"{kind}: {len(at)} texts, {len(found)} pairs, mean {values.mean():.3f}", flush=True)


def main() -> None:
    """Writes both files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--mpnet", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=13)
    given = parser.parse_args()
    draw, rng = random.Random(given.seed), np.random.default_rng(given.seed)
    pairs = Pairs()
    labelled(given.data, pairs)
    gold = np.array([(*key, *value) for key, value in pairs.found.items()])
    gold = gold[gold[:, 3] == KINDS.index("stsb")]
    sides, target = gold[:, :2].astype(int), gold[:, 2]
    both = pairs.units[: int(sides.max()) + 1]
    english = Cosines([unit["en"] for unit in both], given.mpnet)
    german_only = Cosines([unit["de"] for unit in both], None)
    by_both, by_one = (fitted(each(*sides.T), target) for each in (english, german_only))
    teach(pairs, np.arange(len(both)), english, by_both, "taught sentences", rng)
    offers(pairs, 20_000)
    for source, language, kind in (
        (commands(given.data), "en", "taught sentences"),
        (sentences(given.data, draw), "en", "taught sentences"),
        (passages(given.data, draw), "en", "taught texts"),
        (german(given.data, draw), "de", "taught german"),
    ):
        units = list(source)
        at = np.array([pairs.unit(**unit) for unit in units])
        mpnet, weights = (given.mpnet, by_both) if language == "en" else (None, by_one)
        cosines = Cosines([unit[language] for unit in units], mpnet)
        teach(pairs, at, cosines, weights, kind, rng)
    out = given.work / "similar"
    out.mkdir(parents=True, exist_ok=True)
    (out / "units.json").write_text(json.dumps(pairs.units, ensure_ascii=False), encoding="utf-8")
    left, right = np.array(list(pairs.found)).T
    values, kinds = zip(*pairs.found.values(), strict=True)
    np.savez(out / "pairs.npz", left=left, right=right, target=values, kind=kinds)
    for i, kind in enumerate(KINDS):
        print(f"{kind}: {kinds.count(i)} pairs")


if __name__ == "__main__":
    main()
