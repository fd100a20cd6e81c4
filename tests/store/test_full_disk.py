"""A disk that is full: one plain error, and what was there stays readable."""

from __future__ import annotations

import os

import polars as pl
import pytest

from drivetrain.core.errors import StoreError
from drivetrain.core.settings import StoreSettings
from drivetrain.store.bundle import open_store
from drivetrain.testing.catalog import Note
from drivetrain.testing.disk import fill, small_disk
from drivetrain.testing.kill import run_killed


@pytest.fixture
def disk(tmp_path):
    with small_disk(tmp_path / "disk", 4096) as folder:
        yield folder


@pytest.fixture
def store(disk):
    store = open_store(StoreSettings(online_gib=0.1), disk)
    yield store
    store.close()


def until_full(write):
    def again_and_again():
        for number in range(10_000):
            write(number)

    with pytest.raises(StoreError) as caught:
        again_and_again()
    return str(caught.value)


def test_catalog(disk, store):
    store.catalog.commit(Note(name="kept"))
    filler = fill(disk, leave_kibibytes=64)
    said = until_full(lambda number: store.catalog.commit(Note(name=str(number), text="x" * 5000)))
    assert "catalog.db" in said
    assert "Free some disk space" in said
    revision = store.catalog.revision()
    assert len(store.catalog.find(Note)) == revision
    assert store.catalog.get(Note, "kept") == Note(name="kept")
    filler.unlink()
    assert store.catalog.commit(Note(name="after")) == revision + 1


def test_tables(disk, store):
    rows = pl.DataFrame({"k": range(2000)})
    store.tables.append("t", rows, note={"cursor": "0"})
    filler = fill(disk, leave_kibibytes=64)
    said = until_full(lambda number: store.tables.append("t", rows.with_columns(k=pl.col("k") * number)))
    assert "table t can't be changed" in said
    assert "Free some disk space" in said
    version = store.tables.version("t")
    assert store.tables.read("t").height == 2000 * (version + 1)
    assert store.tables.read("t", 0).equals(rows)
    filler.unlink()
    assert store.tables.append("t", rows) == version + 1


def test_blobs(disk, store):
    kept = store.blobs.put(b"kept")
    filler = fill(disk, leave_kibibytes=64)
    said = until_full(lambda number: store.blobs.put(os.urandom(9000) + bytes([number % 256])))
    assert "blob" in said
    assert "Free some disk space" in said
    assert store.blobs.get(kept) == b"kept"
    assert list((disk / ".drivetrain" / "blobs" / "aside").iterdir()) == [], "nothing half-written stays"
    filler.unlink()
    assert store.blobs.get(store.blobs.put(b"after")) == b"after"


def test_online(disk, store):
    store.online.write("plane@1", [(b"N1", b"one")], mark=b"1")
    filler = fill(disk, leave_kibibytes=64)
    until = until_full(
        lambda number: store.online.write("plane@1", [(b"%d" % number, bytes(3000))], mark=b"%d" % number)
    )
    assert "online store" in until
    assert "Free some disk space" in until
    mark = int(store.online.mark("plane@1"))
    assert store.online.read("plane@1", [b"N1", b"%d" % mark, b"%d" % (mark + 1)]) == [b"one", bytes(3000), None]
    filler.unlink()
    store.online.write("plane@1", [(b"N2", b"two")])
    assert store.online.read("plane@1", [b"N2"]) == [b"two"]


LIMITED = """
import random, resource, sys
from pathlib import Path
import polars as pl
from drivetrain.core.errors import StoreError
from drivetrain.core.settings import StoreSettings
from drivetrain.store.bundle import open_store
from drivetrain.testing.catalog import Note
store = open_store(StoreSettings(online_gib=0.1), Path(sys.argv[1]))
store.catalog.commit(Note(name="kept"))
store.online.write("plane@1", [(b"N1", b"one")])
kept = store.blobs.put(b"kept")
store.tables.append("t", pl.DataFrame({"k": [1]}))
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
dice = random.Random(0)
big = bytes(range(256)) * 1000
for write in (
    lambda: store.catalog.commit(Note(name="big", text="x" * 500_000)),
    lambda: store.online.write("plane@1", [(b"%d" % key, big) for key in range(4)]),
    lambda: store.blobs.put(big),
    lambda: store.tables.append("t", pl.DataFrame({"k": [dice.getrandbits(62) for _ in range(100_000)]})),
):
    try:
        write()
    except StoreError as error:
        print(error)
assert store.catalog.find(Note) == [Note(name="kept")]
assert store.online.read("plane@1", [b"N1", b"1"]) == [b"one", None]
assert store.blobs.get(kept) == b"kept"
assert store.tables.read("t")["k"].to_list() == [1]
"""


def test_a_limit_on_file_size_needs_no_privilege_to_test(tmp_path):
    ending = run_killed(LIMITED, str(tmp_path))
    assert [line.partition(" ")[2].split(" ")[0] for line in ending.lines] == ["catalog", "online", "blob", "t"]
