"""Feast at the same work as the benchmarks beside it, in an environment of its own.

    python feast_peer.py lookups|read|push|materialise FOLDER [sqlite|redis:HOST:PORT] [NAME=NUMBER ...]

A folder holds the Parquet files that drivetrain was given. What Feast serves online are the values it was written: it
computes no windows, at no moment.
"""

from __future__ import annotations

import os

os.environ["FEAST_USAGE"] = os.environ["FEAST_TELEMETRY"] = "False"

import logging
import sys
import tempfile
import time
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, PushSource, RepoConfig
from feast.data_source import PushMode
from feast.types import Float64, Int64
from feast.value_type import ValueType

import measure

VIEWS, FEATURES = 3, 10
COLUMNS = [f"x{at}" for at in range(FEATURES)]


def opened(folder: Path, online: str = "sqlite") -> FeatureStore:
    """An empty store; its registry is in the folder, its online rows there too or on the server."""
    folder = Path(tempfile.mkdtemp(dir=folder))
    place = {"type": "sqlite", "path": str(folder / "feast_online.db")}
    if online.startswith("redis:"):
        place = {"type": "redis", "connection_string": online.removeprefix("redis:")}
    return FeatureStore(
        config=RepoConfig(
            project="bench",
            provider="local",
            registry={"path": str(folder / "feast_registry.db"), "cache_ttl_seconds": 0},
            offline_store={"type": "duckdb"},
            online_store=place,
            entity_key_serialization_version=3,
        )
    )


def view(folder: Path, name: str, columns: list[str], *, pushed: bool = False) -> list[object]:
    """An entity, and a view of a Parquet file's columns; with a source that can be pushed to, if asked."""
    entity = Entity(name="entity", join_keys=["entity"], value_type=ValueType.INT64)
    source: object = FileSource(name=name, path=str(folder / f"{name}.parquet"), timestamp_field="_event_time")
    if pushed:
        source = PushSource(name=f"{name}_pushed", batch_source=source)
    schema = [Field(name="entity", dtype=Int64), *(Field(name=column, dtype=Float64) for column in columns)]
    made = FeatureView(name=name, entities=[entity], ttl=timedelta(0), schema=schema, source=source)
    return [entity, made]


def lookups(folder: Path) -> float:
    """Three views of ten features joined to the labels."""
    store = opened(folder)
    store.apply([one for at in range(VIEWS) for one in view(folder, f"view{at}", COLUMNS)])
    labels = pd.read_parquet(folder / "labels.parquet").rename(columns={"_at": "event_timestamp"})
    asked = [f"view{at}:{column}" for at in range(VIEWS) for column in COLUMNS]
    job = store.get_historical_features(entity_df=labels, features=asked, full_feature_names=True)
    made = job.to_arrow()
    if made.num_rows != len(labels):
        raise SystemExit(f"{made.num_rows} rows out of {len(labels)} labels")
    return sum(pc.sum(made[name]).as_py() or 0.0 for name in made.column_names if "__x" in name)


def read(folder: Path, online: str, reads: int) -> tuple[float, dict[str, float]]:
    """Thirty values of one entity, and of a hundred."""
    store = opened(folder, online)
    store.apply([one for at in range(VIEWS) for one in view(folder, f"view{at}", COLUMNS)])
    for at in range(VIEWS):
        rows = pq.read_table(folder / f"view{at}.parquet").to_pandas()
        for first in range(0, len(rows), 5_000):
            store.write_to_online_store(f"view{at}", rows.iloc[first : first + 5_000])
    store.refresh_registry()
    asked = [f"view{at}:{column}" for at in range(VIEWS) for column in COLUMNS]
    names = pq.read_table(folder / "reads.parquet")["entity"].to_pylist()[: 100 * reads]

    def one(at: int) -> object:
        return store.get_online_features(features=asked, entity_rows=[{"entity": names[at]}], full_feature_names=True)

    def many(at: int) -> object:
        some = [{"entity": name} for name in names[100 * at : 100 * at + 100]]
        return store.get_online_features(features=asked, entity_rows=some, full_feature_names=True)

    told = many(0).to_dict()
    measure.micros(one, 20)
    figures = measure.spread(measure.quietest(lambda at: one(at).to_dict(), reads))
    figures |= measure.spread(measure.quietest(lambda at: many(at).to_dict(), len(names) // 100), "batch_")
    return sum(sum(told[f"view{at}__{column}"]) for at in range(VIEWS) for column in COLUMNS), figures


def push(folder: Path, online: str, pushes: int) -> tuple[float, dict[str, float]]:
    """One event at a time, then a hundred: two values, kept as they are."""
    store = opened(folder, online)
    store.apply(view(folder, "pushed", ["count", "amount"], pushed=True))
    store.refresh_registry()
    now = datetime.now(UTC)

    def some(first: int, many: int) -> pd.DataFrame:
        numbers = range(first, first + many)
        moments = [now + timedelta(microseconds=number) for number in numbers]
        columns = {"count": 1.0, "amount": [float(number % 97) for number in numbers]}
        return pd.DataFrame({"entity": [number * 7 % 10_000 for number in numbers], "_event_time": moments, **columns})

    figures = {}
    for stem, many, times in (("", 1, pushes), ("batch_", 100, pushes // 10)):
        frames = [some(at * many, many) for at in range(times)]
        begin = time.process_time()
        took = measure.quietest(
            lambda at, frames=frames: store.push("pushed_pushed", frames[at], to=PushMode.ONLINE), times
        )
        figures |= measure.spread(took, stem)
        figures[f"{stem}cpu"] = (time.process_time() - begin) / times * 1e6
    return 0.0, figures


def materialise(folder: Path, online: str, rows: int) -> tuple[float, dict[str, float]]:
    """The newest row of every entity into the online store."""
    store = opened(folder, online)
    store.apply(view(folder, "events", COLUMNS))
    store.refresh_registry()
    cpu, wall = time.process_time(), time.perf_counter()
    store.materialize(datetime(1969, 1, 1, tzinfo=UTC), datetime(1972, 1, 1, tzinfo=UTC))
    return 0.0, {"rows": rows, "cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}


def main() -> None:
    """Does one task and prints what it cost."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    task, folder, *rest = sys.argv[1:]
    place = Path(folder)
    if task == "lookups":
        measure.here("Feast, DuckDB", lambda: lookups(place))
        return
    online, number = rest
    work = {"read": read, "push": push, "materialise": materialise}[task]
    kind = {"sqlite": "SQLite", "redis": "Redis"}[online.partition(":")[0]]
    measure.here(f"Feast, {kind}", lambda: work(place, online, int(number)))


if __name__ == "__main__":
    main()
