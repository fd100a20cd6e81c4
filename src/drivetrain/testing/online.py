"""What every online store must do."""

from __future__ import annotations

import os
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from textwrap import dedent

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from drivetrain.core.protocols import OnlineStore, Reader
from drivetrain.store.memory import MemoryOnline
from drivetrain.testing.kill import run_killed

Change = Callable[[Reader], Iterable[tuple[bytes, bytes | None]]]

_spaces = st.sampled_from(["plane@1", "plane@2", "ß"])
_keys = st.sampled_from([b"", b"\0", b"a", b"b", b"ab", b"\xff", b"x" * 503, b"x" * 504, b"x" * 600, b"x" * 599 + b"y"])
_values = st.binary(max_size=20)


class OnlineConformance(ABC):
    """Inherit, name the class ``Test…``, and say how to open an empty store."""

    examples = 30
    """How many random histories to try."""

    @abstractmethod
    def fresh(self) -> AbstractContextManager[OnlineStore]:
        """An empty store, closed at the end."""

    @pytest.fixture
    def online(self) -> Iterator[OnlineStore]:
        """An empty store."""
        with self.fresh() as online:
            yield online

    def test_is_empty_at_first(self, online: OnlineStore) -> None:
        """Nothing is found, nothing raises."""
        assert online.read("plane@1", [b"N1", b"N2"]) == [None, None]
        assert online.read_many([("plane@1", b"N1")]) == [None]
        assert online.mark("plane@1") is None
        assert online.spaces() == {}
        online.delete("plane@1", [b"N1"])
        online.drop("plane@1")
        assert online.spaces() == {}

    def test_names_its_keys(self, online: OnlineStore) -> None:
        """Those of one space, and no others."""
        assert online.keys("plane@1") == []
        online.write("plane@1", [(b"N1", b"one"), (b"\xff", b"two")], mark=b"1")
        online.write("carrier@1", [(b"N3", b"other")])
        assert sorted(online.keys("plane@1")) == [b"N1", b"\xff"]
        online.drop("plane@1")
        assert online.keys("plane@1") == []

    def test_reads_in_the_order_asked(self, online: OnlineStore) -> None:
        """Repeats and gaps included."""
        online.write("plane@1", [(b"N1", b"one"), (b"N2", b"two")])
        online.write("carrier@1", [(b"N1", b"other")])
        assert online.read("plane@1", [b"N2", b"N3", b"N1", b"N2"]) == [b"two", None, b"one", b"two"]
        assert online.read("plane@1", []) == []
        asks = [("carrier@1", b"N1"), ("plane@1", b"N1"), ("none@1", b"N1")]
        assert online.read_many(asks) == [b"other", b"one", None]

    def test_shows_rows_in_place_in_the_order_asked(self, online: OnlineStore) -> None:
        """Space after space, gaps included; what is made of them is given back."""
        online.write("plane@1", [(b"N1", b"one"), (b"N2", b"two"), (b"x" * 600, b"long")])
        online.write("carrier@1", [(b"N1", b"other")])
        asks = [("plane@1", [b"N2", b"N3", b"N1"]), ("carrier@1", [b"N1"]), ("none@1", [b"N1"]), ("plane@1", [])]

        def copied(rows: Sequence[bytes | memoryview | None]) -> list[bytes | None]:
            return [None if row is None else bytes(row) for row in rows]

        assert online.read_in_place(asks, copied) == [b"two", None, b"one", b"other", None]
        assert online.read_in_place([("plane@1", [b"x" * 600, b"N1"])], copied) == [b"long", b"one"]
        assert online.read_in_place([], copied) == []

    @pytest.mark.parametrize("length", [500, 503, 504, 511, 512, 5000])
    def test_takes_keys_of_any_length(self, online: OnlineStore, length: int) -> None:
        """Long keys that differ in one place are different keys."""
        keys = [b"x" * (length - 1) + end for end in (b"a", b"b", b"c")]
        online.write("plane@1", [(keys[0], b"one"), (keys[1], b"two")])
        assert online.read("plane@1", keys) == [b"one", b"two", None]
        assert online.read_many([("plane@1", key) for key in keys]) == [b"one", b"two", None]
        online.delete("plane@1", keys[:1])
        assert online.read("plane@1", keys) == [None, b"two", None]
        assert online.spaces() == {"plane@1": 1}

    def test_replaces_and_counts(self, online: OnlineStore) -> None:
        """The last write of a key stands; a key counts once."""
        online.write("plane@1", [(b"N1", b"one"), (b"N1", b"two"), (b"N2", b"")])
        online.write("plane@1", [(b"N1", b"three")])
        assert online.read("plane@1", [b"N1", b"N2"]) == [b"three", b""]
        assert online.spaces() == {"plane@1": 2}
        online.delete("plane@1", [b"N1", b"N1", b"N9"])
        assert online.spaces() == {"plane@1": 1}
        assert online.read("plane@1", [b"N1", b"N2"]) == [None, b""]

    def test_sets_the_mark_with_the_rows(self, online: OnlineStore) -> None:
        """A write without one leaves it."""
        online.write("plane@1", [(b"N1", b"one")], mark=b"7")
        assert online.mark("plane@1") == b"7"
        online.write("plane@1", [(b"N2", b"two")])
        assert online.mark("plane@1") == b"7"
        online.write("plane@1", [], mark=b"")
        assert online.mark("plane@1") == b""
        assert online.mark("plane@2") is None

    def test_keeps_nothing_of_a_write_that_fails(self, online: OnlineStore) -> None:
        """Rows before the failure, and the mark, are not there."""

        def rows() -> Iterator[tuple[bytes, bytes]]:
            yield b"N1", b"new"
            raise RuntimeError("the caller's own")

        online.write("plane@1", [(b"N1", b"old")], mark=b"1")
        with pytest.raises(RuntimeError, match="own"):
            online.write("plane@1", rows(), mark=b"2")
        assert online.read("plane@1", [b"N1"]) == [b"old"]
        assert online.mark("plane@1") == b"1"

    def test_updates_what_is_there(self, online: OnlineStore) -> None:
        """A change is given the rows as they are; what it returns is kept, ``None`` deletes."""
        online.write("plane@1", [(b"N1", b"one"), (b"N2", b"two"), (b"N3", b"three")])

        def change(read: Reader) -> list[tuple[bytes, bytes | None]]:
            one, none, two = read([b"N1", b"N4", b"N2"])
            assert (one, none, two) == (b"one", None, b"two")
            return [(b"N1", b"one more"), (b"N2", None), (b"N4", b"four"), (b"N4", b"for"), (b"N5", None)]

        online.update("plane@1", change)
        keys = [b"N1", b"N2", b"N3", b"N4", b"N5"]
        assert online.read("plane@1", keys) == [b"one more", None, b"three", b"for", None]
        assert online.spaces() == {"plane@1": 3}
        assert online.mark("plane@1") is None

    def test_update_does_not_see_what_it_writes(self, online: OnlineStore) -> None:
        """Not even where the change is a generator that reads after it yielded."""
        online.write("plane@1", [(b"N1", b"old")])

        def change(read: Reader) -> Iterator[tuple[bytes, bytes | None]]:
            yield b"N1", b"new"
            yield b"N2", read([b"N1"])[0]

        online.update("plane@1", change)
        assert online.read("plane@1", [b"N1", b"N2"]) == [b"new", b"old"]

    def test_update_counts_rows_once(self, online: OnlineStore) -> None:
        """A key that comes and goes, or was not there, changes no count and makes no space."""
        online.update("plane@1", lambda _: [(b"N1", None)])
        online.update("plane@1", lambda _: [(b"N1", b"one"), (b"N1", None)])
        online.update("plane@1", lambda _: [])
        assert online.spaces() == {}
        online.update("plane@1", lambda _: [(b"N1", None), (b"N1", b"one"), (b"N2", b"two")])
        assert online.spaces() == {"plane@1": 2}
        online.update("plane@1", lambda _: [(b"N1", None), (b"N2", None), (b"N3", b"three"), (b"N3", None)])
        assert online.spaces() == {"plane@1": 0}

    def test_update_sets_the_mark_with_the_rows(self, online: OnlineStore) -> None:
        """One without a mark leaves it; one without rows sets it."""
        online.update("plane@1", lambda _: [(b"N1", b"one")], mark=b"7")
        assert online.mark("plane@1") == b"7"
        online.update("plane@1", lambda _: [(b"N1", None)])
        assert online.mark("plane@1") == b"7"
        online.update("plane@1", lambda _: [], mark=b"")
        assert online.mark("plane@1") == b""
        assert online.spaces() == {"plane@1": 0}

    def test_keeps_nothing_of_an_update_that_fails(self, online: OnlineStore) -> None:
        """Rows before the failure, and the mark, are not there; the next update is not held up."""

        def change(read: Reader) -> Iterator[tuple[bytes, bytes | None]]:
            yield b"N1", None
            yield b"N2", read([b"N1"])[0]
            raise RuntimeError("the caller's own")

        online.write("plane@1", [(b"N1", b"old")], mark=b"1")
        with pytest.raises(RuntimeError, match="own"):
            online.update("plane@1", change, mark=b"2")
        assert online.read("plane@1", [b"N1", b"N2"]) == [b"old", None]
        assert online.mark("plane@1") == b"1"
        assert online.spaces() == {"plane@1": 1}
        online.update("plane@1", lambda _: [(b"N2", b"two")], mark=b"2")
        assert online.mark("plane@1") == b"2"

    @pytest.mark.parametrize("length", [503, 504, 5000])
    def test_updates_keys_of_any_length(self, online: OnlineStore, length: int) -> None:
        """Long keys are read and kept as short ones are."""
        key = b"x" * length
        for _ in range(3):
            online.update("plane@1", adding(key))
        assert online.read("plane@1", [key]) == [b"3"]
        assert online.spaces() == {"plane@1": 1}

    def test_updates_from_threads_lose_nothing(self, online: OnlineStore) -> None:
        """What one thread read nobody changes until it has written."""
        with ThreadPoolExecutor(4) as pool:
            done = [pool.submit(online.update, "plane@1", adding(b"all", b"%d" % (n % 4))) for n in range(200)]
        assert [one.result() for one in done] == [None] * 200
        assert online.read("plane@1", [b"all", b"0", b"1", b"2", b"3"]) == [b"200", b"50", b"50", b"50", b"50"]
        assert online.spaces() == {"plane@1": 5}

    def test_a_scrub_leaves_what_was_not_deleted(self, online: OnlineStore) -> None:
        """Rows, keys, marks and counts are what they were."""
        online.write("plane@1", [(b"N%03d" % n, b"row %d " % n * (n + 1)) for n in range(400)], mark=b"7")
        online.delete("plane@1", [b"N%03d" % n for n in range(0, 400, 3)])
        online.scrub()
        left = [n for n in range(400) if n % 3]
        assert online.read("plane@1", [b"N%03d" % n for n in left]) == [b"row %d " % n * (n + 1) for n in left]
        assert online.spaces() == {"plane@1": len(left)}
        assert online.mark("plane@1") == b"7"
        online.write("plane@1", [(b"N000", b"again")])
        assert sorted(online.keys("plane@1"))[:2] == [b"N000", b"N001"]

    def test_drops_a_space_whole(self, online: OnlineStore) -> None:
        """And leaves its neighbours."""
        online.write("plane@1", [(bytes([number]), b"row") for number in range(256)], mark=b"1")
        online.write("plane@2", [(b"N1", b"one")], mark=b"2")
        online.drop("plane@1")
        assert online.read("plane@1", [b"\0", b"\xff"]) == [None, None]
        assert online.mark("plane@1") is None
        assert online.spaces() == {"plane@2": 1}
        assert online.read("plane@2", [b"N1"]) == [b"one"]

    def test_agrees_with_a_model_over_random_histories(self) -> None:
        """Any sequence of calls ends as in :class:`~drivetrain.store.memory.MemoryOnline`."""

        class Bound(_OnlineMachine):
            def open(self) -> AbstractContextManager[OnlineStore]:
                return suite.fresh()

        suite = self
        run_state_machine_as_test(
            Bound,
            settings=settings(
                max_examples=self.examples,
                stateful_step_count=20,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )


class SharedOnlineConformance(OnlineConformance):
    """For stores that several processes share: say also how another one opens the same store."""

    @abstractmethod
    def elsewhere(self, online: OnlineStore) -> str:
        """Python lines that open, as ``online``, the store that this process has open."""

    def test_another_process_sees_commits_and_makes_its_own(self, online: OnlineStore) -> None:
        """Rows, marks and counts alike."""
        online.write("plane@1", [(b"N1", b"one")], mark=b"1")
        self._run(
            online,
            """
            assert online.read("plane@1", [b"N1"]) == [b"one"]
            assert online.mark("plane@1") == b"1"
            online.write("plane@1", [(b"N2", b"two")], mark=b"2")
            online.update("plane@1", lambda read: [(b"N3", read([b"N2"])[0]), (b"N1", None)])
            online.close()
            """,
        )
        assert online.read("plane@1", [b"N1", b"N2", b"N3"]) == [None, b"two", b"two"]
        assert (online.mark("plane@1"), online.spaces()) == (b"2", {"plane@1": 2})

    def test_updates_from_processes_lose_nothing(self, online: OnlineStore) -> None:
        """What one process read nobody changes until it has written."""
        code = """
            from drivetrain.testing.online import adding
            import sys
            for number in range(100):
                online.update("plane@1", adding(b"all", sys.argv[1].encode()), mark=b"%d" % number)
            online.close()
            """
        children = [self._start(online, code, str(number)) for number in range(3)]
        assert [child.wait() for child in children] == [0, 0, 0]
        assert online.read("plane@1", [b"all", b"0", b"1", b"2"]) == [b"300", b"100", b"100", b"100"]
        assert (online.mark("plane@1"), online.spaces()) == (b"99", {"plane@1": 4})

    def test_a_process_killed_inside_an_update_holds_nobody_up(self, online: OnlineStore) -> None:
        """And leaves nothing behind."""
        online.write("plane@1", [(b"N1", b"1")])
        code = """
            import time
            def change(read):
                yield b"N1", b"half"
                print("inside", read([b"N1"])[0].decode())
                time.sleep(60)
            online.update("plane@1", change)
            """
        ending = run_killed(self._code(online, code), lines=1)
        assert (ending.killed, ending.lines) == (True, ("inside 1",))
        online.update("plane@1", adding(b"N1"))
        assert online.read("plane@1", [b"N1"]) == [b"2"]

    def _code(self, online: OnlineStore, code: str) -> str:
        return f"{self.elsewhere(online)}\n{dedent(code)}"

    def _start(self, online: OnlineStore, code: str, *arguments: str) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        command = [sys.executable, "-c", self._code(online, code), *arguments]
        return subprocess.Popen(command, env=environment)  # noqa: S603 - our own interpreter on the suite's own code

    def _run(self, online: OnlineStore, code: str) -> None:
        with self._start(online, code) as child:
            assert child.wait() == 0


def adding(*keys: bytes) -> Change:
    """A change that adds one to the numbers of keys."""

    def change(read: Reader) -> list[tuple[bytes, bytes | None]]:
        return [(key, b"%d" % (int(row or 0) + 1)) for key, row in zip(keys, read(keys), strict=True)]

    return change


class _OnlineMachine(RuleBasedStateMachine):
    """Does the same to a store and to the model."""

    def open(self) -> AbstractContextManager[OnlineStore]:
        """The store under test."""
        raise NotImplementedError

    @initialize()
    def begin(self) -> None:
        """Opens both."""
        self.model = MemoryOnline()
        self.opened = self.open()
        self.real = self.opened.__enter__()

    @rule(space=_spaces, rows=st.lists(st.tuples(_keys, _values), max_size=5), mark=st.none() | _values)
    def write(self, space: str, rows: list[tuple[bytes, bytes]], mark: bytes | None) -> None:
        """Writes to both."""
        self.real.write(space, iter(rows), mark=mark)
        self.model.write(space, iter(rows), mark=mark)

    @rule(space=_spaces, keys=st.lists(_keys, max_size=5))
    def delete(self, space: str, keys: list[bytes]) -> None:
        """Deletes from both."""
        self.real.delete(space, keys)
        self.model.delete(space, keys)

    @rule(
        space=_spaces,
        keys=st.lists(_keys, max_size=3),
        rows=st.lists(st.tuples(_keys, st.none() | _values), max_size=5),
        mark=st.none() | _values,
    )
    def update(
        self, space: str, keys: Sequence[bytes], rows: list[tuple[bytes, bytes | None]], mark: bytes | None
    ) -> None:
        """Updates both, from the same rows."""
        seen = []

        def change(read: Reader) -> Iterator[tuple[bytes, bytes | None]]:
            yield from rows
            seen.append(found := read(keys))
            yield from ((key, (row or b"")[-9:] + b"+") for key, row in zip(keys, found, strict=True))

        self.real.update(space, change, mark=mark)
        self.model.update(space, change, mark=mark)
        assert seen[-1] == seen[-2]

    @rule(space=_spaces)
    def drop(self, space: str) -> None:
        """Drops from both."""
        self.real.drop(space)
        self.model.drop(space)

    @rule(space=_spaces, keys=st.lists(_keys, max_size=5))
    def read(self, space: str, keys: list[bytes]) -> None:
        """Both read the same."""
        assert self.real.read(space, keys) == self.model.read(space, keys)

    @rule(asks=st.lists(st.tuples(_spaces, _keys), max_size=5))
    def read_many(self, asks: list[tuple[str, bytes]]) -> None:
        """Both read the same."""
        assert self.real.read_many(asks) == self.model.read_many(asks)

    @invariant()
    def same(self) -> None:
        """Spaces and marks agree."""
        if hasattr(self, "real"):
            spaces = self.model.spaces()
            assert self.real.spaces() == spaces
            assert all(self.real.mark(space) == self.model.mark(space) for space in spaces)

    def teardown(self) -> None:
        """Closes it."""
        if hasattr(self, "opened"):
            self.opened.__exit__(None, None, None)
