"""Processes that are killed at any instant: what they acknowledged is there, once, and the next one carries on."""

from __future__ import annotations

import os
import random
import subprocess
import sys

import polars as pl
import pytest

from drivetrain.store.blobs import FileBlobs
from drivetrain.store.catalog import SqlCatalog
from drivetrain.store.database import Database
from drivetrain.store.leases import SqlLeases
from drivetrain.store.migrate import migrate
from drivetrain.store.online import LmdbOnline
from drivetrain.store.tables import Tables
from drivetrain.testing.catalog import Note
from drivetrain.testing.kill import run_killed

OPEN_CATALOG = """
import sys
from pathlib import Path
from drivetrain.core.records import Link
from drivetrain.store.catalog import SqlCatalog
from drivetrain.store.database import Database
from drivetrain.store.migrate import migrate
from drivetrain.testing.catalog import Note
from drivetrain.testing.kill import armed, disarmed
database = Database(sys.argv[1], Path())
migrate(database)
catalog = SqlCatalog(database)
"""
COMMIT = (
    OPEN_CATALOG
    + """
last = len(catalog.find(Note))
catalog.revision()
armed()
for number in range(last, last + int(sys.argv[2])):
    notes = [Note(name=f"{number}{half}", text="x" * 2000) for half in "ab"]
    catalog.commit(*notes, links=[Link(f"note:{number}a", f"note:{number}b", "half")], expect={f"note:{number}a": 0})
    print(number)
disarmed()
"""
)


def check_catalog(url, tmp_path, acknowledged):
    database = Database(url, tmp_path)
    migrate(database)
    catalog = SqlCatalog(database)
    names = {note.name for note in catalog.find(Note)}
    links = {link.source.removeprefix("note:").removesuffix("a") for link in catalog.links()}
    assert set(acknowledged) <= links
    assert names == {number + half for number in links for half in "ab"}, "half a commit"
    assert catalog.revision() == len(links)
    database.close()


@pytest.mark.parametrize("seed", range(3))
def test_catalog_killed_at_random_instants(tmp_path, seed):
    dice = random.Random(seed)
    url = f"sqlite:///{tmp_path}/catalog.db"
    acknowledged = []
    for _ in range(2):
        ending = run_killed(COMMIT, url, "100000", seconds=dice.uniform(0.0, 0.2))
        assert ending.killed
        acknowledged += ending.lines
        check_catalog(url, tmp_path, acknowledged)


