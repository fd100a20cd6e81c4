"""Going once over what a place says is new, and knowing afterwards what was there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, TypeAlias

import msgspec

from drivetrain.core.hashing import Digest, digest

Value: TypeAlias = str | int | float
_SHORT = 16
_MOST_EDGE = 10_000


class Sweep(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far a place has been read that is asked "what is new since …?".

    Rows may come in any order, so only a whole sweep moves ``since`` forward: to the greatest value that it saw. Rows
    that share that value may come again or later; those that were seen are known by their digests (``edge``).
    """

    since: Value | None = None
    edge: tuple[str, ...] = ()
    high: Value | None = None
    """Greatest value of the sweep that is under way."""
    high_edge: tuple[str, ...] = ()
    next: str | None = None
    """Where the sweep that is under way goes on; none if it begins."""
    part: str | None = None
    """Digest of rows that are in, of what lies between here and the next place to go on from. It is only there to tell
    two processes apart that were given the same rows in different orders; reading begins at ``next`` in any case."""
    pages: tuple[str, ...] = ()
    """Digest of each page, where there is nothing to ask "since" by: what has not changed is not taken in again."""

    @staticmethod
    def of(cursor: str) -> Sweep:
        """Out of a reader's cursor."""
        return msgspec.structs.replace(_decode(cursor), part=None) if cursor else Sweep()

    @property
    def cursor(self) -> str:
        """As a reader's cursor."""
        return msgspec.json.encode(self).decode()

    def unseen(self, rows: Sequence[dict[str, Any]], column: str | None) -> list[dict[str, Any]]:
        """The rows that were not there at the end of the last sweep."""
        if column is None or self.since is None:
            return list(rows)
        edge = set(self.edge)
        return [row for row in rows if plain(row.get(column)) != self.since or short_digest(row) not in edge]

    def after(self, rows: Sequence[dict[str, Any]], column: str | None) -> Sweep:
        """The sweep when these rows have been seen."""
        if column is None:
            return self
        high, edge = self.high, list(self.high_edge)
        for row in rows:
            value = plain(row.get(column))
            if value is None or (high is not None and not _comparable(value, high)):
                continue
            if high is None or value > high:  # type: ignore[operator]
                high, edge = value, []
            if value == high and len(edge) < _MOST_EDGE:
                edge.append(short_digest(row))
        return msgspec.structs.replace(self, high=high, high_edge=tuple(edge))

    def ended(self, pages: Sequence[str] = ()) -> Sweep:
        """The sweep when it is over: the next one asks for what is newer."""
        since, edge = self.since, self.edge
        if self.high is not None and (since is None or (_comparable(self.high, since) and self.high > since)):  # type: ignore[operator]
            since, edge = self.high, self.high_edge
        elif self.high == since:
            edge = tuple(dict.fromkeys((*edge, *self.high_edge)))
        return Sweep(since=since, edge=edge, pages=tuple(pages))


_decode = msgspec.json.Decoder(Sweep).decode  # not made in a thread


def plain(value: object) -> Value | None:
    """A cursor's value as JSON holds it."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value if isinstance(value, str | int | float) else None


def short_digest(value: object) -> Digest:
    """Enough of a digest to tell the rows of one moment apart."""
    return digest(value)[:_SHORT]


def _comparable(one: Value, other: Value) -> bool:
    return isinstance(one, str) == isinstance(other, str)
