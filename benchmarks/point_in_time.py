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
from pathlib import Path

import measure
import peers

VIEWS = 3
FEATURES = 10


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


def polars_asof(folder: Path, task: str) -> float:
    """Polars' own as-of join, or cumulative sums and as-of joins for windows."""
    import polars as pl

    labels = pl.read_parquet(folder / "labels.parquet").with_row_index("row").sort("_at")
    total = 0.0
    if task == "lookups":
        for view in range(VIEWS):
            rows = pl.scan_parquet(folder / f"view{view}.parquet").drop("_available_at", "_seq")
            made = labels.lazy().join_asof(rows, left_on="_at", right_on="_event_time", by="entity")
            total += made.select(pl.sum_horizontal(pl.col("^x.*$").sum())).collect().item()
        return total
    rows = (
        pl.scan_parquet(folder / "events.parquet")
        .select("entity", "_event_time", "amount")
        .with_columns(
            pl.col("amount").cum_sum().over("entity").alias("total"),
            pl.int_range(1, pl.len() + 1).over("entity").alias("n"),
        )
        .drop("amount")
        .collect()
    )
    now = labels.join_asof(rows, left_on="_at", right_on="_event_time", by="entity").select("total", "n").fill_null(0)
    for hours in (1, 24, 168):
        before = (
            labels.with_columns(pl.col("_at") - pl.duration(hours=hours))
            .join_asof(rows, left_on="_at", right_on="_event_time", by="entity")
            .select("total", "n")
            .fill_null(0)
        )
        count, amount = now["n"] - before["n"], now["total"] - before["total"]
        there = count > 0
        total += count.sum() + amount.filter(there).sum() + (amount.filter(there) / count.filter(there)).sum()
    return float(total)


def duckdb(folder: Path, task: str) -> float:
    """DuckDB's ASOF JOIN, or a range join for windows."""
    import duckdb as db

    connection = db.connect()
    connection.execute("SET threads = 2")
    labels = f"(SELECT * FROM '{folder}/labels.parquet')"
    if task == "lookups":
        total = 0.0
        for view in range(VIEWS):
            sums = " + ".join(f"sum(x{at})" for at in range(FEATURES))
            found = connection.execute(
                f"SELECT {sums} FROM {labels} l ASOF LEFT JOIN '{folder}/view{view}.parquet' e "
                "ON l.entity = e.entity AND l._at >= e._event_time"
            ).fetchone()
            total += found[0] if found else 0.0
        return total
    spans = {"1 HOUR": "h", "1 DAY": "d", "7 DAY": "w"}
    columns = ", ".join(
        f"count(*) FILTER (e._event_time > l._at - INTERVAL {span}) AS n{tag}, "
        f"sum(e.amount) FILTER (e._event_time > l._at - INTERVAL {span}) AS s{tag}"
        for span, tag in spans.items()
    )
    result = " + ".join(f"sum(n{tag}) + sum(s{tag}) + sum(s{tag} / n{tag})" for tag in spans.values())
    found = connection.execute(
        f"SELECT {result} FROM (SELECT l.row, {columns} FROM (SELECT row_number() OVER () AS row, * FROM {labels}) l "
        f"JOIN '{folder}/events.parquet' e ON l.entity = e.entity AND e._event_time <= l._at "
        "AND e._event_time > l._at - INTERVAL 7 DAY GROUP BY l.row)"
    ).fetchone()
    return float(found[0]) if found else 0.0


def pandas(folder: Path, task: str) -> float:
    """Pandas ``merge_asof``."""
    import pandas as pd

    if task != "lookups":
        raise SystemExit("no windows at given moments in pandas")
    labels = pd.read_parquet(folder / "labels.parquet").sort_values("_at")
    total = 0.0
    for view in range(VIEWS):
        rows = pd.read_parquet(folder / f"view{view}.parquet").drop(columns=["_available_at", "_seq"])
        made = pd.merge_asof(labels, rows, left_on="_at", right_on="_event_time", by="entity")
        total += float(made[[f"x{at}" for at in range(FEATURES)]].sum().sum())
    return total


CONTESTANTS = {"drivetrain": ours, "polars as-of": polars_asof, "duckdb": duckdb, "pandas merge_asof": pandas}
NEEDS = {"duckdb": ("duckdb", "pytz"), "pandas merge_asof": ("pandas", "pyarrow")}


def main() -> None:
    """Makes the data, runs every contestant apart, prints a table for each task."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--labels", type=int, default=1_000_000)
    parser.add_argument("--entities", type=int, default=100_000)
    parser.add_argument("--tasks", nargs="*", default=["lookups", "windows"])
    parser.add_argument("--only", nargs="*", default=list(CONTESTANTS))
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        name, task, folder = given.one
        if name == "make":
            make(Path(folder), given.events, given.labels, given.entities)
            return
        measure.here(name, lambda: CONTESTANTS[name](Path(folder), task))
        return
    with tempfile.TemporaryDirectory() as folder:
        arguments = [f"--{name}={getattr(given, name)}" for name in ("events", "labels", "entities")]
        subprocess.run([sys.executable, __file__, *arguments, "--one", "make", "make", folder], check=True)
        for task in given.tasks:
            rows = []
            for name in given.only:
                python = peers.python(*NEEDS[name]) if name in NEEDS else sys.executable
                if python is None:
                    rows.append(measure.Cost(name, note="can't be installed here"))
                    continue
                rows.append(measure.apart(python, [__file__, "--one", name, task, folder], name))
            print(f"\n{task}: {given.events:,} events, {given.labels:,} labels, {given.entities:,} entities")
            measure.table(rows)


if __name__ == "__main__":
    main()
