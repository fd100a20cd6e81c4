"""The drift report of twenty columns of numbers and ten of categories, beside Evidently and NannyML.

    python benchmarks/monitor_drift.py [--quick]

Ours is judged against chance in the same run: every value comes with its probability by permutation, corrected over all
columns and statistics. Peers compare with fixed bounds. The statistics are those that both have: five of numbers and
four of categories beside Evidently, four of each beside NannyML. Ours runs a million rows against a million, and beside
each peer a tenth of that.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

import monitor_drift_peers as theirs
import peers
import summary
from drivetrain.monitor.comparison.compare import compare
from measure import Cost, apart, beside, here, least, table, times

FIVE = {"n": ("ks", "psi", "js", "hellinger", "wasserstein"), "c": ("chi2", "psi", "js", "hellinger", "tv")}
FOUR = {"n": ("ks", "js", "hellinger", "wasserstein"), "c": ("chi2", "js", "hellinger", "tv")}
SETS = {"five": FIVE, "five and four": {"n": FIVE["n"], "c": FIVE["c"][:4]}, "four": FOUR}
BUDGET = 5.0
FASTER = {"Evidently": 10, "NannyML": 5}


def make(rows: int, seed: int, place: Path) -> None:
    """Normal, skewed, longer-tailed and whole numbers; ten columns of eight categories, of unequal shares."""
    dice = np.random.default_rng(seed)
    kinds = [
        dice.standard_normal,
        dice.standard_exponential,
        lambda many: dice.standard_t(5, many),
        lambda many: dice.poisson(4, many).astype(float),
    ]
    shares = np.array([0.4, 0.25, 0.15, 0.1, 0.05, 0.03, 0.015, 0.005])
    columns: dict[str, object] = {f"n{at}": kinds[at % 4](rows) for at in range(20)}
    names = pl.Series(list("abcdefgh"))
    columns |= {f"c{at}": names.gather(dice.choice(8, rows, p=shares)) for at in range(10)}
    pl.DataFrame(columns).write_parquet(place)


def run(name: str, statistics: str, reference: str, window: str) -> Cost:
    """One of ours, in this process."""
    before, now = pl.read_parquet(reference), pl.read_parquet(window)

    def work() -> float:
        checked = 0
        for kind, asked in SETS[statistics].items():
            features = [column for column in before.columns if column[0] == kind]
            checked += len(compare(before, now, statistics=asked, features=features).differences)
        return float(checked)

    return here(name, work, ["drivetrain.adapters.scipy"])


def main() -> None:
    """Runs everything turn about and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--run", nargs=4, help=argparse.SUPPRESS)
    summary.asks(parser)
    summary.repeats(parser)
    options = parser.parse_args()
    if options.run:
        run(*options.run)
        return
    many = 20_000 if options.quick else 1_000_000
    with tempfile.TemporaryDirectory(prefix="bench-drift-") as folder:
        whole, part = ([Path(folder) / f"{size}-{side}.parquet" for side in (1, 2)] for size in ("whole", "part"))
        for size, places in ((many, whole), (many // 10, part)):
            for seed, place in enumerate(places):
                make(size, seed, place)

        def ours(name: str, statistics: str, places: list[Path]) -> Cost:
            return apart(sys.executable, [__file__, "--run", name, statistics, *map(str, places)], name)

        def peer(name: str) -> Cost:
            return peers.run(theirs.PACKAGES[name], ["monitor_drift_peers.py", name, *map(str, part)], name)

        costs = least(
            [
                lambda: ours(f"ours, {many:,} rows, five", "five", whole),
                lambda: ours(f"ours, {many // 10:,} rows, five and four", "five and four", part),
                lambda: ours(f"ours, {many // 10:,} rows, four", "four", part),
                *(lambda name=name: peer(name) for name in FASTER),
            ],
            options.repeat,
        )
    table(costs)
    large, five, four, *others = costs
    summary.add(
        options.summary,
        summary.Line(
            f"drift report, {many:,} × 30 against as many, five statistics a column",
            f"{large.cpu:.2f} CPU-s, {large.peak_mb:,.0f} MB",
            f"{BUDGET:.0f} CPU-s",
            None if options.quick else not large.note and large.cpu <= BUDGET,
        ),
        *(
            summary.Line(
                f"the same of {many // 10:,} rows, {words} statistics a column",
                f"{mine.cpu:.2f} CPU-s, {mine.peak_mb:,.0f} MB",
                f"{times(FASTER[other.name])} as fast as {other.name}",
                None if other.note or options.quick else other.cpu / max(mine.cpu, 1e-9) >= FASTER[other.name],
                [beside(other, mine)],
            )
            for words, mine, other in zip(("five and four", "four"), (five, four), others, strict=True)
        ),
    )


if __name__ == "__main__":
    main()
