"""Online reads of 30 features from 3 views: ours in LMDB and Redis, Feast in SQLite and Redis, in one run.

    python benchmarks/online_read.py --entities 20000 --events 100

The limit is the bare LMDB read of the three rows. We answer windows exactly at each request's moment; Feast reads back
thirty values it was given. Then what else reading may meet: moments before all was known, an entity of ten thousand
events, and what filling and a day's increment cost.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl

import measure
import online_events
import peers
import summary
from drivetrain.adapters.redis import RedisOnline
from drivetrain.core.protocols import OnlineStore
from drivetrain.features.online.layout import key_of
from drivetrain.features.online.materialise import materialise
from drivetrain.features.online.reader import OnlineReader
from drivetrain.features.view import FeatureView
from drivetrain.store.online import LmdbOnline
from drivetrain.testing.redis import RedisServer, find_binary, running_redis
from online_events import ASKED, DAY, MIXED, UTC

BATCH = 100
NOW = 32 * DAY
FEAST_READS = 300
VIEWS = [online_events.view(name, asked) for name, asked in (("mixed", MIXED), ("counts", ASKED), ("more", ASKED))]


@dataclass
class Reads:
    """What reading took: microseconds, and entities a second in batches."""

    name: str
    p50: float = 0.0
    p99: float = 0.0
    batch: float = 0.0
    note: str = ""

    @property
    def rate(self) -> float:
        """Entities a second in batches."""
        return BATCH / self.batch * 1e6

    def row(self, base: Reads) -> str:
        """A line of the table, beside the limit."""
        if self.note:
            return f"{self.name:34} {self.note}"
        numbers = f"{self.p50:9.1f} {self.p99:9.1f} {self.p50 / base.p50:8.1f}"
        return f"{self.name:34} {numbers} {self.rate:12,.0f} {base.rate / self.rate:8.1f}"

    def beside(self, ours: Reads) -> str:
        """For the summary."""
        if self.note:
            return f"{self.name} {self.note}"
        return (
            f"{self.name} {self.p50:,.1f} µs ({measure.times(self.p50 / ours.p50)}), "
            f"{self.rate:,.0f}/s ({measure.times(ours.rate / self.rate)})"
        )


def main() -> None:
    """Fills stores, reads them, prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entities", type=int, default=20_000)
    parser.add_argument("--events", type=int, default=100, help="mean number of events of an entity")
    parser.add_argument("--reads", type=int, default=20_000)
    parser.add_argument("--no-peers", action="store_true", help="only ours and its limit")
    summary.asks(parser)
    given = parser.parse_args()
    random = np.random.default_rng(3)
    rows = online_events.events(random, random.integers(0, given.entities, given.entities * given.events), 0, (0, 30))
    names = [f"N{at}" for at in random.integers(0, given.entities, given.reads)]
    with tempfile.TemporaryDirectory(prefix="bench-online-") as folder, maybe_redis() as server:
        place = Path(folder)
        online = LmdbOnline(place / "online", 16.0)
        store = online_events.store(online)
        store.tables.versions.append(rows)
        begin = time.process_time()
        for view in VIEWS:
            materialise(store, view, 0, now=0)
        filled = time.process_time() - begin
        base, ours = limit(online, names), read("drivetrain, LMDB", online, names)
        others = []
        if not given.no_peers:
            others = [*redis(server, rows, names[:2_000]), *feast(place, server, given.entities)]
        print(f"30 features, 3 views, {given.entities:,} entities, {given.events} events each\n")
        print(
            f"{'':34} {'p50 µs':>9} {'p99 µs':>9} {'×':>8} {'entities/s':>12} {'×':>8}   (of a read; in batches of 100)"
        )
        for one in (base, ours, *others):
            print(one.row(base))
        line = summary.Line(
            f"online read, 30 features from 3 views: {given.entities:,} entities of {given.events} events",
            f"p50 {ours.p50:.1f} µs, {ours.rate:,.0f} entities/s in batches of 100",
            "p50 15 µs, 150,000 entities/s",
            ours.p50 <= 15 and ours.rate >= 150_000,
            [one.beside(ours) for one in (base, *others)],
        )
        summary.add(given.summary, line)
        print(f"\nfilling: {3 * len(rows) / filled:,.0f} rows a CPU second ({filled:.1f} s)")
        more(store, random, names, given.entities)


@contextlib.contextmanager
def maybe_redis() -> Iterator[RedisServer | None]:
    """A server of our own, if the machine has one."""
    if find_binary() is None:
        yield None
        return
    with running_redis() as server:
        yield server


