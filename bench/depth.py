"""How many candidates the cross-encoder should read: nDCG@10 by the depth of `Rerank`.

python bench/depth.py --data DATA [--set NAME ...] [--cross NAME] [--embed NAME] [--queries N]
    [--tokens N] [--json FILE]

Sets and pipelines are those of bench/sweep.py; in `rerank` the cross-encoder decides alone, in
`full` it is blended with the fused first stage as the pipeline of that name does. The time of a
query grows with the depth. p: two-sided randomisation test over the queries of all sets against the
greatest depth.
"""

from __future__ import annotations

from crossrank.pipelines.named import SHARE
from crossrank.rerank import Rerank
from sweep import options, sweep

DEPTHS = (0, 10, 20, 30, 50, 100)
WEIGHTS = {"rerank": 1.0, "full": SHARE}


def main() -> None:
    """Prints a table for each pipeline."""
    sweep(
        options(__doc__).parse_args(),
        "depth",
        DEPTHS,
        DEPTHS[-1],
        lambda pipeline, scorer, depth: Rerank(scorer, int(depth), WEIGHTS[pipeline]),
    )


if __name__ == "__main__":
    main()
