from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from polars.testing import assert_frame_equal

from drivetrain.core.clock import now
from drivetrain.core.errors import StoreError, UnknownName
from drivetrain.store.tables import Tables


@pytest.fixture
def tables(tmp_path):
    return Tables(tmp_path / "tables")


def rows(*keys, **columns):
    return pl.DataFrame({"k": list(keys), **columns}, schema_overrides={"k": pl.Int64})


def keys_of(tables, name="t", version=None):
    return sorted(tables.read(name, version)["k"].to_list())


def test_a_table_that_is_not_there(tables):
    assert tables.names() == []
    assert tables.version("t") is None
    assert tables.transaction("t", "app") is None
    for ask in (tables.scan, tables.read, tables.note, tables.rows, tables.schema, tables.compact):
        with pytest.raises(UnknownName, match="no table t"):
            ask("t")
    with pytest.raises(UnknownName, match="no table t"):
        tables.delete("t", "k = 1")


@pytest.mark.parametrize("name", ["", "/", "a//b", "../up", "a/..", "a/./b", "/abs", "a/_delta_log", "a\0b", "a\\b"])
def test_names_that_are_no_paths_below_the_root(tables, name):
    with pytest.raises(UnknownName, match="not a table name"):
        tables.append(name, rows(1))


def test_versions_count_up_and_can_be_read_again(tables):
    assert tables.append("t", rows(1, 2)) == 0
    assert tables.append("t", rows(3)) == 1
    assert tables.replace("t", rows(9)) == 2
    assert tables.version("t") == 2
    assert [keys_of(tables, version=version) for version in range(3)] == [[1, 2], [1, 2, 3], [9]]
    assert [tables.rows("t", version) for version in range(3)] == [2, 3, 1]
    with pytest.raises(UnknownName, match="no version 7"):
        tables.read("t", 7)


def test_names_may_hold_slashes(tables):
    for name in ("training/late", "a", "quarantine/a"):
        tables.append(name, rows(1))
    assert tables.names() == ["a", "quarantine/a", "training/late"]
    assert keys_of(tables, "training/late") == [1]


def test_types_come_back(tables):
    frame = pl.DataFrame(
        {
            "time": [datetime(2013, 1, 1, 5, 0, 0, 123456, tzinfo=UTC), None],
            "date": [date(2013, 1, 1), None],
            "text": ["ß", None],
            "bytes": [b"\0\xff", None],
            "flag": [True, None],
            "small": pl.Series([1, None], dtype=pl.Int8),
            "half": pl.Series([0.5, None], dtype=pl.Float32),
            "float": [float("nan"), float("inf")],
            "list": [["a", None], []],
            "struct": [{"x": 1, "y": "a"}, {"x": None, "y": None}],
            "decimal": pl.Series([Decimal("1.50"), None], dtype=pl.Decimal(10, 2)),
        }
    )
    tables.append("t", frame)
    assert_frame_equal(tables.read("t"), frame)
    assert tables.schema("t") == frame.schema
    assert frame.schema["time"] == pl.Datetime("us", "UTC")


def test_types_that_delta_lacks_become_ones_it_has(tables):
    zone = ZoneInfo("America/New_York")
    frame = pl.DataFrame(
        {
            "ns": pl.Series([datetime(2013, 1, 1, tzinfo=UTC)], dtype=pl.Datetime("ns", "UTC")),
            "zoned": pl.Series([datetime(2013, 7, 1, tzinfo=zone)], dtype=pl.Datetime("ms", "America/New_York")),
            "naive": pl.Series([datetime(2013, 7, 1)], dtype=pl.Datetime("ms")),  # noqa: DTZ001 - a column without zone
            "kind": pl.Series(["a"], dtype=pl.Categorical),
            "fixed": pl.Series(["a"], dtype=pl.Enum(["a", "b"])),
            "u8": pl.Series([255], dtype=pl.UInt8),
            "u32": pl.Series([2**32 - 1], dtype=pl.UInt32),
            "u64": pl.Series([2**63 - 1], dtype=pl.UInt64),
            "array": pl.Series([[1, 2]], dtype=pl.Array(pl.UInt8, 2)),
            "deep": pl.Series([{"u": 255}], dtype=pl.Struct({"u": pl.UInt8})),
        }
    )
    tables.append("t", frame)
    found = tables.read("t").row(0, named=True)
    assert found["zoned"] == datetime(2013, 7, 1, 4, tzinfo=UTC)
    assert (found["u8"], found["u32"], found["u64"]) == (255, 2**32 - 1, 2**63 - 1)
    assert (found["kind"], found["array"], found["deep"]) == ("a", [1, 2], {"u": 255})
    assert tables.schema("t")["ns"] == tables.schema("t")["zoned"] == pl.Datetime("us", "UTC")
    assert tables.schema("t")["naive"] == pl.Datetime("us")
    tables.append("t", frame)
    assert tables.rows("t") == 2