def limit(online: LmdbOnline, names: list[str]) -> Reads:
    """The bytes alone."""
    asks = [[(view.space, key_of([name], ["entity"])) for view in VIEWS] for name in names]
    singles = measure.spread(measure.quietest(lambda at: online.read_many(asks[at]), len(asks)))
    many = [[ask for one in asks[at : at + BATCH] for ask in one] for at in range(0, len(asks), BATCH)]
    batches = measure.quietest(lambda at: online.read_many(many[at]), len(many))
    return Reads("bare LMDB read of the three rows", singles["p50"], singles["p99"], measure.spread(batches)["p50"])


def read(name: str, online: OnlineStore, names: list[str]) -> Reads:
    """Features, one entity at a time and a hundred at a time."""
    reader = OnlineReader(online, VIEWS)
    singles = measure.spread(measure.quietest(lambda at: reader.read([{"entity": names[at]}], [NOW]), len(names)))
    many = [{"entity": names[at : at + BATCH]} for at in range(0, len(names), BATCH)]
    moments = [NOW] * BATCH
    batches = measure.quietest(lambda at: reader.read_columns(many[at], moments), len(many))
    return Reads(name, singles["p50"], singles["p99"], measure.spread(batches)["p50"])


def redis(server: RedisServer | None, rows: pl.DataFrame, names: list[str]) -> list[Reads]:
    """Our rows in Redis."""
    name = "drivetrain, Redis"
    if server is None:
        return [Reads(name, note="no redis-server here")]
    online = RedisOnline(server.fresh())
    store = online_events.store(online)
    store.tables.versions.append(rows)
    for view in VIEWS:
        materialise(store, view, 0, now=0)
    return [read(name, online, names)]


def feast(folder: Path, server: RedisServer | None, entities: int) -> list[Reads]:
    """Feast with as many values of as many entities."""
    random = np.random.default_rng(5)
    numbers = pl.int_range(entities, eager=True).alias("entity")
    for at in range(len(VIEWS)):
        values = {f"x{column}": random.normal(size=entities) for column in range(10)}
        moments = pl.Series("_event_time", np.full(entities, NOW)).cast(UTC)
        pl.DataFrame([numbers, moments]).with_columns(
            pl.Series(name, one) for name, one in values.items()
        ).write_parquet(folder / f"view{at}.parquet")
    asked = random.integers(0, entities, FEAST_READS * BATCH)
    pl.DataFrame({"entity": asked}).write_parquet(folder / "reads.parquet")
    found = []
    for kind, place in (("SQLite", "sqlite"), ("Redis", server and f"redis:localhost:{server.port}")):
        name = f"Feast, {kind}"
        if place is None:
            found.append(Reads(name, note="no redis-server here"))
            continue
        command = ["feast_peer.py", "read", str(folder), place, str(FEAST_READS)]
        cost = peers.run(peers.FEAST, command, name)
        told = cost.more
        reads = Reads(name, note=cost.note)
        if not cost.note:
            reads = Reads(name, told["p50"], told["p99"], told["batch_p50"])
        found.append(reads)
    return found


def more(store: SimpleNamespace, random: np.random.Generator, names: list[str], entities: int) -> None:
    """What else there is to reading and keeping rows."""
    rows = store.tables.versions[0]
    fresh = online_events.events(random, random.integers(0, entities, 1_000), len(rows), (30, 31))
    store.tables.versions.append(pl.concat([rows, fresh]))
    begin = time.perf_counter()
    for view in VIEWS:
        materialise(store, view, 1, now=0)
    print(f"an increment of 1,000 rows into three views: {(time.perf_counter() - begin) * 1e3:.0f} ms")
    reader = OnlineReader(store.online, VIEWS)
    past = int(30.9 * DAY)
    some = min(2_000, len(names))
    took = measure.spread(measure.quietest(lambda at: reader.read([{"entity": names[at]}], [past]), some))
    print(f"a read just before the newest events were known: p50 {took['p50']:.1f} µs, p99 {took['p99']:.1f} µs")
    hot(store, VIEWS[0], random)


def hot(store: SimpleNamespace, view: FeatureView, random: np.random.Generator) -> None:
    """An entity with many events: read from pages, and kept current."""
    store.online.drop(view.space)
    store.tables.versions = [online_events.events(random, np.zeros(10_000, dtype=int), 0, (0, 30))]
    materialise(store, view, 0, now=0)
    reader = OnlineReader(store.online, [view])
    took = measure.spread(measure.quietest(lambda _: reader.read([{"entity": "N0"}], [NOW]), 2_000))
    print(f"one view of an entity of 10,000 events: p50 {took['p50']:.1f} µs, p99 {took['p99']:.1f} µs")
    fresh = online_events.events(random, np.zeros(330, dtype=int), 10_000, (30, 31))
    store.tables.versions.append(pl.concat([store.tables.versions[0], fresh]))
    begin = time.perf_counter()
    materialise(store, view, 1, now=0)
    print(f"an increment of 330 rows into it: {(time.perf_counter() - begin) * 1e3:.0f} ms")


if __name__ == "__main__":
    main()
