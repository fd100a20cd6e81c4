"""Materialisation: a table's rows into the online store, beside Feast's into SQLite.

    python benchmarks/materialise.py --rows 2000000 --entities 20000

Ours reads a Delta table. For a view of windows it keeps every event that a window can still need, so that answers are
exact at any moment; for one of newest values only what is looked up. Feast writes the newest row of each entity. Hence
two shapes: many events an entity, and as many entities as rows.
"""

# ruff: noqa: PLC0415 - each part of it runs in a process that loads what it measures

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import measure
import peers
import summary

DAY = 86_400_000_000
FEATURES = 10
WORDS = {"windows": "drivetrain, 9 windows and the newest value", "newest": "drivetrain, 10 newest values"}


def make(folder: Path, rows: int, entities: int) -> None:
    """Writes the events, for Feast as Parquet and for us as a table; an event each where there are as many entities."""
    import numpy as np
    import polars as pl

    from drivetrain.core.settings import StoreSettings
    from drivetrain.store.bundle import open_store

    random = np.random.default_rng(3)
    utc = pl.Datetime("us", "UTC")
    moments = np.sort(random.integers(DAY, 31 * DAY, rows))
    numbers = np.arange(rows)
    frame = pl.DataFrame(
        {
            "event_id": numbers,
            "entity": random.permutation(numbers) if rows == entities else random.integers(0, entities, rows),
            "_event_time": moments,
            "_available_at": moments,
            "_seq": numbers,
            **{f"x{at}": np.round(random.normal(size=rows), 3) for at in range(FEATURES)},
        }
    ).with_columns(pl.col("_event_time", "_available_at").cast(utc))
    frame.write_parquet(folder / "events.parquet", row_group_size=1 << 18)
    store = open_store(StoreSettings(), folder)
    store.tables.append("events", frame)
    store.close()


def ours(folder: Path, kind: str) -> tuple[float, dict[str, float]]:
    """One view from nothing."""
    from drivetrain.core.settings import StoreSettings
    from drivetrain.features.aggregate import count, last, mean, sum
    from drivetrain.features.entity import Entity
    from drivetrain.features.online.materialise import materialise
    from drivetrain.features.view import FeatureView
    from drivetrain.store.bundle import open_store
    from online_events import Source

    windows = ["1d", "7d", "30d"]
    asked = [count(windows=windows), mean("x0", windows=windows), sum("x1", windows=windows), last("x0")]
    if kind == "newest":
        asked = [last(f"x{at}") for at in range(FEATURES)]
    view = FeatureView(name=kind, entity=Entity("entity", "entity"), source=Source(), features=asked)
    store = open_store(StoreSettings(online=f"lmdb:{tempfile.mkdtemp(dir=folder)}"), folder)
    cpu, wall = time.process_time(), time.perf_counter()
    made = materialise(store, view, 0, now=31 * DAY)
    spent = {"rows": made.rows, "cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
    store.close()
    return made.entities, spent


def main() -> None:
    """Makes the table, fills stores from it, prints what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--entities", type=int, default=20_000)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    summary.repeats(parser)
    summary.asks(parser)
    given = parser.parse_args()
    if given.one:
        task, folder = given.one
        if task == "make":
            make(Path(folder), given.rows, given.entities)
        else:
            measure.here(WORDS[task], lambda: ours(Path(folder), task), ["drivetrain.features.online.materialise"])
        return
    for rows, entities in ((given.rows, given.entities), (given.rows // 10, given.rows // 10)):
        costs = shape(rows, entities, given.repeat)
        told = f"{rows:,} rows of {entities:,} entities"
        print(f"\n{told}\n{'':44} {'rows/CPU-s':>12} {'×':>7} {'rows/s':>10} {'peak MB':>9}")
        for cost in costs:
            print(line(cost, costs[0]))
        first, *others = costs
        met = not first.note and rate(first) >= 200_000
        words = first.note or f"{rate(first):,.0f} rows/CPU-s, {first.peak_mb:,.0f} MB"
        beside = [
            f"{one.name} {one.note or f'{rate(one):,.0f} ({measure.times(rate(first) / rate(one))})'}" for one in others
        ]
        budget = "200,000 rows/s"
        summary.add(given.summary, summary.Line(f"materialisation: {told}", words, budget, met, beside))


def shape(rows: int, entities: int, repeat: int) -> list[measure.Cost]:
    """Everyone's cost of one table."""
    with tempfile.TemporaryDirectory(prefix="bench-materialise-") as folder:
        sizes = [f"--rows={rows}", f"--entities={entities}"]
        subprocess.run([sys.executable, __file__, *sizes, "--one", "make", folder], check=True)
        ours = [
            partial(measure.apart, sys.executable, [__file__, "--one", kind, folder], WORDS[kind]) for kind in WORDS
        ]
        command = ["feast_peer.py", "materialise", folder, "sqlite", str(rows)]
        return measure.least([*ours, partial(peers.run, peers.FEAST, command, "Feast, SQLite")], repeat)


def rate(cost: measure.Cost) -> float:
    """Rows a CPU second."""
    return cost.more["rows"] / cost.more["cpu"]


def line(cost: measure.Cost, ours: measure.Cost) -> str:
    """A line of the table."""
    if cost.note or ours.note:
        return f"{cost.name:44} {cost.note}"
    speed = f"{rate(cost):12,.0f} {rate(ours) / rate(cost):7.2f} {cost.more['rows'] / cost.more['wall']:10,.0f}"
    return f"{cost.name:44} {speed} {cost.peak_mb:9,.0f}"


if __name__ == "__main__":
    main()