@pytest.mark.parametrize(
    ("column", "found"),
    [
        (pl.Series("c", [None, None]), "Null"),
        (pl.Series("c", [1, 2], dtype=pl.Duration("us")), "Duration"),
        (pl.Series("c", [1, 2], dtype=pl.Time), "Time"),
        (pl.Series("c", [{"a": None}, {"a": None}]), "Null"),
        (pl.Series("c", [[None], []]), "Null"),
    ],
)
def test_columns_that_no_table_holds_are_named(tables, column, found):
    with pytest.raises(StoreError, match=rf"table t, column 'c' can't be kept.*{found}"):
        tables.append("t", pl.DataFrame([column]))
    assert tables.names() == []


def test_values_beyond_the_kept_type_are_refused(tables):
    with pytest.raises(StoreError, match="does not fit"):
        tables.append("t", pl.DataFrame({"c": pl.Series([2**64 - 1], dtype=pl.UInt64)}))


def test_a_column_may_not_change_its_type(tables):
    tables.append("t", rows(1, v=["a"]))
    for change in (tables.append, lambda *given: tables.merge(*given, ["k"])):
        with pytest.raises(StoreError, match=r"column 'v' is of another type.*found Int64.*expected String"):
            change("t", rows(2, v=[5]))
    assert keys_of(tables) == [1]
    tables.replace("t", rows(2, v=[5]))
    assert tables.schema("t")["v"] == pl.Int64


def test_narrower_columns_fit_wider_ones(tables):
    tables.append("t", pl.DataFrame({"i": [1], "f": [0.5], "t": [datetime(2013, 1, 1, tzinfo=UTC)]}))
    narrow = pl.DataFrame({"i": pl.Series([2], dtype=pl.Int16), "f": pl.Series([1], dtype=pl.Int32), "t": [None]})
    tables.append("t", narrow)
    assert tables.read("t").sort("i").rows() == [(1, 0.5, datetime(2013, 1, 1, tzinfo=UTC)), (2, 1.0, None)]
    with pytest.raises(StoreError, match="another type"):
        tables.append("t", pl.DataFrame({"f": [2**53 + 1]}))


@pytest.mark.parametrize("change", ["append", "merge"])
def test_columns_come_and_go(tables, change):
    tables.append("t", rows(1, old=["a"]))
    given = {"keys": ["k"]} if change == "merge" else {}
    getattr(tables, change)("t", rows(2, new=["b"]), **given)
    getattr(tables, change)("t", rows(3), **given)
    assert tables.read("t").sort("k").select("k", "old", "new").rows() == [
        (1, "a", None),
        (2, None, "b"),
        (3, None, None),
    ]


def test_notes_belong_to_versions(tables):
    tables.append("t", rows(1), note={"cursor": '{"a": "ß"}', "operation": "mine"})
    tables.append("t", rows(2))
    tables.merge("t", rows(3), ["k"], note={"cursor": "2"})
    assert tables.note("t", 0) == {"cursor": '{"a": "ß"}', "operation": "mine"}
    assert tables.note("t", 1) == {}
    assert tables.note("t") == tables.note("t", 2) == {"cursor": "2"}
    tables.delete("t", "k = 3")
    assert tables.version("t") == 3
    assert tables.note("t") == {"cursor": "2"}, "what a cursor says is not undone by an erasure"
    tables.compact("t")
    assert tables.note("t") == {"cursor": "2"}
    with pytest.raises(UnknownName, match="no version 99"):
        tables.note("t", 99)


