"""Point-in-time joins and window aggregates: ours beside DuckDB, Polars and pandas, in one run.

    python benchmarks/point_in_time.py --events 10000000 --labels 1000000

``lookups`` joins three views of ten features each to the labels (the events are spread over the three tables);
``windows`` computes count, sum and mean over 1 hour, 1 day and 7 days. Each contestant runs in a process of its own and
reads the same Parquet files; the checksums must agree.
"""

# ruff: noqa: PLC0415 - contestants run in environments that lack each other's libraries

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import measure
import peers
import summary

VIEWS = 3
FEATURES = 10
TASKS = {
    "lookups": ("drivetrain", "Polars by hand", "DuckDB", "pandas merge_asof", "Feast"),
    "windows": ("drivetrain", "Polars by hand", "DuckDB", "Feast"),
}


def make(folder: Path, events: int, labels: int, entities: int) -> None:
    """Writes the tables, seeded: a year of events in order of time, a tenth of the values with a fraction."""
    import numpy as np
    import polars as pl

    random = np.random.default_rng(7)
    year = 365 * 86_400_000_000
    utc = pl.Datetime("us", "UTC")

    def times(many: int) -> pl.Series:
        return pl.Series(np.sort(random.integers(0, year, many))).cast(utc)

    pl.DataFrame(
        {"entity": random.integers(0, entities, labels), "_at": random.permutation(random.integers(0, year, labels))}
    ).with_columns(pl.col("_at").cast(utc)).write_parquet(folder / "labels.parquet")
    for view in range(VIEWS):
        many = events // VIEWS
        moments = times(many)
        pl.DataFrame(
            {
                "entity": random.integers(0, entities, many),
                "_event_time": moments,
                "_available_at": moments,
                "_seq": np.arange(many),
                **{f"x{at}": random.normal(size=many) for at in range(FEATURES)},
            }
        ).write_parquet(folder / f"view{view}.parquet", row_group_size=1 << 20)
    moments = times(events)
    pl.DataFrame(
        {
            "entity": random.integers(0, entities, events),
            "_event_time": moments,
            "_available_at": moments,
            "_seq": np.arange(events),
            "amount": np.round(random.lognormal(3.0, 1.0, events), 2),
        }
    ).write_parquet(folder / "events.parquet", row_group_size=1 << 20)


def ours(folder: Path, task: str) -> float:
    """Drivetrain."""
    import polars as pl

    from drivetrain.features.aggregate import count, last, mean, sum
    from drivetrain.features.entity import Entity
    from drivetrain.features.training_set import build
    from drivetrain.features.view import FeatureView

    class Table:
        def __init__(self, name: str) -> None:
            self.name = name
            self.key = ("_seq",)

    entity = Entity("entity", "entity")
    windows = ["1h", "1d", "7d"]
    if task == "lookups":
        views = [
            FeatureView(
                name=f"view{view}",
                entity=entity,
                source=Table(f"view{view}"),
                features=[last(f"x{at}") for at in range(FEATURES)],
            )
            for view in range(VIEWS)
        ]
    else:
        asked = [count(windows=windows), sum("amount", windows=windows), mean("amount", windows=windows)]
        views = [FeatureView(name="events", entity=entity, source=Table("events"), features=asked)]
    labels = pl.read_parquet(folder / "labels.parquet")
    made = build(labels, views, [], lambda name: pl.scan_parquet(folder / f"{name}.parquet"))
    return float(made.select(pl.sum_horizontal(pl.exclude("entity", "_at").sum())).item())


def run(name: str, task: str, folder: str) -> measure.Cost:
    """One contestant in a process of its own."""
    if name == "drivetrain":
        return measure.apart(sys.executable, [__file__, "--one", task, folder], name)
    if name == "Feast":
        if task != "lookups":
            return measure.Cost(name, note="computes no windows: its sources hold what was aggregated before")
        return peers.run(peers.FEAST, ["feast_peer.py", task, folder], "Feast, DuckDB")
    script = ["point_in_time_peers.py", name, task, folder]
    return peers.run({"DuckDB": peers.DUCKDB, "pandas merge_asof": peers.PANDAS}.get(name, ()), script, name)


def judge(task: str, rows: list[measure.Cost], sizes: str) -> summary.Line:
    """The summary's line."""
    ours, *others = rows
    told = [measure.beside(other, ours) for other in others]
    if task == "lookups":
        met = ours.cpu <= 9 and ours.peak_mb <= 700
        words, budget = "point-in-time join, 3 views of 10 features", "9 CPU-s, 700 MB"
    else:
        words, budget, met = "9 window aggregates", "7 CPU-s", ours.cpu <= 7
    return summary.Line(f"{words}: {sizes}", measure.words(ours), budget, met and not ours.note, told)


def main() -> None:
    """Makes the data, runs every contestant apart, prints a table for each task."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--labels", type=int, default=1_000_000)
    parser.add_argument("--entities", type=int, default=100_000)
    parser.add_argument("--tasks", nargs="*", default=list(TASKS))
    parser.add_argument("--only", nargs="*", help="contestants; all by default")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    summary.repeats(parser)
    summary.asks(parser)
    given = parser.parse_args()
    if given.one:
        task, folder = given.one
        if task == "make":
            make(Path(folder), given.events, given.labels, given.entities)
        else:
            measure.here("drivetrain", lambda: ours(Path(folder), task), ["polars", "drivetrain.features.training_set"])
        return
    sizes = f"{given.events:,} events, {given.labels:,} labels, {given.entities:,} entities"
    with tempfile.TemporaryDirectory() as folder:
        arguments = [f"--{name}={getattr(given, name)}" for name in ("events", "labels", "entities")]
        subprocess.run([sys.executable, __file__, *arguments, "--one", "make", folder], check=True)
        for task in given.tasks:
            runs = [partial(run, name, task, folder) for name in given.only or TASKS[task]]
            rows = measure.least(runs, given.repeat)
            print(f"\n{task}: {sizes}")
            measure.table(rows)
            summary.add(given.summary, judge(task, rows, sizes))


if __name__ == "__main__":
    main()
