"""Pushing events: into a view with six windows, beside Feast's push, which keeps two values as they are.

    python benchmarks/push.py --entities 10000 --pushes 20000

The next read sees a pushed event. The limit is the bare step it takes in LMDB: read the entity's row, write it again.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import measure
import online_events
import peers
import summary
from drivetrain.adapters.redis import RedisOnline
from drivetrain.core.protocols import OnlineStore
from drivetrain.features.aggregate import count, sum
from drivetrain.features.online.layout import key_of
from drivetrain.features.online.materialise import materialise
from drivetrain.features.online.push import Pusher
from drivetrain.features.online.reader import OnlineReader
from drivetrain.store.online import LmdbOnline
from drivetrain.testing.redis import RedisServer
from online_events import DAY
from online_read import maybe_redis

WINDOWS = ["1h", "1d", "7d"]
VIEW = online_events.view("pushed", [count(windows=WINDOWS), sum("y", windows=WINDOWS)])
BATCH = 100
START = 30 * DAY
STEP = 1_000_000
HOT = 100
FEAST_PUSHES = 300


@dataclass
class Pushes:
    """What pushing took: microseconds of single pushes, and CPU microseconds of an event alone and in batches."""

    name: str
    p50: float = 0.0
    p99: float = 0.0
    cpu: float = 0.0
    batch: float = 0.0
    note: str = ""

    def row(self, ours: Pushes) -> str:
        """A line of the table."""
        if self.note:
            return f"{self.name:40} {self.note}"
        rates = "".join(f"{1e6 / cpu:12,.0f}" if cpu else f"{'':12}" for cpu in (self.cpu, self.batch))
        return f"{self.name:40} {self.p50:9.1f} {self.p99:9.1f} {self.p50 / ours.p50:8.2f}{rates}"

    def beside(self, ours: Pushes) -> str:
        """For the summary."""
        if self.note:
            return f"{self.name} {self.note}"
        return (
            f"{self.name} {self.p50:,.1f} µs ({measure.times(self.p50 / ours.p50)}), "
            f"{1e6 / self.cpu:,.0f}/s ({measure.times(self.cpu / ours.cpu)})"
        )


def main() -> None:
    """Pushes, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entities", type=int, default=10_000)
    parser.add_argument("--events", type=int, default=50, help="events of an entity before the first push")
    parser.add_argument("--pushes", type=int, default=20_000)
    parser.add_argument("--no-peers", action="store_true", help="only ours and its limit")
    summary.asks(parser)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-push-") as folder, maybe_redis() as server:
        online = LmdbOnline(Path(folder) / "online", 16.0)
        fill(online, given.entities, given.events)
        base = limit(online, given.entities, given.pushes)
        read = reading(online, given.entities)
        ours = push("drivetrain, LMDB", online, given.entities, given.pushes)
        pending = reading(online, given.entities)
        hot = push(f"drivetrain, LMDB, all to {HOT} entities", online, HOT, given.pushes, since=1_000_000)
        disk = LmdbOnline(Path(folder) / "disk", 16.0, durability="disk")
        fill(disk, given.entities, given.events)
        durable = push("drivetrain, LMDB, durability disk", disk, given.entities, given.pushes // 10)
        others = [hot, durable]
        if not given.no_peers:
            others += [redis(server, given.entities, given.events, given.pushes // 10), *feast(Path(folder), server)]
        print(f"6 windows, {given.entities:,} entities of {given.events} events, {given.pushes:,} pushes\n")
        print(f"{'':40} {'p50 µs':>9} {'p99 µs':>9} {'×':>8} {'events/CPU-s':>12} {'in 100s':>11}")
        for one in (base, ours, *others):
            print(one.row(ours))
        print(f"\na read of the six windows: p50 {read:.1f} µs packed, {pending:.1f} µs after these pushes")
    line = summary.Line(
        f"push of one event, view with 6 windows: {given.entities:,} entities of {given.events} events",
        f"p50 {ours.p50:.1f} µs, {1e6 / ours.cpu:,.0f} events/CPU-s ({1e6 / ours.batch:,.0f} in batches of 100)",
        "p50 50 µs, 20,000 events/s a core",
        ours.p50 <= 50 and ours.cpu <= 50,
        [one.beside(ours) for one in (base, *others)],
    )
    summary.add(given.summary, line)


def fill(online: OnlineStore, entities: int, events: int) -> None:
    """Rows of a month before the first push."""
    random = np.random.default_rng(3)
    store = online_events.store(online)
    rows = online_events.events(random, random.integers(0, entities, entities * events), 0, (0, 29.5))
    store.tables.versions.append(rows)
    materialise(store, VIEW, 0, now=START)


def push(name: str, online: OnlineStore, entities: int, pushes: int, since: int = 0) -> Pushes:
    """Events in the order of time, to entities by chance: one by one, and then a hundred at a time."""
    random = np.random.default_rng(4)
    clock = itertools.count(START + since * STEP, STEP)
    pusher = Pusher(online, VIEW, online_events.Source(), clock=lambda: START + 40 * DAY)

    def some(many: int) -> list[list[dict[str, object]]]:
        drawn = random.integers(0, entities, pushes).tolist()
        moments = itertools.islice(clock, pushes)
        rows = [
            {"event_id": at, "entity": f"N{one}", "y": 12.5, "_event_time": at, "_available_at": at}
            for one, at in zip(drawn, moments, strict=True)
        ]
        return [rows[at : at + many] for at in range(0, pushes, many)]

    took, cpu = clocked(some(1), pusher.push)
    _, batch = clocked(some(BATCH), pusher.push)
    return Pushes(name, took["p50"], took["p99"], cpu, batch)


def clocked(
    batches: list[list[dict[str, object]]], work: Callable[[list[dict[str, object]]], object]
) -> tuple[dict[str, float], float]:
    """Microseconds of the calls, and CPU microseconds an event."""
    begin = time.process_time()
    took = measure.quietest(lambda at: work(batches[at]), len(batches))
    spent = time.process_time() - begin
    return measure.spread(took), spent / len([row for batch in batches for row in batch]) * 1e6


def limit(online: LmdbOnline, entities: int, pushes: int) -> Pushes:
    """The bytes alone."""
    random = np.random.default_rng(4)
    keys = [key_of([f"N{at}"], ["entity"]) for at in random.integers(0, entities, pushes)]
    begin = time.process_time()
    took = measure.quietest(
        lambda at: online.update(VIEW.space, lambda read: [(keys[at], read([keys[at]])[0] or b"")]), pushes
    )
    cpu = (time.process_time() - begin) / pushes * 1e6
    return Pushes("bare LMDB: read a row, write it back", *measure.spread(took).values(), cpu=cpu)


def reading(online: OnlineStore, entities: int) -> float:
    """Median microseconds of a read."""
    reader = OnlineReader(online, [VIEW])
    took = measure.quietest(lambda at: reader.read([{"entity": f"N{at % entities}"}], [START + 35 * DAY]), 5_000)
    return measure.spread(took)["p50"]


def redis(server: RedisServer | None, entities: int, events: int, pushes: int) -> Pushes:
    """Into Redis, whose own CPU is not counted."""
    name = "drivetrain, Redis"
    if server is None:
        return Pushes(name, note="no redis-server here")
    online = RedisOnline(server.fresh())
    fill(online, entities, events)
    return push(name, online, entities, pushes)


def feast(folder: Path, server: RedisServer | None) -> list[Pushes]:
    """Feast's push of the same events, which must have been aggregated before."""
    source = online_events.events(np.random.default_rng(1), np.zeros(1, dtype=int), 0, (0, 1))
    source.select("_event_time", count="x", amount="y", entity="_seq").write_parquet(folder / "pushed.parquet")
    found = []
    for kind, place in (("SQLite", "sqlite"), ("Redis", server and f"redis:localhost:{server.port}")):
        name = f"Feast, {kind}"
        if place is None:
            found.append(Pushes(name, note="no redis-server here"))
            continue
        cost = peers.run(peers.FEAST, ["feast_peer.py", "push", str(folder), place, str(FEAST_PUSHES)], name)
        told = cost.more
        pushes = Pushes(name, note=cost.note)
        if not cost.note:
            pushes = Pushes(name, told["p50"], told["p99"], told["cpu"], told["batch_cpu"] / BATCH)
        found.append(pushes)
    return found


if __name__ == "__main__":
    main()
