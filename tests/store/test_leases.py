from __future__ import annotations

import itertools
import threading
from contextlib import contextmanager

import pytest

from drivetrain.core.errors import LeaseLost, StoreError
from drivetrain.core.protocols import Lease
from drivetrain.store.database import Database
from drivetrain.store.leases import Heartbeat, SqlLeases, heartbeat
from drivetrain.store.memory import MemoryLeases
from drivetrain.store.migrate import migrate
from drivetrain.testing.leases import LeasesConformance


@contextmanager
def opened(database, now):
    migrate(database)
    try:
        yield SqlLeases(database, now)
    finally:
        database.close()


class TestMemoryLeases(LeasesConformance):
    @contextmanager
    def fresh(self, now):
        yield MemoryLeases(now)


class TestSqliteLeases(LeasesConformance):
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path):
        self.paths = (tmp_path / str(number) for number in itertools.count())

    def fresh(self, now):
        return opened(Database("sqlite:///catalog.db", next(self.paths)), now)


@pytest.mark.services
class TestPostgresLeases(LeasesConformance):
    examples = 10

    @pytest.fixture(autouse=True)
    def server(self, postgres, tmp_path):
        self.postgres = postgres
        self.folder = tmp_path

    def fresh(self, now):
        return opened(Database(self.postgres.fresh(), self.folder), now)


class Clock:
    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds

    def micros(self):
        return round(self.seconds * 1e6)


class Moody(MemoryLeases):
    """Leases whose store is away when told to be, and that say when they were renewed."""

    def __init__(self, now):
        super().__init__(now)
        self.away = False
        self.renewed = threading.Semaphore(0)

    def renew(self, lease, seconds):
        if self.away:
            raise StoreError("the catalog is away")
        try:
            return super().renew(lease, seconds)
        finally:
            self.renewed.release()


def test_a_beat_renews():
    clock = Clock()
    leases = MemoryLeases(clock.micros)
    pulse = Heartbeat(leases, leases.acquire("watch", "a", 9), 9, clock)
    for _ in range(5):
        clock.seconds += 8
        assert pulse.beat()
        pulse.check()
    assert pulse.lease.expires == 49_000_000
    clock.seconds += 9
    with pytest.raises(LeaseLost):
        pulse.check()


def test_a_lost_lease_stays_lost():
    clock = Clock()
    leases = MemoryLeases(clock.micros)
    pulse = Heartbeat(leases, leases.acquire("watch", "a", 9), 9, clock)
    clock.seconds += 9
    leases.acquire("watch", "b", 9)
    assert not pulse.beat()
    with pytest.raises(LeaseLost, match=r"watch.*a's"):
        pulse.check()


def test_a_store_that_is_away_for_a_moment_loses_nothing():
    clock = Clock()
    leases = Moody(clock.micros)
    pulse = Heartbeat(leases, leases.acquire("watch", "a", 9), 9, clock)
    leases.away = True
    clock.seconds += 3
    assert pulse.beat()
    pulse.check()
    clock.seconds += 6
    assert not pulse.beat()
    with pytest.raises(LeaseLost) as caught:
        pulse.check()
    assert isinstance(caught.value.__cause__, StoreError)


def test_heartbeat_renews_in_a_thread_and_releases_at_the_end():
    leases = Moody(lambda: 0)
    with heartbeat(leases, leases.acquire("watch", "a", 0.03), 30) as pulse:
        assert pulse.lease.holder == "a"
        assert leases.acquire("watch", "b", 9) is None
    assert leases.acquire("watch", "b", 9) is not None


def test_heartbeat_really_beats():
    leases = Moody(lambda: 0)
    with heartbeat(leases, leases.acquire("watch", "a", 60), 600, every=0.01) as pulse:
        for _ in range(3):
            assert leases.renewed.acquire(timeout=60)
        first = pulse.lease.token
    assert first == 1


def test_heartbeat_says_at_the_end_that_the_lease_was_lost():
    leases = Moody(lambda: 0)
    lease = leases.acquire("watch", "a", 60)
    stolen = []

    def work():
        with heartbeat(leases, lease, 600, every=0.01):
            stolen.append(leases.acquire("watch", "a", 60))
            assert leases.renewed.acquire(timeout=60)

    with pytest.raises(LeaseLost):
        work()
    assert leases.renew(stolen[0], 60).token == stolen[0].token, "the end of the loser releases nobody else's lease"


def test_heartbeat_leaves_the_blocks_own_error_alone():
    leases = Moody(lambda: 0)
    with pytest.raises(ZeroDivisionError), heartbeat(leases, leases.acquire("watch", "a", 0), 0.001):
        raise ZeroDivisionError


def test_a_lease_is_a_value():
    assert Lease("a", "b", 1, 2) == Lease("a", "b", 1, 2)
