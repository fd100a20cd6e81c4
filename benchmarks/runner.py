"""What the step runner costs: five empty steps, and the same five again when nothing changed.

Beside it, the least that could do the job: the same ten durable commits straight into SQLite.

    python benchmarks/runner.py [--repeat 30]
"""

from __future__ import annotations

import argparse
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from drivetrain.core.hashing import digest
from drivetrain.core.settings import StoreSettings
from drivetrain.loop.node import Node
from drivetrain.loop.runner import run_nodes
from drivetrain.store.bundle import open_store

STEPS = 5
BUDGET_RUN_MS, BUDGET_CACHED_MS = 25.0, 3.0


def nodes(salt: int) -> dict[str, Node]:
    made: dict[str, Node] = {}
    for number in range(STEPS):
        name = f"step{number}"
        made[name] = Node(
            name=name,
            group="model",
            words="does nothing",
            code=digest("nothing"),
            parameters=digest(salt),
            needs=(f"step{number - 1}",) if number else (),
            action=lambda _inputs, _progress: {"nothing": "table:none@0"},
        )
    return made


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1e3


def sketch(path: Path) -> Callable[[], None]:
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("pragma journal_mode=wal")
    database.execute("create table steps(key text primary key, body text)")
    count = 0

    def run() -> None:
        nonlocal count
        for _ in range(STEPS):
            count += 1
            database.execute("insert or replace into steps values (?, 'running')", [str(count)])
            database.execute("insert or replace into steps values (?, 'done')", [str(count)])

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=30)
    repeat = parser.parse_args().repeat
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(StoreSettings(), Path(folder))
        bare = sketch(Path(folder) / "bare.db")

        def run(salt: int) -> None:
            run_nodes(nodes(salt), catalog=store.catalog, leases=store.leases, environment=digest("bench"))

        run(-1)
        fresh, cached, least = [], [], []
        for salt in range(repeat):
            fresh.append(timed(lambda salt=salt: run(salt)))
            cached.append(timed(lambda salt=salt: run(salt)))
            least.append(timed(bare))
        store.close()
    base = statistics.median(least)
    print(f"{'five empty steps':34}{'median ms':>10}{'worst ms':>10}{'ratio':>8}{'budget ms':>11}")
    for name, times, budget in (
        ("drivetrain", fresh, BUDGET_RUN_MS),
        ("drivetrain, nothing changed", cached, BUDGET_CACHED_MS),
        ("ten bare SQLite commits", least, None),
    ):
        middle = statistics.median(times)
        print(f"{name:34}{middle:>10.2f}{max(times):>10.2f}{middle / base:>8.1f}{budget or '':>11}")


if __name__ == "__main__":
    main()
