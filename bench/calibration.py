"""What calibration is worth: the error of probabilities before and after, on held-out folds.

python bench/calibration.py --data DATA [--model NAME] [--encoder NAME] [--limit N] [--json FILE]

relevance  WikiQA dev, a sentence that answers its question, or not
answer     WikiQA dev, a question that has an answer among its candidates, or not; and what a
           calibration made there says of WikiQA test
duplicate  MSRP train, two sentences that say the same, or not
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from crossrank.io.lines import replaced
from crossrank.models import BiEncoder, CrossEncoder
from crossrank.tasks.calibrating import (
    best_of_groups,
    calibrate_answers,
    calibrate_relevance,
    score_pairs,
)
from crossrank.tasks.duplicates import calibrate_duplicates
from crossrank.tasks.labelled import LabelledPairs, read_pairs
from crossrank.tasks.plots import reliability_svg
from crossrank.tasks.reliability import Reliability, Report, as_probability, reliability


def curves(report: Report) -> dict[str, Reliability]:
    """The model's own sigmoid and every method on held-out folds."""
    return {"before": report.before} | {str(e.method): e.reliability for e in report.held_out}


def transferred(report: Report, scorer: CrossEncoder, test: LabelledPairs) -> dict[str, Any]:
    """A calibration for answers on questions of another split: error and decisions at 0.5."""
    best, answered, _ = best_of_groups(score_pairs(scorer, test), test)
    p = report.calibration(best, scorer.scale)
    said = p >= 0.5
    right = float((said == (answered > 0)).mean())
    return {
        "questions": len(best),
        "answerable": float(answered.mean()),
        "before": reliability(as_probability(best, scorer.scale), answered).ece,
        "after": reliability(p, answered).ece,
        "decided right": right,
        "always the commoner": float(max(answered.mean(), 1 - answered.mean())),
    }


def main() -> None:
    """Prints one table a purpose."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", default="crossrank-small")
    parser.add_argument("--encoder", default="crossrank-embed")
    parser.add_argument("--limit", type=int, default=0, help="about so many pairs of each set")
    parser.add_argument("--plots", type=Path, help="a folder for reliability plots")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    scorer, encoder = CrossEncoder(given.model), BiEncoder(given.encoder)

    def pairs(name: str) -> LabelledPairs:
        found = read_pairs(given.data / f"{name}.jsonl.gz")
        return found.some(given.limit) if given.limit else found

    relevance = calibrate_relevance(scorer, pairs("wikiqa/dev"))
    answer = calibrate_answers(scorer, pairs("wikiqa/dev"))
    duplicate = calibrate_duplicates(pairs("msrp/train"), scorer, encoder)
    found = {
        "relevance, WikiQA dev": curves(relevance),
        "answer, WikiQA dev": curves(answer),
        "duplicate, MSRP train": {"before": duplicate.before, "logistic": duplicate.after},
    }
    for purpose, each in found.items():
        print(f"{purpose}\n  {'':12} {'ECE':>7} {'Brier':>7} {'log loss':>9}")
        for name, one in each.items():
            print(f"  {name:12} {one.ece:7.4f} {one.brier:7.4f} {one.log_loss:9.4f}")
        if given.plots:
            file = given.plots / f"{purpose.partition(',')[0]}.svg"
            with replaced(file) as out:
                out.write(reliability_svg(each, purpose))
    test = transferred(answer, scorer, pairs("wikiqa/test"))
    print("answer, fitted on WikiQA dev, read on WikiQA test")
    for name, value in test.items():
        print(f"  {name:22} {value:8.4f}" if isinstance(value, float) else f"  {name:22} {value:8}")
    if given.json:
        kept = {p: {n: o.as_dict() for n, o in each.items()} for p, each in found.items()}
        given.json.write_text(json.dumps(kept | {"transferred": test}, indent=2) + "\n")


if __name__ == "__main__":
    main()
