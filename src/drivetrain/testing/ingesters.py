"""Takes one source in, over and over, and is killed every time; then by two processes at once. Says what was there.

A script: ``python -m drivetrain.testing.ingesters PICKLE FOLDER ROUNDS``. The pickle holds the source and the project
folder. Children are forked before any thread exists, so that a round costs what the work costs and not what the imports
do. Prints JSON lines: ``{"state": …}`` of the undisturbed one first, then of each round; ``{"deaths": n}`` before it.
"""

from __future__ import annotations

import json
import os
import pickle
import random
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from drivetrain.core.progress import Silent
from drivetrain.core.settings import StoreSettings
from drivetrain.data import quarantine
from drivetrain.data.ingest import ingest
from drivetrain.data.resume import Retry
from drivetrain.data.source import Source
from drivetrain.store.bundle import open_store

_RETRY = Retry(tries=30, first=0.01, most=0.1)
_PARTS = (1.0, 0.6, 0.4)
"""How much of the work a death may wait for: what was done before is not done again, so a later one comes sooner."""


def take(source: Source, folder: Path, place: Path) -> None:
    """Takes everything in, into a store at ``place``."""
    place.mkdir(parents=True, exist_ok=True)
    store = open_store(StoreSettings(), place)
    ingest(store, source, folder=folder, now=1, progress=Silent(), sources={source.name: source}, retry=_RETRY)
    store.close()


def say_state(source: Source, place: Path) -> None:
    """Prints everything that was kept, in a form that two runs can be compared by."""
    store = open_store(StoreSettings(), place)
    rows = store.tables.read(source.name)
    table = quarantine.table_name(source.name)
    refused = [] if store.tables.version(table) is None else store.tables.read(table).select("_reasons", "_row").rows()
    state = {
        "rows": sorted(repr(row) for row in rows.drop("_seq").rows()),
        "ordered": bool(rows["_seq"].is_unique().all()),
        # Where a broker cuts its batches decides whether a row meets the one that takes its place in the same batch.
        "refused": sorted(repr(row) for row in refused if not row[0][0].startswith("key ")),
    }
    store.close()
    _say({"state": state})


def main(given: Path, folder: Path, rounds: int) -> None:
    """Runs all rounds; see the module."""
    source, project = pickle.loads(given.read_bytes())  # noqa: S301 - the test's own
    chance = random.Random(2013)  # noqa: S311 - chooses instants
    whole = folder / "whole"
    assert _ended(_fork(partial(_counted, source, project, whole))) == 0
    steps, seconds = (float(part) for part in (whole / "steps").read_text("utf-8").split())
    assert _ended(_fork(partial(say_state, source, whole))) == 0
    for number in range(rounds):
        place = folder / str(number)
        deaths = 0
        for part in _PARTS:
            when = chance.random() * part
            if number % 2:
                child = _fork(partial(take, source, project, place))
                time.sleep(when * seconds)
                os.kill(child, signal.SIGKILL)
            else:
                child = _fork(partial(take, source, project, place), at_step=1 + int(when * steps))
            status = _ended(child)
            assert status in (0, signal.SIGKILL)
            deaths += status == signal.SIGKILL
        assert _ended(_fork(partial(take, source, project, place))) == 0
        _say({"deaths": deaths})
        assert _ended(_fork(partial(say_state, source, place))) == 0
    pair = folder / "pair"
    children = [_fork(partial(take, source, project, pair)) for _ in range(2)]
    assert [_ended(child) for child in children] == [0, 0]
    _say({"deaths": 0})
    assert _ended(_fork(partial(say_state, source, pair))) == 0


def _counted(source: Source, project: Path, place: Path) -> None:
    steps = 0

    def step(*_: object) -> None:
        nonlocal steps
        steps += 1

    started = time.perf_counter()
    sys.setprofile(step)
    take(source, project, place)
    sys.setprofile(None)
    (place / "steps").write_text(f"{steps} {time.perf_counter() - started}", "utf-8")


def _fork(work: Callable[[], None], *, at_step: int | None = None) -> int:
    child = os.fork()
    if child:
        return child
    try:
        if at_step is not None:
            sys.setprofile(_countdown(at_step))
        work()
        sys.setprofile(None)
    except BaseException:  # noqa: BLE001 - a child must never run on as if it were its parent
        sys.excepthook(*sys.exc_info())
        os._exit(1)
    os._exit(0)


def _countdown(left: int) -> Callable[..., None]:
    def step(*_: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    return step


def _ended(child: int) -> int:
    return os.waitpid(child, 0)[1]


def _say(fact: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(fact) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