def test_catalog_killed_between_any_two_calls_of_one_commit(tmp_path):
    whole = run_killed(COMMIT, f"sqlite:///{tmp_path}/0/catalog.db", "1", steps=10**9)
    assert (whole.killed, whole.lines) == (False, ("0",))
    for number in range(1, 7):
        url = f"sqlite:///{tmp_path}/{number}/catalog.db"
        ending = run_killed(COMMIT, url, "1", steps=whole.steps * number // 7)
        assert ending.killed
        check_catalog(url, tmp_path, ending.lines)


@pytest.mark.services
def test_postgres_client_killed_at_random_instants(postgres, tmp_path):
    url = postgres.fresh()
    acknowledged = []
    for seconds in (0.0, 0.05, 0.13):
        acknowledged += run_killed(COMMIT, url, "100000", seconds=seconds).lines
        check_catalog(url, tmp_path, acknowledged)


def test_first_migration_killed_between_calls(tmp_path):
    code = OPEN_CATALOG.replace("\ndatabase =", "\narmed()\ndatabase =") + "\ndisarmed()"
    whole = run_killed(code, f"sqlite:///{tmp_path}/0/catalog.db", steps=10**9)
    for number in range(1, 5):
        url = f"sqlite:///{tmp_path}/{number}/catalog.db"
        assert run_killed(code, url, steps=whole.steps * (number + 4) // 9).killed
        check_catalog(url, tmp_path, [])


APPEND = """
import sys
from pathlib import Path
import polars as pl
from drivetrain.store.tables import Tables
from drivetrain.testing.kill import armed, disarmed
tables = Tables(Path(sys.argv[1]))
change, until = sys.argv[2], int(sys.argv[3])
last = tables.transaction("t", "days")
armed()
for number in range(0 if last is None else last, until):  # the last one again: nobody knows whether it was told
    rows = pl.DataFrame({"k": [number, -number - 1], "day": [number] * 2})
    given = {"transaction": ("days", number), "note": {"cursor": str(number)}}
    tables.append("t", rows, **given) if change == "append" else tables.merge("t", rows, ["k"], **given)
    print(number)
disarmed()
"""


def check_table(folder, acknowledged):
    tables = Tables(folder)
    if tables.version("t") is None:
        assert acknowledged == []
        return -1
    days = tables.read("t")["day"].to_list()
    last = max(days)
    assert sorted(days) == sorted([*range(last + 1), *range(last + 1)]), "every day's two rows, once"
    assert last >= max(map(int, acknowledged), default=0)
    assert tables.note("t") == {"cursor": str(last)}, "the cursor and the rows are one commit"
    assert tables.transaction("t", "days") == last
    return last


@pytest.mark.parametrize("change", ["append", "merge"])
def test_table_killed_at_random_instants(tmp_path, change):
    dice = random.Random(change)
    acknowledged = []
    for _ in range(4):
        ending = run_killed(APPEND, str(tmp_path), change, "100000", seconds=dice.uniform(0.0, 0.3))
        assert ending.killed
        acknowledged += ending.lines
        last = check_table(tmp_path, acknowledged)
    ending = run_killed(APPEND, str(tmp_path), change, str(last + 3))
    assert not ending.killed
    assert check_table(tmp_path, acknowledged) == last + 2


def test_table_killed_between_any_two_calls_of_one_append(tmp_path):
    whole = run_killed(APPEND, str(tmp_path / "0"), "append", "2", steps=10**9)
    assert whole.lines == ("0", "1")
    for number in range(1, 6):
        folder = tmp_path / str(number)
        ending = run_killed(APPEND, str(folder), "append", "2", steps=whole.steps * number // 6)
        assert ending.killed
        check_table(folder, list(ending.lines))
        assert run_killed(APPEND, str(folder), "append", "2").lines[-1] == "1"
        assert check_table(folder, list(ending.lines)) == 1


WRITE = """
import sys
from pathlib import Path
from drivetrain.store.online import LmdbOnline
from drivetrain.testing.kill import armed
online = LmdbOnline(Path(sys.argv[1]), 0.1)
last = int(online.mark("plane@1") or 0)
armed()
for number in range(last + 1, 10**9):
    online.write("plane@1", [(b"%d" % key, b"%d" % number * 100) for key in range(50)], mark=b"%d" % number)
    print(number)
"""


def test_online_rows_and_mark_stay_together_at_random_instants(tmp_path):
    dice = random.Random(7)
    for _ in range(5):
        ending = run_killed(WRITE, str(tmp_path), seconds=dice.uniform(0.0, 0.2))
        assert ending.killed
        online = LmdbOnline(tmp_path, 0.1)
        mark = online.mark("plane@1")
        rows = set(online.read("plane@1", [b"%d" % key for key in range(50)]))
        assert rows == ({None} if mark is None else {mark * 100})
        assert int(mark or 0) >= max(map(int, ending.lines), default=0)
        online.close()


KEEP = """
import sys
from pathlib import Path
from drivetrain.store.blobs import FileBlobs
from drivetrain.testing.kill import armed
blobs = FileBlobs(Path(sys.argv[1]))
armed()
for number in range(10**9):
    print(blobs.put(b"%d" % number * 30_000))
"""


@pytest.mark.parametrize("instant", [{"fsyncs": 1}, {"fsyncs": 2}, {"fsyncs": 5}, {"lines": 9}, {"seconds": 0.01}])
def test_blobs_are_whole_or_not_there(tmp_path, instant):
    ending = run_killed(KEEP, str(tmp_path), **instant)
    assert ending.killed
    blobs = FileBlobs(tmp_path)
    for number, digest in enumerate(ending.lines):
        assert blobs.get(digest) == b"%d" % number * 30_000
    kept = [path for path in tmp_path.glob("??/??/*") if path.is_file()]
    assert len(kept) - len(ending.lines) in {0, 1}
    assert all(blobs.get(path.name) for path in kept)


HOLD = (
    OPEN_CATALOG
    + """
from drivetrain.store.leases import SqlLeases
print(SqlLeases(database, lambda: 0).acquire("watch", "the dead", 10).token)
armed()
while True:
    catalog.revision()
"""
)


def test_a_lease_outlives_its_killed_holder_and_then_runs_out(tmp_path):
    url = f"sqlite:///{tmp_path}/catalog.db"
    assert run_killed(HOLD, url, lines=1).lines == ("1",)
    database = Database(url, tmp_path)
    assert SqlLeases(database, lambda: 9_999_999).acquire("watch", "the living", 10) is None
    assert SqlLeases(database, lambda: 10_000_000).acquire("watch", "the living", 10).token == 2
    database.close()


def test_two_processes_append_and_lose_nothing(tmp_path):

    code = """
import sys
from pathlib import Path
import polars as pl
from drivetrain.store.tables import Tables
tables, me = Tables(Path(sys.argv[1])), int(sys.argv[2])
for number in range(15):
    tables.append("appended", pl.DataFrame({"k": [me * 1000 + number]}), transaction=(f"writer {me}", number))
    tables.merge("merged", pl.DataFrame({"k": [number, me * 1000 + number], "by": [me] * 2}), ["k"])
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    writers = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), str(me)], env=environment) for me in (1, 2)]
    assert [writer.wait() for writer in writers] == [0, 0]
    tables = Tables(tmp_path)
    mine = [me * 1000 + number for me in (1, 2) for number in range(15)]
    assert sorted(tables.read("appended")["k"].to_list()) == mine
    merged = tables.read("merged")
    assert sorted(merged["k"].to_list()) == [*range(15), *mine]
    assert merged.filter(pl.col("k") >= 1000).select((pl.col("k") // 1000 == pl.col("by")).all()).item()


def test_a_child_that_fails_by_itself_is_a_failure():
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        run_killed("1 / 0")


def test_a_child_that_comes_to_its_end_says_so():
    ending = run_killed("import sys\nprint('a')\nprint(sys.argv[1], end='')", "half a line", lines=5)
    assert (ending.lines, ending.killed) == (("a",), False)
