"""How much of the first stage to keep when re-ranking: nDCG@10 by the weight of `Rerank`.

python bench/weight.py --data DATA [--set NAME ...] [--cross NAME] [--embed NAME] [--depth N]
    [--queries N] [--tokens N] [--json FILE]

Sets and pipelines are those of bench/sweep.py; `weight` is the cross-encoder's share of the final
score. p: two-sided randomisation test over the queries of all sets against weight 1.
"""

from __future__ import annotations

from crossrank.rerank import Rerank
from sweep import options, sweep

WEIGHTS = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.0)


def main() -> None:
    """Prints a table for each pipeline."""
    parser = options(__doc__)
    parser.add_argument("--depth", type=int, default=50)
    given = parser.parse_args()
    sweep(given, "weight", WEIGHTS, 1.0, lambda _, scorer, w: Rerank(scorer, given.depth, w))


if __name__ == "__main__":
    main()
