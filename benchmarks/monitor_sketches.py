"""Hourly sketches: what making them costs, and merging a month of fifty columns.

    python benchmarks/monitor_sketches.py [--quick]

The month is read from its Delta table, merged, and compared with the reference by every statistic.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

import summary
from drivetrain.core.clock import DAY, HOUR
from drivetrain.core.records import Field
from drivetrain.core.settings import StoreSettings
from drivetrain.monitor.column import column_of
from drivetrain.monitor.drift import measure_counts
from drivetrain.monitor.reference import Reference
from drivetrain.monitor.sketch.hourly import hourly_sketches
from drivetrain.monitor.sketch.table import histograms, merged_sketches, sketched_rows, sketches_table
from drivetrain.monitor.statistics.statistic import STATISTICS
from drivetrain.store.bundle import Store, open_store
from measure import Cost, apart, here, least, table

COLUMNS = 50
HOURS = 31 * 24
RATE = 2e6
BUDGET = 0.5


def reference_of(rows: int) -> Reference:
    """A profile of fifty columns over two hundred days."""
    dice = np.random.default_rng(1)
    days = np.sort(dice.integers(0, 200, rows))
    fields = [Field(f"x{at}") for at in range(COLUMNS)]
    columns = tuple(column_of(field, dice.standard_normal(rows), days, 200) for field in fields)
    output = column_of(Field("prediction"), dice.random(rows), days, 200)
    return Reference(days=tuple(range(200)), rows=rows, columns=columns, output=output)


def month(reference: Reference, rows: int) -> pl.DataFrame:
    """Sketches of a month of rows."""
    dice = np.random.default_rng(2)
    ats = 200 * DAY + np.sort(dice.integers(0, HOURS * HOUR, rows))
    frames = [hourly_sketches(column, dice.standard_normal(rows), ats, 1) for column in reference.columns]
    return pl.concat([*frames, hourly_sketches(reference.output, dice.random(rows), ats, 1)])


def run(name: str, rows: str, place: str) -> Cost:
    """One of them, in this process."""
    many = int(rows)
    reference = reference_of(20_000)
    if name == "update":
        dice = np.random.default_rng(3)
        values, ats = dice.standard_normal(many), np.sort(dice.integers(0, HOURS * HOUR, many))
        return here(name, lambda: float(hourly_sketches(reference.columns[0], values, ats, 1)["rows"].sum()))
    store = open_store(StoreSettings(), Path(place))
    store.tables.append(sketches_table("e"), month(reference, many))
    store.tables.scan(sketches_table("e")).head(1).collect()  # the library is loaded, as in any watch
    return here(name, lambda: _judged(store, reference))


def _judged(store: Store, reference: Reference) -> float:
    rows = sketched_rows(store, "e", 1, 200 * DAY, 232 * DAY)
    counts = histograms(reference, merged_sketches(rows))
    for name in STATISTICS:
        measure_counts(reference, counts, days=31, statistic=name, effect=0.1, false_alarm=0.15)
    return float(rows.height)


def main() -> None:
    """Runs both and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--run", nargs=3, help=argparse.SUPPRESS)
    summary.asks(parser)
    summary.repeats(parser)
    options = parser.parse_args()
    if options.run:
        run(*options.run)
        return
    many = 100_000 if options.quick else 4_000_000

    def once(name: str, rows: int) -> Cost:
        with tempfile.TemporaryDirectory(prefix="bench-sketches-") as folder:
            return apart(sys.executable, [__file__, "--run", name, str(rows), folder], name)

    update, merge = costs = least(
        [lambda: once("update", many), lambda: once("merge", 50_000)],
        options.repeat,
    )
    table(costs)
    rate = many / max(update.cpu, 1e-9)
    summary.add(
        options.summary,
        summary.Line(
            f"hourly sketches of {many:,} values", f"{rate / 1e6:.1f}M values/s", "2M values/s a core", rate >= RATE
        ),
        summary.Line(
            f"a month of hourly sketches of {COLUMNS} columns read, merged and judged by {len(STATISTICS)} statistics",
            f"{merge.cpu:.2f} CPU-s, {merge.wall:.2f} s",
            f"{BUDGET} s",
            None if merge.note else merge.cpu <= BUDGET,
        ),
    )


if __name__ == "__main__":
    main()
