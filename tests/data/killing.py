"""Takes in a small company's sources, over and over, and is killed every time; says what was there in the end.

Run as a script by ``test_kill``: ``killing.py FOLDER ROUNDS``. It forks one child a round before any thread exists, so
that a round costs what the work costs and not what the imports do. A child takes in everything and is killed at one
instant, by its own hand at a call (``sys.setprofile``) or by its parent after some time; the next child carries on in
the same folder until it comes to its end.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import sys
import time
from pathlib import Path

import polars as pl

from drivetrain.core.progress import Silent
from drivetrain.core.records import TableVersion
from drivetrain.core.settings import StoreSettings
from drivetrain.data import quarantine
from drivetrain.data.column import Column
from drivetrain.data.contract import Contract
from drivetrain.data.ingest import ingest
from drivetrain.data.readers.files import files
from drivetrain.data.readers.sql import sql
from drivetrain.data.source import Source
from drivetrain.store.bundle import open_store

CONTRACT = Contract({"id": Column("int"), "t": Column("time"), "x": Column("int", low=0)})
SOURCES = {
    source.name: source
    for source in (
        Source(name="events", reader=files("raw/*.csv"), key=("id",), time="t", contract=CONTRACT),
        Source(
            name="weather",
            reader=sql("sqlite:///raw/weather.db", table="w", cursor="t", chunk_rows=20),
            key=("place", "t"),
            time="t",
            contract=Contract({"t": Column("time"), "x": Column("int", low=0)}),
        ),
        Source(name="planes", reader=files("raw/*.jsonl"), key=("id",), contract=Contract({"x": Column("int")})),
    )
}


def write_raw(folder: Path) -> None:
    """Three files with updates, bad rows and repeated ones; a database with bad rows; JSON lines that don't parse."""
    raw = folder / "raw"
    raw.mkdir(parents=True)
    for number in range(3):
        rows = [f"{key},2013-07-0{number + 1},{key * 10 + number}" for key in range(number * 20, number * 20 + 30)]
        rows += [f"{900 + number},2013-07-01,-1", "1,2", rows[0], f"{number * 20 + 1},2013-07-01,77"]
        (raw / f"{number}.csv").write_text("\n".join(["id,t,x", *rows]) + "\n")
    database = sqlite3.connect(raw / "weather.db")
    database.execute("CREATE TABLE w (place TEXT, t TEXT, x INT)")
    rows = [(place, f"2013-07-{day:02}", day * (1 if day % 9 else -1)) for day in range(1, 29) for place in "ABC"]
    database.executemany("INSERT INTO w VALUES (?, ?, ?)", rows)
    database.commit()
    database.close()
    lines = [json.dumps({"id": key, "x": key if key % 7 else "x"}) for key in range(40)]
    (raw / "planes.jsonl").write_text("\n".join([*lines, "{broken"]) + "\n")


def take_everything(folder: Path) -> None:
    store = open_store(StoreSettings(), folder)
    for source in SOURCES.values():
        ingest(store, source, folder=folder, now=1, progress=Silent(), sources=SOURCES)
    (folder / "raw" / "1.csv").write_text("id,t,x\n20,2013-07-02,5\n901,2013-07-02,-2\n")
    for source in SOURCES.values():
        ingest(store, source, folder=folder, now=1, progress=Silent(), sources=SOURCES)
    store.close()


def state(folder: Path) -> dict[str, dict[str, object]]:
    """Everything that was kept, in a form that two runs can be compared by."""
    store = open_store(StoreSettings(), folder)
    found: dict[str, dict[str, object]] = {}
    for name in SOURCES:
        rows = store.tables.read(name).sort("_seq")
        refused = store.tables.read(quarantine.table_name(name))
        versions = store.catalog.find(TableVersion, name)
        present = store.tables.version(name)
        assert sorted(made.version for made in versions) == list(range(present + 1))
        assert (versions[0].rows, versions[0].version) == (rows.height, present)
        found[name] = {
            "rows": sorted(repr(row) for row in rows.drop("_seq").rows()),
            "ordered": rows["_seq"].is_unique().all(),
            "refused": sorted(repr(row) for row in refused.select("_line", "_reasons", "_row").rows()),
        }
        if name != "weather":
            # Reading on in a database may cut its batches elsewhere; a file is always one.
            found[name]["sequence"] = rows["_seq"].to_list()
            found[name]["batches"] = sorted(repr(row) for row in refused.drop("_ingested_at", "_batch").rows())
            found[name]["versions"] = sorted(
                (made.version, made.digest, made.rows, made.added, made.quarantined) for made in versions
            )
    store.close()
    return found


def in_child(work, *arguments, at_step: int | None = None, after: float | None = None) -> int:
    """Forks, works, and dies there; the wait status."""
    child = os.fork()
    if child == 0:
        try:
            if at_step is not None:
                sys.setprofile(countdown(at_step))
            work(*arguments)
            sys.setprofile(None)
        except BaseException:  # noqa: BLE001 - a child must never run on as if it were its parent
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    if after is not None:
        time.sleep(after)
        os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]


def countdown(left: int):
    def step(*_: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    return step


def say(fact: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(fact) + "\n")
    sys.stdout.flush()


def say_state(folder: Path) -> None:
    say({"state": state(folder)})


def count_steps(folder: Path) -> None:
    steps = 0

    def step(*_: object) -> None:
        nonlocal steps
        steps += 1

    sys.setprofile(step)
    started = time.perf_counter()
    take_everything(folder)
    sys.setprofile(None)
    (folder / "steps").write_text(f"{steps} {time.perf_counter() - started}")


def main(folder: Path, rounds: int) -> None:
    chance = random.Random(2013)
    whole = folder / "whole"
    write_raw(whole)
    assert in_child(count_steps, whole) == 0
    steps, seconds = (float(part) for part in (whole / "steps").read_text().split())
    assert in_child(say_state, whole) == 0
    for number in range(rounds):
        place = folder / str(number)
        write_raw(place)
        deaths = 0
        for left in (1.0, 0.6, 0.4, 0.3):
            # What was done before is not done again, so a later death must come sooner.
            when = chance.random() * left
            if number % 2:
                status = in_child(take_everything, place, after=when * seconds)
            else:
                status = in_child(take_everything, place, at_step=1 + int(when * steps))
            deaths += os.WIFSIGNALED(status)
            assert os.WIFSIGNALED(status) or status == 0
        assert in_child(take_everything, place) == 0
        say({"deaths": deaths})
        assert in_child(say_state, place) == 0


if __name__ == "__main__":
    # Importing Polars makes no threads; an expression does not either. Forking is safe until a frame is collected.
    assert isinstance(pl.__version__, str)
    main(Path(sys.argv[1]), int(sys.argv[2]))