def test_a_version_knows_when_it_was_written(tables):
    moments = [now() // 1_000 * 1_000]
    for key in (1, 2):
        tables.append("t", rows(key))
        moments += [tables.written("t", key - 1), now()]
    assert moments == sorted(moments)
    assert tables.written("t") == tables.written("t", 1)
    with pytest.raises(UnknownName, match="no version 9"):
        tables.written("t", 9)


@pytest.mark.parametrize("change", ["append", "replace", "merge"])
def test_a_transaction_happens_once(tables, change):
    def commit(frame, number, application="app"):
        given = {"keys": ["k"]} if change == "merge" else {}
        return getattr(tables, change)("t", frame, transaction=(application, number), note={"n": str(number)}, **given)

    assert commit(rows(1), 5) == 0
    assert commit(rows(2), 5) == 0
    assert commit(rows(2), 4) == 0
    assert keys_of(tables) == [1]
    assert tables.note("t") == {"n": "5"}
    assert commit(rows(3), 6) == 1
    assert commit(rows(4), 1, "other") == 2
    assert tables.transaction("t", "app") == 6
    assert tables.transaction("t", "other") == 1
    assert tables.transaction("t", "none") is None
    for _ in range(12):
        tables.append("t", rows(0))
    tables.compact("t")
    assert tables.transaction("t", "app") == 6, "checkpoints and compaction keep it"


def test_merge_replaces_by_key_and_adds(tables):
    tables.merge("t", rows(1, 2, v=["a", "b"]), ["k"])
    tables.merge("t", rows(2, 3, v=["B", "C"]), ["k"])
    assert tables.read("t").sort("k").rows() == [(1, "a"), (2, "B"), (3, "C")]


def test_merge_by_several_keys_with_odd_names(tables):
    frame = pl.DataFrame({'a "b"': [1, 1], "New": ["x", "y"], "value": [1, 2]})
    tables.merge("t", frame, ['a "b"', "New"])
    tables.merge("t", frame.with_columns(value=pl.lit(7, dtype=pl.Int64)).head(1), ['a "b"', "New"])
    assert tables.read("t").sort("New")["value"].to_list() == [7, 2]


def test_merge_refuses_keys_that_name_no_single_row(tables):
    with pytest.raises(StoreError, match="2 rows to merge share their k"):
        tables.merge("t", rows(1, 1), ["k"])
    with pytest.raises(StoreError, match="no 'k'"):
        tables.merge("t", rows(1, None), ["k"])
    assert tables.names() == []


def test_delete_by_predicate(tables):
    tables.append("t", rows(1, 2, 3))
    assert tables.delete("t", "k >= 2") == 1
    assert keys_of(tables) == [1]
    assert keys_of(tables, version=0) == [1, 2, 3]
    with pytest.raises(StoreError, match="table t can't be changed"):
        tables.delete("t", "no such column")


def test_empty_frames_make_empty_tables(tables):
    assert tables.append("t", rows()) == 0
    assert tables.read("t").schema == {"k": pl.Int64}
    assert tables.rows("t") == 0
    tables.append("t", rows(1))
    tables.merge("t", rows(), ["k"])
    assert keys_of(tables) == [1]


def test_partitions(tables):
    frame = rows(1, 2, 3, day=["a", "a", "b"])
    tables.append("t", frame, partition_by=["day"])
    tables.append("t", frame)
    assert_frame_equal(tables.read("t"), pl.concat([frame, frame]), check_row_order=False, check_column_order=False)
    assert tables.names() == ["t"]


def test_compaction_gathers_files_and_keeps_versions(tables, tmp_path):
    for number in range(15):
        tables.append("t", rows(number))
    before = tables.version("t")
    after = tables.compact("t")
    assert after == before + 1
    assert keys_of(tables) == list(range(15))
    assert keys_of(tables, version=7) == list(range(8))
    log = tmp_path / "tables" / "t" / "_delta_log" / f"{after:020d}.json"
    assert sum("add" in json.loads(line) for line in log.read_text().splitlines()) == 1


def test_many_appends_keep_checkpoints_close(tables, tmp_path):
    for number in range(25):
        tables.append("t", rows(number), transaction=("days", number))
    log = tmp_path / "tables" / "t" / "_delta_log"
    assert len(list(log.glob("*.checkpoint*.parquet"))) >= 2
    assert len(list(log.glob("*.json"))) == 25, "every version can be read again"
    assert keys_of(tables, version=3) == [0, 1, 2, 3]


def test_a_missing_file_is_named(tables, tmp_path):
    tables.append("t", rows(1))
    next((tmp_path / "tables" / "t").glob("*.parquet")).unlink()
    with pytest.raises(StoreError, match="table t can't be read"):
        tables.read("t")


def test_damaged_log_is_named(tables, tmp_path):
    tables.append("t", rows(1))
    (tmp_path / "tables" / "t" / "_delta_log" / f"{0:020d}.json").write_text("junk")
    with pytest.raises(StoreError, match="table t"):
        tables.append("t", rows(2))


def test_a_place_that_is_a_file_is_named(tmp_path):
    (tmp_path / "tables").write_text("not a folder")
    with pytest.raises(StoreError, match="table t can't be changed"):
        Tables(tmp_path / "tables").append("t", rows(1))


def test_a_killed_creation_leaves_no_table(tables, tmp_path):
    (tmp_path / "tables" / "t" / "_delta_log").mkdir(parents=True)
    assert tables.version("t") is None
    assert tables.names() == []
    assert tables.append("t", rows(1)) == 0


def test_threads_lose_nothing(tables):
    errors = []
    start = threading.Barrier(4)

    def write(me):
        start.wait()
        try:
            for number in range(8):
                tables.append("t", rows(me * 100 + number), transaction=(f"writer {me}", number))
        except StoreError as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(me,)) for me in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert keys_of(tables) == sorted(me * 100 + number for me in range(4) for number in range(8))


