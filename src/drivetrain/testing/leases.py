"""What all leases must do."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from drivetrain.core.clock import SECOND, Micros
from drivetrain.core.errors import LeaseLost
from drivetrain.core.protocols import Lease, Leases

_THREADS = 4
_ROUNDS = 15


class Hands:
    """A clock that moves when a test says so."""

    def __init__(self) -> None:
        self.now: Micros = 1_000 * SECOND

    def __call__(self) -> Micros:
        """The present moment."""
        return self.now

    def pass_(self, seconds: float) -> None:
        """Lets time go by."""
        self.now += round(seconds * SECOND)


class LeasesConformance(ABC):
    """Inherit, name the class ``Test…``, and say how to open leases that read a given clock."""

    examples = 30
    """How many random histories to try."""

    @abstractmethod
    def fresh(self, now: Callable[[], Micros]) -> AbstractContextManager[Leases]:
        """Leases that nobody holds."""

    @pytest.fixture
    def clock(self) -> Hands:
        """The clock that the leases read."""
        return Hands()

    @pytest.fixture
    def leases(self, clock: Hands) -> Iterator[Leases]:
        """Leases that nobody holds."""
        with self.fresh(clock) as leases:
            yield leases

    def test_has_one_holder_at_a_time(self, leases: Leases, clock: Hands) -> None:
        """Others wait until it has run out."""
        first = leases.acquire("watch", "a", 10)
        assert first is not None
        assert (first.name, first.holder, first.expires) == ("watch", "a", clock.now + 10 * SECOND)
        assert leases.acquire("watch", "b", 10) is None
        assert leases.acquire("other", "b", 10) is not None
        clock.pass_(9.999)
        assert leases.acquire("watch", "b", 10) is None
        clock.pass_(0.001)
        second = leases.acquire("watch", "b", 10)
        assert second is not None
        assert second.token > first.token

    def test_is_renewed_by_its_holder(self, leases: Leases, clock: Hands) -> None:
        """And by nobody who lost it."""
        first = _held(leases.acquire("watch", "a", 10))
        clock.pass_(9)
        longer = leases.renew(first, 10)
        assert (longer.token, longer.expires) == (first.token, clock.now + 10 * SECOND)
        clock.pass_(9)
        assert leases.acquire("watch", "b", 10) is None
        clock.pass_(2)
        assert leases.renew(longer, 10).token == first.token, "it ran out, but nobody took it"
        clock.pass_(10)
        _held(leases.acquire("watch", "b", 10))
        with pytest.raises(LeaseLost, match="watch"):
            leases.renew(longer, 10)
        clock.pass_(10)
        with pytest.raises(LeaseLost):
            leases.renew(longer, 10)

    def test_is_given_back(self, leases: Leases) -> None:
        """Then anybody may have it, under a greater token, and the one who gave it back may not renew."""
        first = _held(leases.acquire("watch", "a", 10))
        leases.release(first)
        leases.release(first)
        with pytest.raises(LeaseLost):
            leases.renew(first, 10)
        second = _held(leases.acquire("watch", "b", 10))
        assert second.token > first.token
        leases.release(first)
        assert leases.acquire("watch", "c", 10) is None

    def test_tells_two_lives_of_one_holder_apart(self, leases: Leases) -> None:
        """A holder that comes back after a crash gets its lease at once; its ghost can't renew."""
        ghost = _held(leases.acquire("watch", "a", 10))
        alive = _held(leases.acquire("watch", "a", 10))
        assert alive.token > ghost.token
        with pytest.raises(LeaseLost):
            leases.renew(ghost, 10)
        assert leases.renew(alive, 10).token == alive.token

    def test_lets_one_of_many_win(self, leases: Leases) -> None:
        """Threads that ask at once: one has it, and the tokens of all winners differ."""
        winners: list[Lease] = []
        held = threading.Lock()
        start = threading.Barrier(_THREADS)

        def contend(me: int) -> None:
            start.wait()
            for _ in range(_ROUNDS):
                lease = leases.acquire("watch", f"thread {me}", 1_000)
                if lease is not None:
                    assert held.acquire(blocking=False), "two hold it at once"
                    winners.append(lease)
                    held.release()
                    leases.release(lease)

        threads = [threading.Thread(target=contend, args=(me,)) for me in range(_THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        tokens = [lease.token for lease in winners]
        assert winners
        assert len(set(tokens)) == len(tokens)

    def test_agrees_with_a_model_over_random_histories(self) -> None:
        """Never two holders, tokens only grow, and who holds it is who the rule says."""

        class Bound(_LeaseMachine):
            def open(self, now: Callable[[], Micros]) -> AbstractContextManager[Leases]:
                return suite.fresh(now)

        suite = self
        run_state_machine_as_test(
            Bound,
            settings=settings(
                max_examples=self.examples,
                stateful_step_count=30,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )


class _LeaseMachine(RuleBasedStateMachine):
    """One name, three holders, and the rule written out in plain Python."""

    def open(self, now: Callable[[], Micros]) -> AbstractContextManager[Leases]:
        """The leases under test."""
        raise NotImplementedError

    @initialize()
    def begin(self) -> None:
        """Opens them."""
        self.clock = Hands()
        self.opened = self.open(self.clock)
        self.leases = self.opened.__enter__()
        self.current: Lease | None = None
        self.token = 0
        self.ever: list[Lease] = []

    @rule(holder=st.sampled_from("abc"), seconds=st.sampled_from([1, 5]))
    def acquire(self, holder: str, seconds: int) -> None:
        """Somebody asks."""
        free = self.current is None or self.current.expires <= self.clock.now or self.current.holder == holder
        lease = self.leases.acquire("watch", holder, seconds)
        assert (lease is not None) == free
        if lease is not None:
            assert lease.token > self.token
            self.token = lease.token
            self.current = lease
            self.ever.append(lease)

    @rule(which=st.integers(0, 5), seconds=st.sampled_from([1, 5]))
    def renew(self, which: int, seconds: int) -> None:
        """Somebody who has, or had, it renews."""
        for lease in self.ever[-1 - which :][:1]:
            if self.current is not None and self.current.token == lease.token:
                self.current = self.leases.renew(lease, seconds)
                assert self.current.expires == self.clock.now + seconds * SECOND
            else:
                with pytest.raises(LeaseLost):
                    self.leases.renew(lease, seconds)

    @rule(which=st.integers(0, 5))
    def release(self, which: int) -> None:
        """Somebody who has, or had, it gives it back."""
        for lease in self.ever[-1 - which :][:1]:
            self.leases.release(lease)
            if self.current is not None and self.current.token == lease.token:
                self.current = None

    @rule(seconds=st.sampled_from([0.5, 1, 5]))
    def wait(self, seconds: float) -> None:
        """Time goes by."""
        self.clock.pass_(seconds)

    def teardown(self) -> None:
        """Closes them."""
        if hasattr(self, "opened"):
            self.opened.__exit__(None, None, None)


def _held(lease: Lease | None) -> Lease:
    assert lease is not None
    return lease
