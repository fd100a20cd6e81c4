from __future__ import annotations

import itertools
import multiprocessing
import os
import threading
from contextlib import contextmanager

import lmdb
import pytest

from drivetrain.core.errors import StoreError
from drivetrain.store.memory import MemoryOnline
from drivetrain.store.online import LmdbOnline
from drivetrain.testing.kill import run_killed
from drivetrain.testing.online import OnlineConformance, SharedOnlineConformance, adding


@contextmanager
def opened(folder, gib=0.1, durability="process"):
    online = LmdbOnline(folder, gib, durability)
    try:
        yield online
    finally:
        online.close()


class TestMemoryOnline(OnlineConformance):
    @contextmanager
    def fresh(self):
        yield MemoryOnline()


class TestLmdbOnline(SharedOnlineConformance):
    durability = "process"

    @pytest.fixture(autouse=True)
    def folder(self, tmp_path):
        self.paths = (tmp_path / str(number) for number in itertools.count())

    def fresh(self):
        return opened(next(self.paths), durability=self.durability)

    def elsewhere(self, online):
        return (
            "from pathlib import Path\n"
            "from drivetrain.store.online import LmdbOnline\n"
            f"online = LmdbOnline(Path({str(online._shared.folder)!r}), 0.1, {self.durability!r})"
        )


class TestLmdbOnlineOnDisk(TestLmdbOnline):
    durability = "disk"
    examples = 5


def test_is_there_after_closing(tmp_path):
    with opened(tmp_path) as online:
        online.write("plane@1", [(b"N1", b"one")], mark=b"7")
    with opened(tmp_path) as online:
        assert online.read("plane@1", [b"N1"]) == [b"one"]
        assert online.mark("plane@1") == b"7"


def test_opens_twice_in_one_process(tmp_path):
    with opened(tmp_path) as one:
        with opened(tmp_path / "." / "x" / "..") as two:
            one.write("plane@1", [(b"N1", b"one")])
            assert two.read("plane@1", [b"N1"]) == [b"one"]
        assert one.read("plane@1", [b"N1"]) == [b"one"]


class Counted:
    """An environment that counts how often it is flushed."""

    def __init__(self, real):
        self.real = real
        self.flushes = 0

    def begin(self, **options):
        return self.real.begin(**options)

    def sync(self, *, force):
        assert force, "without it nothing is flushed where commits are not"
        self.flushes += 1
        self.real.sync(force)


@pytest.mark.parametrize(("durability", "flushes"), [("process", [0, 1, 1, 1]), ("disk", [0, 0, 0, 0])])
def test_a_fill_is_flushed_where_commits_are_not(tmp_path, monkeypatch, durability, flushes):
    with opened(tmp_path, durability=durability) as online:
        assert online._shared.environment.flags()["sync"] is (durability == "disk")
        assert not online._shared.environment.flags()["writemap"]
        counted = Counted(online._shared.environment)
        seen = []
        with monkeypatch.context() as patch:
            patch.setattr(online._shared, "environment", counted)
            online.write("plane@1", [(b"N1", b"one")])
            seen.append(counted.flushes)
            online.write("plane@1", [(b"N1", b"one")], mark=b"1")
            seen.append(counted.flushes)
            online.update("plane@1", adding(b"N2"))
            seen.append(counted.flushes)
            online.update("plane@1", adding(b"N2"), mark=b"2")
            seen.append(counted.flushes)
        assert seen == flushes


def test_who_asks_for_more_durability_than_is_open_is_refused(tmp_path):
    with (
        opened(tmp_path),
        pytest.raises(StoreError, match=r"found durability 'process'; expected durability 'disk'.*online_durability"),
    ):
        LmdbOnline(tmp_path, 0.1, "disk")
    with opened(tmp_path, durability="disk") as strict, opened(tmp_path) as lax:
        assert lax._shared is strict._shared
        assert lax._shared.environment.flags()["sync"]


UPDATE = """
import sys
from pathlib import Path
from drivetrain.store.online import LmdbOnline
from drivetrain.testing.kill import armed
from drivetrain.testing.online import adding
online = LmdbOnline(Path(sys.argv[1]), 0.1)
armed()
while True:
    online.update("plane@1", adding(b"one", b"two"))
    print(online.read("plane@1", [b"one"])[0].decode())
"""


def test_updates_that_were_acknowledged_outlive_a_kill(tmp_path):
    last = 0
    for lines in (1, 20, 300):
        ending = run_killed(UPDATE, str(tmp_path), lines=lines)
        assert ending.killed
        with opened(tmp_path) as online:
            one, two = online.read("plane@1", [b"one", b"two"])
            assert one == two
            assert int(one) >= int(ending.lines[-1]) >= last + lines
            last = int(one)


