"""The drift report of a hundred thousand texts, and of as many vectors of 384 numbers, against as many.

    python benchmarks/monitor_texts.py [--quick]

Everything that is said of such a column is measured and judged against lots: the discrepancy of means, a linear
classifier, words, unseen words, length and script of texts; lengths and gaps of vectors. Texts have about sixteen
words, of fifty thousand that come as words of a language do (Zipf).
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import polars as pl

import summary
from drivetrain.monitor.comparison.compare import compare
from measure import Cost, apart, here, least, table

BUDGET = {"texts": 40.0, "vectors": 10.0}
WORDS = 50_000
WIDTH = 384


def texts(rows: int, seed: int) -> pl.DataFrame:
    """Messages of made-up words."""
    dice = np.random.default_rng(seed)
    shares = 1 / np.arange(2, WORDS + 2)
    lengths = dice.integers(8, 25, rows)
    words = pl.Series(dice.choice(WORDS, int(lengths.sum()), p=shares / shares.sum())).cast(pl.String)
    told = pl.DataFrame({"row": np.repeat(np.arange(rows), lengths), "word": "w" + words})
    return told.group_by("row", maintain_order=True).agg(text=pl.col("word").str.join(" ")).select("text")


def vectors(rows: int, seed: int) -> pl.DataFrame:
    """Embeddings, in float32, as models give them."""
    found = np.random.default_rng(seed).standard_normal((rows, WIDTH)).astype(np.float32)
    return pl.DataFrame({"vector": found})


def run(name: str, rows: str) -> Cost:
    """One of them, in this process."""
    make = texts if name == "texts" else vectors
    before, now = make(int(rows), 1), make(int(rows), 2)
    return here(f"{int(rows):,} {name}", lambda: float(len(compare(before, now).differences)), [])


def main() -> None:
    """Runs both and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--run", nargs=2, help=argparse.SUPPRESS)
    summary.asks(parser)
    summary.repeats(parser)
    options = parser.parse_args()
    if options.run:
        run(*options.run)
        return
    many = 5_000 if options.quick else 100_000
    names = tuple(BUDGET)
    costs = least(
        [
            lambda name=name: apart(sys.executable, [__file__, "--run", name, str(many)], f"{many:,} {name}")
            for name in names
        ],
        options.repeat,
    )
    table(costs)
    summary.add(
        options.summary,
        *(
            summary.Line(
                f"drift report, {many:,} {name} against as many",
                f"{cost.cpu:.1f} CPU-s, {cost.peak_mb:,.0f} MB",
                f"{BUDGET[name]:.0f} CPU-s",
                None if options.quick else not cost.note and cost.cpu <= BUDGET[name],
            )
            for name, cost in zip(names, costs, strict=True)
        ),
    )


if __name__ == "__main__":
    main()
