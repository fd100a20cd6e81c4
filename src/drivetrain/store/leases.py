"""Leases: the right to work on something until it expires, in the catalog's database."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import bindparam, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from drivetrain.core.clock import SECOND, Micros
from drivetrain.core.clock import now as _present
from drivetrain.core.errors import LeaseLost, StoreError
from drivetrain.core.protocols import Lease, Leases
from drivetrain.store.database import Database
from drivetrain.store.schema import leases as _leases

_NOBODY = ""
_FREE = or_(_leases.c.expires <= bindparam("now"), _leases.c.holder == bindparam("who"))
_TAKE = (
    update(_leases)
    .where(_leases.c.name == bindparam("what"), _FREE)
    .values(holder=bindparam("who"), token=_leases.c.token + 1, expires=bindparam("until"))
)
_TOKEN = select(_leases.c.token).where(_leases.c.name == bindparam("what"))
_MINE = (
    (_leases.c.name == bindparam("what"))
    & (_leases.c.holder == bindparam("who"))
    & (_leases.c.token == bindparam("which"))
)
_PROLONG = update(_leases).where(_MINE).values(expires=bindparam("until"))
_RELEASE = update(_leases).where(_MINE).values(holder=_NOBODY, expires=0)


class SqlLeases:
    """:class:`~drivetrain.core.protocols.Leases` by compare-and-set, in a database that ``migrate`` made ready.

    Every acquisition takes a new token, a holder's own again too: of two processes that go by one name, only the
    later can renew.

    Args:
        database: Where the leases are.
        now: The clock that decides what has expired; all holders' clocks must roughly agree.
    """

    def __init__(self, database: Database, now: Callable[[], Micros] = _present) -> None:
        self._database = database
        self._now = now

    def acquire(self, name: str, holder: str, seconds: float) -> Lease | None:
        """The lease, or ``None`` while somebody else's has not expired."""
        now = self._now()
        until = now + round(seconds * SECOND)
        with self._database.writing() as connection:
            taken = connection.execute(_TAKE, {"what": name, "who": holder, "now": now, "until": until}).rowcount
            token = connection.execute(_TOKEN, {"what": name}).scalar()
            if not taken and token is not None:
                return None
            if token is None:
                token = 1
                new = {"name": name, "holder": holder, "token": token, "expires": until}
                try:
                    connection.execute(insert(_leases), new)
                except IntegrityError:  # somebody else came first, between our look and our insert
                    return None
        return Lease(name, holder, token, until)

    def renew(self, lease: Lease, seconds: float) -> Lease:
        """The same lease, longer; raises :class:`LeaseLost` if another holder has, or had, it."""
        until = self._now() + round(seconds * SECOND)
        named = {"what": lease.name, "who": lease.holder, "which": lease.token}
        with self._database.writing() as connection:
            if not connection.execute(_PROLONG, {**named, "until": until}).rowcount:
                raise lost(lease)
        return Lease(lease.name, lease.holder, lease.token, until)

    def release(self, lease: Lease) -> None:
        """Gives it back; one that is lost already changes nothing."""
        with self._database.writing() as connection:
            connection.execute(_RELEASE, {"what": lease.name, "who": lease.holder, "which": lease.token})


def lost(lease: Lease) -> LeaseLost:
    """The error for a lease that is no longer its holder's."""
    return LeaseLost(
        f"the lease on {lease.name} is no longer {lease.holder}'s",
        do="Stop what it was held for; whoever holds it now carries on",
    )


class Heartbeat:
    """Keeps one lease alive; :func:`heartbeat` runs it in a thread.

    Args:
        leases: Where the lease is from.
        lease: The lease, just acquired.
        seconds: How long each renewal lasts.
        monotonic: A clock in seconds that only runs forward.
    """

    def __init__(
        self, leases: Leases, lease: Lease, seconds: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.lease = lease
        """As last renewed."""
        self._leases = leases
        self._seconds = seconds
        self._monotonic = monotonic
        self._safe_until = monotonic() + seconds
        self._error: LeaseLost | None = None

    def beat(self) -> bool:
        """Renews once; a store that is away for a moment is asked again while the lease still runs.

        Returns:
            Whether the lease is still held.
        """
        asked = self._monotonic()
        try:
            self.lease = self._leases.renew(self.lease, self._seconds)
            self._safe_until = asked + self._seconds
        except LeaseLost as error:
            self._error = error
        except StoreError as error:
            if self._monotonic() >= self._safe_until:
                self._error = lost(self.lease)
                self._error.__cause__ = error
        return self._error is None

    def check(self) -> None:
        """Says that the lease is still held, as far as can be known without asking.

        Raises:
            LeaseLost: Another holder has it, or it was too long since the last renewal.
        """
        if self._error is not None:
            raise self._error
        if self._monotonic() >= self._safe_until:
            raise lost(self.lease)


@contextmanager
def heartbeat(leases: Leases, lease: Lease, seconds: float, *, every: float | None = None) -> Iterator[Heartbeat]:
    """Renews a lease while the block runs, and releases it at the end.

    Args:
        leases: Where the lease is from.
        lease: The lease, just acquired.
        seconds: How long each renewal lasts.
        every: Seconds from one renewal to the next; a third of ``seconds`` by default.

    Raises:
        LeaseLost: At the end of a block that raised nothing itself, if the lease was lost meanwhile.
    """
    pulse = Heartbeat(leases, lease, seconds)
    pause = seconds / 3 if every is None else every
    over = threading.Event()

    def run() -> None:
        while not over.wait(pause) and pulse.beat():
            pass

    thread = threading.Thread(target=run, name=f"heartbeat:{lease.name}", daemon=True)
    thread.start()
    try:
        yield pulse
        pulse.check()
    finally:
        over.set()
        thread.join()
        leases.release(pulse.lease)
