"""Views over real tables and a real online store, killed in the middle of their work."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from drivetrain.features.online.materialise import materialise
from drivetrain.features.online.reader import OnlineReader
from drivetrain.store.online import LmdbOnline
from drivetrain.store.tables import Tables
from drivetrain.testing.kill import run_killed
from features.cases import LASTS, WINDOWED, frame_of, view_of
from features.oracle import feature, same
from features.test_online import check, clean

ROWS = [
    {"key": "abc"[at % 3], "x": at / 10, "n": at % 5 - 2, "b": at % 7 == 0, "s": "pq"[at % 2], "_seq": at}
    | {"_event_time": at * 2, "_available_at": at * 2 + at % 11}
    for at in range(600)
]
ATS = [0, 601, 1199, 1205, 1300]
_FILL = """
import sys
sys.path[:0] = sys.argv[2:]
from pathlib import Path
from types import SimpleNamespace
from features.cases import LASTS, WINDOWED, view_of
from drivetrain.features.online.materialise import materialise
from drivetrain.store.online import LmdbOnline
from drivetrain.store.tables import Tables
from drivetrain.testing.kill import armed
folder = Path(sys.argv[1])
store = SimpleNamespace(tables=Tables(folder / "tables"), online=LmdbOnline(folder / "online", 0.25))
view, _ = view_of([*WINDOWED, *LASTS])
armed()
for version in range(6):
    materialise(store, view, version, now=10**16, grace=10**6)
    print(version)
"""


def filled(folder: Path) -> SimpleNamespace:
    store = SimpleNamespace(tables=Tables(folder / "tables"), online=LmdbOnline(folder / "online", 0.25))
    for start in range(0, 600, 100):
        store.tables.append("events", frame_of(ROWS[start : start + 100]))
    return store


def test_append_by_append_from_delta_into_lmdb(tmp_path):
    store = filled(tmp_path)
    view, asks = view_of([*WINDOWED, *LASTS])
    for version in range(6):
        assert materialise(store, view, version, now=10**16, grace=10**6).rows == 100
        check(ROWS[: 100 * (version + 1)], view, asks, store, [ATS[1], 1300])
    store.online.close()


def test_rows_replaced_by_a_merge_are_replaced_online(tmp_path):
    store = filled(tmp_path)
    view, asks = view_of([*WINDOWED, *LASTS])
    materialise(store, view, 5, now=10**16, grace=10**6)
    moved = {**ROWS[299], "key": "a", "x": 77.0, "_seq": 1_000}
    store.tables.delete("events", "_seq = 299")
    version = store.tables.append("events", frame_of([moved]))
    materialise(store, view, version, now=10**16, grace=10**6)
    check([*ROWS[:299], *ROWS[300:], moved], view, asks, store, ATS)
    store.online.close()


@pytest.mark.parametrize("steps", [200, 2_000, 9_000, 20_000, 40_000])
def test_killed_anywhere_the_next_call_carries_on(tmp_path, steps):
    filled(tmp_path).online.close()
    ending = run_killed(_FILL, str(tmp_path), str(Path(__file__).parent.parent), steps=steps)
    store = SimpleNamespace(tables=Tables(tmp_path / "tables"), online=LmdbOnline(tmp_path / "online", 0.25))
    view, asks = view_of([*WINDOWED, *LASTS])
    done = len(ending.lines)
    if ending.killed and done:
        reader = OnlineReader(store.online, [view])
        values = reader.read([{"key": "a"}], [1300])[0][0]
        expected = [[feature(ask, ROWS[: 100 * seen], "a", 1300) for ask in asks] for seen in (done, done + 1)]
        assert any(
            all(same(ask.kind, clean(value), wanted) for ask, value, wanted in zip(asks, values, row, strict=True))
            for row in expected
        )
    materialise(store, view, 5, now=10**16, grace=10**6)
    check(ROWS, view, asks, store, ATS)
    store.online.close()


def test_times_keep_their_type_on_the_way(tmp_path):
    store = filled(tmp_path)
    assert store.tables.scan("events").collect_schema()["_event_time"] == pl.Datetime("us", "UTC")
    store.online.close()
