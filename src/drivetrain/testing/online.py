"""What every online store must do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from drivetrain.core.protocols import OnlineStore
from drivetrain.store.memory import MemoryOnline

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

    def test_reads_in_the_order_asked(self, online: OnlineStore) -> None:
        """Repeats and gaps included."""
        online.write("plane@1", [(b"N1", b"one"), (b"N2", b"two")])
        online.write("carrier@1", [(b"N1", b"other")])
        assert online.read("plane@1", [b"N2", b"N3", b"N1", b"N2"]) == [b"two", None, b"one", b"two"]
        assert online.read("plane@1", []) == []
        asks = [("carrier@1", b"N1"), ("plane@1", b"N1"), ("none@1", b"N1")]
        assert online.read_many(asks) == [b"other", b"one", None]

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
