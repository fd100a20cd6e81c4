"""Online reads of 30 features from 3 views, beside the bare LMDB read as the limit; and what keeping them costs.

    python benchmarks/online_read.py --entities 20000 --events 100

Prints the median and the 99th percentile of a single read, entities a second in batches of 100, reads just before the
newest events were known, an entity of ten thousand events, and the cost of filling and of a day's increment.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl

from drivetrain.features.aggregate import count, last, max, mean, std, sum
from drivetrain.features.entity import Entity
from drivetrain.features.online.layout import Layout, key_of
from drivetrain.features.online.materialise import materialise
from drivetrain.features.online.reader import OnlineReader
from drivetrain.features.view import FeatureView
from drivetrain.store.online import LmdbOnline

DAY = 86_400_000_000
WINDOWS = ["1d", "7d", "30d"]
ASKED = [mean("x", windows=WINDOWS), count(windows=WINDOWS), sum("y", windows=WINDOWS), last("x")]
MIXED = [mean("x", windows=WINDOWS), max("y", windows=WINDOWS), std("x", windows=["30d", "7d"]), last("x"), last("y")]


class Tables:
    """Versions of one table in memory."""

    def __init__(self) -> None:
        self.versions: list[pl.DataFrame] = []

    def scan(self, _name: str, version: int) -> pl.LazyFrame:
        """Rows of a version."""
        return self.versions[version].lazy()

    def rows(self, _name: str, version: int) -> int:
        """How many they are."""
        return len(self.versions[version])


def table(random: np.random.Generator, entities: np.ndarray, first: int, days: tuple[float, float]) -> pl.DataFrame:
    """Events of these entities, in order of time."""
    utc = pl.Datetime("us", "UTC")
    many = len(entities)
    moments = np.sort(random.integers(int(days[0] * DAY), int(days[1] * DAY), many))
    return pl.DataFrame(
        {
            "entity": entities,
            "x": random.integers(-50, 200, many).astype(float),
            "y": np.round(random.lognormal(3, 1, many), 2),
            "_event_time": moments,
            "_available_at": moments + random.integers(0, DAY // 6, many),
            "_seq": np.arange(first, first + many),
        }
    ).with_columns(pl.col("_event_time", "_available_at").cast(utc), pl.format("N{}", "entity").alias("entity"))


def micros(work: Callable[[int], object], many: int) -> list[float]:
    """Microseconds of each call."""
    took = []
    for at in range(many):
        begin = time.perf_counter_ns()
        work(at)
        took.append((time.perf_counter_ns() - begin) / 1_000)
    return sorted(took)


def line(name: str, took: list[float], base: float | None = None, note: str = "") -> None:
    """Prints one row."""
    middle = statistics.median(took)
    ratio = "" if base is None else f"{middle / base:6.1f} ×"
    print(f"{name:52} {middle:9.1f} {took[int(len(took) * 0.99)]:9.1f} {ratio:>9}  {note}")


def main() -> None:
    """Fills a store, reads it, prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entities", type=int, default=20_000)
    parser.add_argument("--events", type=int, default=100, help="mean number of events of an entity")
    parser.add_argument("--reads", type=int, default=20_000)
    given = parser.parse_args()
    random = np.random.default_rng(3)
    entity = Entity("entity", "entity")
    source = SimpleNamespace(name="events", key=("_seq",))
    asked = {"mixed": MIXED, "counts": ASKED, "more": ASKED}
    views = [
        FeatureView(name=name, entity=entity, source=source, features=features, ttl=60 * DAY)
        for name, features in asked.items()
    ]
    tables = Tables()
    rows = given.entities * given.events
    tables.versions.append(table(random, random.integers(0, given.entities, rows), 0, (0, 30)))
    with tempfile.TemporaryDirectory() as folder:
        store = SimpleNamespace(tables=tables, online=LmdbOnline(Path(folder), 16.0))
        begin = time.process_time()
        for view in views:
            materialise(store, view, 0, now=0)
        filled = time.process_time() - begin
        fresh = table(random, random.integers(0, given.entities, 1_000), rows, (30, 31))
        tables.versions.append(pl.concat([tables.versions[0], fresh]))
        begin = time.perf_counter()
        for view in views:
            materialise(store, view, 1, now=0)
        increment = time.perf_counter() - begin
        reader = OnlineReader(store.online, views)
        names = [f"N{at}" for at in random.integers(0, given.entities, given.reads)]
        at = 32 * DAY
        keys = [key_of([name], ["entity"]) for name in names]
        spaces = [view.space for view in views]
        features = len([name for view in views for name in view.feature_names])
        print(f"{features} features, 3 views, {given.entities:,} entities, {given.events} events each\n")
        print(f"{'':52} {'p50 µs':>9} {'p99 µs':>9}")
        bare = micros(lambda at: store.online.read_many([(space, keys[at]) for space in spaces]), given.reads)
        base = statistics.median(bare)
        line("bare LMDB read of the three rows", bare, 1.0 * base)
        line("one request", micros(lambda i: reader.read([{"entity": names[i]}], [at]), given.reads), base)
        batches = [names[i : i + 100] for i in range(0, given.reads, 100)]
        took = micros(lambda i: reader.read([{"entity": name} for name in batches[i]], [at] * 100), len(batches))
        line("100 requests", took, base, f"{100 / statistics.median(took) * 1e6:,.0f} entities/s")
        some = min(given.reads, 2_000)
        past = int(29.9 * DAY)
        line(
            "one request, before all was known",
            micros(lambda i: reader.read([{"entity": names[i]}], [past]), some),
            base,
        )
        print(f"\nfilling: {3 * rows / filled:,.0f} rows a CPU second ({filled:.1f} s)")
        print(f"an increment of 1,000 rows into three views: {increment * 1e3:.0f} ms")
        hot(store, views, random, base)
        print(f"\nrecord: {8 * len(Layout(views[0]).cells)} bytes an event in the first view")


def hot(store: SimpleNamespace, views: list[FeatureView], random: np.random.Generator, base: float) -> None:
    """An entity with many events: read from pages, and kept current."""
    store.online.drop(views[0].space)
    store.tables.versions = [table(random, np.zeros(10_000, dtype=int), 0, (0, 30))]
    materialise(store, views[0], 0, now=0)
    reader = OnlineReader(store.online, views[:1])
    line(
        "one view of an entity of 10,000 events",
        micros(lambda _: reader.read([{"entity": "N0"}], [32 * DAY]), 2_000),
        base,
    )
    fresh = table(random, np.zeros(330, dtype=int), 10_000, (30, 31))
    store.tables.versions.append(pl.concat([store.tables.versions[0], fresh]))
    begin = time.perf_counter()
    materialise(store, views[0], 1, now=0)
    print(f"an increment of 330 rows into it: {(time.perf_counter() - begin) * 1e3:.0f} ms")


if __name__ == "__main__":
    main()