_MAKERS = """
import os, sys, time
from pathlib import Path
import polars as pl
from drivetrain.store.tables import Tables

for number in range(int(sys.argv[2])):
    at = time.monotonic() + 0.02
    children = []
    for child in range(4):
        children.append(os.fork())
        if not children[-1]:
            while time.monotonic() < at:
                pass
            Tables(Path(sys.argv[1])).append(f"t{number}", pl.DataFrame({"a": [1]}), transaction=("batch", 1))
            os._exit(0)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
"""


def test_a_table_that_several_processes_make_at_once_is_made_once(tmp_path):
    """Forked before any thread is there, so that all come to the commit together."""
    command = [sys.executable, "-c", _MAKERS, str(tmp_path), "4"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "POLARS_MAX_THREADS": "1"}
    subprocess.run(command, check=True, env=environment)
    made = Tables(tmp_path)
    assert [(made.version(name), made.rows(name)) for name in made.names()] == [(0, 1)] * 4


def test_one_transaction_by_many_threads_happens_once(tables):
    tables.append("t", rows(0))
    start = threading.Barrier(4)

    def write():
        for number in range(5):
            start.wait()
            tables.append("t", rows(number + 1), transaction=("app", number))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert keys_of(tables) == [0, 1, 2, 3, 4, 5]


_KEYS = st.lists(st.integers(0, 6), unique=True, max_size=4)


class TableMachine(RuleBasedStateMachine):
    """Does the same to a table and to a list of dictionaries."""

    folder = None

    @initialize()
    def begin(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.tables = Tables(self.folder)
        self.versions = []
        self.current = []
        self.number = 0
        self.applied = None

    def _frame(self, keys, value):
        return pl.DataFrame({"k": keys, "v": [value] * len(keys)}, schema={"k": pl.Int64, "v": pl.Int64})

    def _transaction(self, step):
        number = self.number + step
        wanted = self.applied is None or number > self.applied
        if wanted:
            self.number = self.applied = number
        return ("app", number), wanted

    def _committed(self, version, rows):
        if rows is not None:
            self.current = rows
            self.versions.append(sorted(rows))
        assert version == len(self.versions) - 1

    @rule(keys=_KEYS, value=st.integers(0, 3), step=st.sampled_from([1, 1, 0, -1]))
    def append(self, keys, value, step):
        transaction, wanted = self._transaction(step)
        version = self.tables.append("t", self._frame(keys, value), transaction=transaction)
        self._committed(version, self.current + [(key, value) for key in keys] if wanted else None)

    @rule(keys=_KEYS, value=st.integers(0, 3), step=st.sampled_from([1, 1, 0, -1]))
    def merge(self, keys, value, step):
        if len({key for key, _ in self.current}) != len(self.current):
            return  # rows that share a key are updated together: true, but not what this model says
        transaction, wanted = self._transaction(step)
        version = self.tables.merge("t", self._frame(keys, value), ["k"], transaction=transaction)
        rows = [(key, old) for key, old in self.current if key not in keys] + [(key, value) for key in keys]
        self._committed(version, rows if wanted else None)

    @rule(keys=_KEYS, value=st.integers(0, 3))
    def replace(self, keys, value):
        version = self.tables.replace("t", self._frame(keys, value))
        self._committed(version, [(key, value) for key in keys])

    @rule(key=st.integers(0, 6))
    def delete(self, key):
        if any(found == key for found, _ in self.current):
            version = self.tables.delete("t", f"k = {key}")
            self._committed(version, [(found, value) for found, value in self.current if found != key])

    @invariant()
    def same(self):
        if getattr(self, "versions", None):
            for version in {len(self.versions) - 1, len(self.versions) // 2}:
                assert sorted(self.tables.read("t", version).select("k", "v").rows()) == self.versions[version]
                assert self.tables.rows("t", version) == len(self.versions[version])


def test_agrees_with_a_model_over_random_histories(tmp_path):
    class Bound(TableMachine):
        folder = tmp_path / "tables"

    run_state_machine_as_test(
        Bound,
        settings=settings(
            max_examples=12, stateful_step_count=10, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
