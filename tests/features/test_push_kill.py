"""Pushes and materialisations that are killed: what was acknowledged is counted, and nothing is counted twice."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from drivetrain.features.online.materialise import materialise
from drivetrain.features.online.push import Pusher
from drivetrain.features.online.reader import OnlineReader
from drivetrain.store.online import LmdbOnline
from drivetrain.store.tables import Tables
from drivetrain.testing.kill import run_killed
from features.cases import LASTS, SCHEMA, WINDOWED, frame_of, view_of
from features.stores import Rows
from features.test_online import check
from features.test_stores import ATS, ROWS

_PUSH = """
import sys
sys.path[:0] = sys.argv[2:]
from pathlib import Path
from features.cases import LASTS, SCHEMA, WINDOWED, view_of
from features.stores import Rows
from features.test_stores import ROWS
from drivetrain.features.online import push
from drivetrain.features.online.push import Pusher
from drivetrain.store.online import LmdbOnline
from drivetrain.testing.kill import armed
push.PENDING_MOST = 5
view, _ = view_of([*WINDOWED, *LASTS])
pusher = Pusher(LmdbOnline(Path(sys.argv[1]) / "online", 0.25), view, Rows(), types=SCHEMA, grace=10**6)
armed()
for start in range(0, 600, 3):
    pusher.push(ROWS[start : start + 3])
    print(start + 3)
"""


def opened(folder: Path) -> SimpleNamespace:
    return SimpleNamespace(tables=Tables(folder / "tables"), online=LmdbOnline(folder / "online", 0.25))


@pytest.mark.parametrize("steps", [300, 5_000, 30_000, 90_000])
def test_acknowledged_pushes_survive_and_count_once(tmp_path, steps):
    ending = run_killed(_PUSH, str(tmp_path), str(Path(__file__).parent.parent), steps=steps)
    assert ending.killed
    acknowledged = int(ending.lines[-1]) if ending.lines else 0
    store = opened(tmp_path)
    view, asks = view_of([*WINDOWED, *LASTS])
    counted = OnlineReader(store.online, [view]).read([{"key": key} for key in "abc"], [1300] * 3)
    rows = int(sum(values[3] for values, _ in counted))  # number of rows in the whole history
    assert rows in (acknowledged, acknowledged + 3)
    check(ROWS[:rows], view, asks, store, ATS)
    # The client can't know of its last push, so it pushes all of them again; then the table brings half of them.
    Pusher(store.online, view, Rows(), types=SCHEMA, grace=10**6).push(ROWS)
    check([{**row, "_seq": 10_000 + row["_seq"]} for row in ROWS], view, asks, store, ATS)
    store.tables.append("events", frame_of(ROWS[:300]))
    materialise(store, view, 0, now=10**16, grace=10**6)
    check(ROWS, view, asks, store, ATS)
    store.online.close()


def test_pushes_and_materialisation_meet_without_gap_or_double_count(tmp_path):
    """Several processes' worth of threads push while the table's versions are put in."""
    store = opened(tmp_path)
    view, asks = view_of([*WINDOWED, *LASTS])
    for start in range(0, 600, 100):
        store.tables.append("events", frame_of(ROWS[start : start + 100]))
    failures: list[BaseException] = []

    def push(part: int) -> None:
        try:
            pusher = Pusher(store.online, view, Rows(), types=SCHEMA, grace=10**6)
            for row in ROWS[part::3]:
                pusher.push([row])
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=push, args=(part,)) for part in range(3)]
    for thread in threads:
        thread.start()
    for version in range(6):
        materialise(store, view, version, now=10**16, grace=10**6)
    for thread in threads:
        thread.join()
    assert not failures
    check(ROWS, view, asks, store, ATS)
    store.online.close()