@pytest.mark.parametrize("there", [[], [0], [150], [299], [7, 8, 200], range(300), [-1], [300], [-1, 300]])
def test_many_keys_read_in_an_update_are_found_wherever_rows_are(tmp_path, there):
    """Nothing between the first and the last of them is one look, and one that must not pass over a row."""
    keys = [b"k%03d" % number for number in range(1, 301)]
    kept = {b"k%03d" % (number + 1): b"%d" % number for number in there}
    seen = []

    def change(read):
        seen.extend(read(keys[::-1]))
        return [(key, b"new") for key in keys]

    with opened(tmp_path) as online:
        online.write("other@1", [(key, b"of another space") for key in keys])
        online.write("plane@1", kept.items())
        online.update("plane@1", change)
        assert seen == [kept.get(key) for key in keys[::-1]]
        assert set(online.read("plane@1", keys)) == {b"new"}
        assert online.spaces() == {"other@1": 300, "plane@1": len({*keys, *kept})}


def test_what_is_known_of_a_space_is_written_only_when_it_changes(tmp_path, monkeypatch):
    with opened(tmp_path) as online:
        online.update("plane@1", adding(b"N1"), mark=b"1")
        monkeypatch.setattr("drivetrain.store.online._encode", None)
        online.update("plane@1", adding(b"N1"))
        online.update("plane@1", adding(b"N1"), mark=b"1")
        online.write("plane@1", [(b"N1", b"7")], mark=b"1")
        assert online.read("plane@1", [b"N1"]) == [b"7"]


def test_rows_that_are_there_are_written_again_without_a_count(tmp_path, monkeypatch):
    with opened(tmp_path) as online:
        for _ in range(2):  # the second finds what the first has said of the space
            online.update("plane@1", adding(b"N1", b"N2"))
        with monkeypatch.context() as patch:
            patch.setattr("drivetrain.store.online._decode", None)
            online.update("plane@1", adding(b"N2", b"N1"))
        online.update("plane@1", adding(b"N2", b"N3"))
        assert online.read("plane@1", [b"N1", b"N2", b"N3"]) == [b"3", b"4", b"1"]
        assert online.spaces() == {"plane@1": 3}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_has_an_environment_of_its_own(tmp_path):
    def work(online):
        assert online.read("plane@1", [b"N1"]) == [b"one"]
        online.write("plane@1", [(b"N2", str(os.getpid()).encode())])

    with opened(tmp_path) as online:
        online.write("plane@1", [(b"N1", b"one")])
        child = multiprocessing.get_context("fork").Process(target=work, args=(online,))
        child.start()
        child.join()
        assert child.exitcode == 0
        assert online.read("plane@1", [b"N1", b"N2"]) == [b"one", str(child.pid).encode()]
        online.write("plane@1", [(b"N3", b"three")])


def test_readers_in_threads_see_whole_writes(tmp_path):
    keys = [b"%d" % number for number in range(20)]
    with opened(tmp_path) as online:
        online.write("plane@1", [(key, b"0") for key in keys])
        torn = []
        done = threading.Event()

        def read():
            while not done.is_set():
                found = set(online.read("plane@1", keys))
                if len(found) != 1:
                    torn.append(found)

        readers = [threading.Thread(target=read) for _ in range(3)]
        for reader in readers:
            reader.start()
        for round_ in range(100):
            online.write("plane@1", [(key, b"%d" % round_) for key in keys])
        done.set()
        for reader in readers:
            reader.join()
        assert torn == []


def test_a_full_map_is_one_plain_error_and_harms_nothing(tmp_path):
    with opened(tmp_path, gib=1 / 1024) as online:
        online.write("plane@1", [(b"N1", b"one")], mark=b"1")
        with pytest.raises(StoreError, match=r"full.*online_gib"):
            online.write("plane@1", [(b"%d" % number, bytes(1000)) for number in range(2000)], mark=b"2")
        assert online.read("plane@1", [b"N1", b"7"]) == [b"one", None]
        assert online.mark("plane@1") == b"1"
        assert online.spaces() == {"plane@1": 1}
        online.write("plane@1", [(b"N1", b"two")])


def test_damage_is_named(tmp_path):
    (tmp_path / "data.mdb").write_bytes(b"junk" * 5000)
    with pytest.raises(StoreError, match=r"can't be opened.*delete the folder"):
        LmdbOnline(tmp_path, 0.1)


def test_a_place_that_is_a_file_is_named(tmp_path):
    (tmp_path / "online").write_text("not a folder")
    with pytest.raises(StoreError, match="can't be made"):
        LmdbOnline(tmp_path / "online", 0.1)


def test_a_full_table_of_readers_is_cleared_of_dead_ones_once(tmp_path):
    class Crowded:
        """An environment whose reader table is full until it is checked."""

        def __init__(self, real):
            self.real = real
            self.checked = 0

        def begin(self):
            if not self.checked:
                raise lmdb.ReadersFullError("full")
            return self.real.begin()

        def reader_check(self):
            self.checked += 1

    with opened(tmp_path) as online:
        online.write("plane@1", [(b"N1", b"one")])
        real = online._shared.environment
        online._shared.environment = crowded = Crowded(real)
        try:
            assert online.read("plane@1", [b"N1"]) == [b"one"]
            assert crowded.checked == 1
        finally:
            online._shared.environment = real


def test_spaces_whose_digests_meet_are_refused(tmp_path):
    with opened(tmp_path) as online:
        online.write("plane@1", [(b"N1", b"one")])
        online._prefix["other@1"] = online._prefix["plane@1"]
        with pytest.raises(StoreError, match="same digest"):
            online.write("other@1", [(b"N1", b"two")])
