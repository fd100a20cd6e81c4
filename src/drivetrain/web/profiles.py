"""A table's columns as its page draws them: what they hold now, how that has moved, what the contract says."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from drivetrain.core.errors import NotFound, RequestError
from drivetrain.data.compare import Moved
from drivetrain.data.profile import LAYOUT, TableProfile
from drivetrain.data.source import Source
from drivetrain.loop.data import ColumnFigures, TableFigures
from drivetrain.loop.history import Course, History
from drivetrain.web.definitions import ColumnWords
from drivetrain.web.desk import Desk

_TIMES = ("Datetime", "Date")
NOTHING = "none"
"""Stands for no version to compare with."""


class Seen(msgspec.Struct, frozen=True):
    """One column: its figures, its course over the versions, and what is declared of it; none where there is none."""

    name: str
    figures: ColumnFigures | None
    course: Course | None
    words: ColumnWords | None

    @property
    def steady(self) -> bool:
        """Whether its share of empty values never moved."""
        return self.course is None or len({share for share in self.course.nulls if share is not None}) < 2


class Choice(msgspec.Struct, frozen=True):
    """Which version is shown, which it is compared with, and whether the first is profiled."""

    version: int
    against: int | None
    profiled: bool
    versions: tuple[int, ...]
    """Those that are profiled, newest first."""


def choose(desk: Desk, history: History, version: str, against: str) -> Choice:
    """The versions that an address names; the newest profiled one, and the one before it, where it names none.

    Raises:
        RequestError: It names no number.
        NotFound: There is no such version, or it is not profiled and can't be compared with.
    """
    known = tuple(reversed(history.profiled))
    newest = history.versions[0].version
    shown = _number("version", version) if version else newest
    if not 0 <= shown <= newest:
        raise NotFound(f"{history.table} has no version {shown}", expected=f"0 to {newest}")
    if against:
        other = None if against == NOTHING else _number("against", against)
    else:
        other = next((one for one in known if one < shown), None)
    if other is not None and not is_profiled(desk, history.table, other):
        raise NotFound(f"version {other} of {history.table} has no profile to compare with")
    return Choice(shown, other, is_profiled(desk, history.table, shown), known)


def is_profiled(desk: Desk, table: str, version: int) -> bool:
    """Whether it is on record how a version's columns lie: a page reads no table."""
    found = desk.store.catalog.get(TableProfile, f"{table}@{version}")
    return found is not None and found.layout == LAYOUT


def seen(figures: TableFigures | None, history: History, words: list[ColumnWords]) -> list[Seen]:
    """Every column of the version, then those that only the contract names."""
    shown = {one.name: one for one in figures.columns} if figures else {}
    courses = {one.column: one for one in history.courses}
    said = {one.name: one for one in words}
    names = dict.fromkeys([*shown, *said])
    return [Seen(name, shown.get(name), courses.get(name), said.get(name)) for name in names]


def most_moved(moved: tuple[Moved, ...], passing: Collection[str]) -> list[Moved]:
    """What moved most first: what came, went or changed its type, then by how far beyond chance.

    Args:
        moved: Each column.
        passing: Columns that move by their nature, which stand last.
    """
    return sorted(moved, key=lambda one: (one.column in passing, not one.moved, one.shift is not None, -beyond(one)))


def beyond(one: Moved) -> float:
    """How far a column has moved, drawn from 0 to 100; 50 is as far as chance explains."""
    return round(100 * one.shift / (one.shift + one.chance), 2) if one.shift is not None and one.chance else 0.0


def passing(source: Source | None, figures: TableFigures | None) -> list[str]:
    """Columns whose values pass with every batch: what alone is the key, and times."""
    key = source.key if source and len(source.key) == 1 else ()
    columns = figures.columns if figures else ()
    return [one.name for one in columns if one.name in key or one.dtype.startswith(_TIMES)]


def _number(field: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise RequestError("not a version", field=field, found=repr(text), expected="a number, such as 2")
    return int(text)
