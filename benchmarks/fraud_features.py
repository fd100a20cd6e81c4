"""The fraud handbook's fifteen features over all of its transactions: ours beside pandas, as the handbook does it.

    python benchmarks/fraud_features.py

The transactions are those of ``examples/fraud``: 183 days, 5,000 customers, 10,000 terminals. Ours are two feature
views and request features, as a project declares them. Every value is compared with the example's own arithmetic.
"""
# ruff: noqa: PLC0415 - each part of it runs in a process that loads what it measures

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import polars as pl

import measure
import peers
import summary

FRAUD = Path(__file__).parent.parent / "examples" / "fraud"
WINDOWS = ["1d", "7d", "30d"]
DELAY = "7d"
NUMBERS = [1, 7, 30]
NAMES = [
    *("amount", "weekend", "night"),
    *(f"customer_{what}_{days}d" for what in ("count", "amount") for days in NUMBERS),
    *(f"terminal_{what}_{days}d" for what in ("count", "risk") for days in NUMBERS),
]


def make(folder: Path, days: int, customers: int, terminals: int) -> None:
    """Writes the transactions, and every feature by the example's own arithmetic."""
    sys.path.insert(0, str(FRAUD))
    import handbook
    import world

    made = world.generate(1, days, customers, terminals, side=terminals**0.5)
    made.write_parquet(folder / "transactions.parquet", row_group_size=1 << 18)
    handbook.handbook_features(made).select(NAMES).write_parquet(folder / "expected.parquet")


def ours(folder: Path) -> pl.DataFrame:
    """Drivetrain."""
    from drivetrain.features.aggregate import count, mean, share
    from drivetrain.features.entity import Entity
    from drivetrain.features.request import RequestFeatures
    from drivetrain.features.training_set import build
    from drivetrain.features.view import FeatureView
    from online_events import Source

    def moment(_: pl.DataFrame) -> list[pl.Expr]:
        at = pl.col("time")
        return [
            pl.col("amount"),
            (at.dt.weekday() > 5).cast(pl.Float64).alias("weekend"),
            (at.dt.hour() <= 6).cast(pl.Float64).alias("night"),
        ]

    source = Source(name="transactions", key=("transaction_id",), time="time", available="time")
    views = [
        FeatureView(
            name="customer",
            entity=Entity("customer_id", "customer_id"),
            source=source,
            features=[count(windows=WINDOWS), mean("amount", windows=WINDOWS, name="amount")],
        ),
        FeatureView(
            name="terminal",
            entity=Entity("terminal_id", "terminal_id"),
            source=source,
            features=[
                count(windows=WINDOWS, offset=DELAY),
                share(pl.col("fraud"), windows=WINDOWS, offset=DELAY, name="risk"),
            ],
        ),
    ]
    request = RequestFeatures(name="request", function=moment, inputs={"time": "time", "amount": "float"})

    def table(_: str) -> pl.LazyFrame:
        times = {name: pl.col("time") for name in ("_event_time", "_available_at")}
        return pl.scan_parquet(folder / "transactions.parquet").with_columns(**times, _seq=pl.col("transaction_id"))

    columns = ["customer_id", "terminal_id", "time", "amount"]
    labels = pl.read_parquet(folder / "transactions.parquet", columns=columns).with_columns(_at=pl.col("time"))
    made = build(labels, views, [request], table)
    names = [*(name for view in views for name in view.feature_names), *request.feature_names]
    renamed = zip(names, [*NAMES[3:], *NAMES[:3]], strict=True)
    features = made.select(pl.col(name).cast(pl.Float64).alias(short) for name, short in renamed)
    return features.with_columns(pl.col("^terminal_risk.*$").fill_nan(None).fill_null(0))


def differing(folder: Path, name: str) -> str:
    """How many of a contestant's values are not the example's."""
    expected, found = (pl.read_parquet(folder / f"{file}.parquet", columns=NAMES) for file in ("expected", name))
    apart = [((expected[column] - found[column]).abs() > 1e-6).fill_null(value=True).sum() for column in NAMES]
    return f"{sum(apart):,} of {expected.height * len(NAMES):,} values differ"


def main() -> None:
    """Makes the transactions, runs both, compares, prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=183)
    parser.add_argument("--customers", type=int, default=5_000)
    parser.add_argument("--terminals", type=int, default=10_000)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    summary.repeats(parser)
    summary.asks(parser)
    given = parser.parse_args()
    if given.one:
        one(given.one[0], Path(given.one[1]), given)
        return
    with tempfile.TemporaryDirectory(prefix="bench-fraud-") as name:
        folder = Path(name)
        sizes = [f"--{what}={getattr(given, what)}" for what in ("days", "customers", "terminals")]
        subprocess.run([sys.executable, __file__, *sizes, "--one", "make", name], check=True)
        runs = [
            partial(measure.apart, sys.executable, [__file__, "--one", "ours", name], "drivetrain"),
            partial(peers.run, peers.PANDAS, ["fraud_pandas.py", name], "pandas rolling, the handbook's way"),
        ]
        costs = measure.least(runs, given.repeat)
        rows = int(costs[0].check)
        print(f"15 features of {rows:,} transactions")
        measure.table(costs)
        for file, cost in zip(("drivetrain", "pandas"), costs, strict=True):
            if not cost.note:
                print(f"{cost.name}: {differing(folder, file)} from the example's own arithmetic")
    first, other = costs
    met = not first.note and first.cpu <= 20 and first.peak_mb <= 2048
    work = f"fraud features, all 15: {rows:,} transactions"
    line = summary.Line(work, measure.words(first), "20 CPU-s, 2 GB", met, [measure.beside(other, first)])
    summary.add(given.summary, line)


def one(task: str, folder: Path, given: argparse.Namespace) -> None:
    """One part in this process."""
    if task == "make":
        make(folder, given.days, given.customers, given.terminals)
        return
    made: list[pl.DataFrame] = []

    def work() -> float:
        made.append(ours(folder))
        return float(made[0].height)

    measure.here("drivetrain", work, ["polars", "drivetrain.features.training_set"])
    made[0].write_parquet(folder / "drivetrain.parquet")


if __name__ == "__main__":
    main()
