"""Where raw rows arrive, what they must be, and when they are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol, TypeAlias, runtime_checkable

import polars as pl

from drivetrain.core.clock import Micros
from drivetrain.core.errors import ProjectError
from drivetrain.core.hashing import Digest, code_digest, digest
from drivetrain.core.notebook import shown
from drivetrain.data.contract import Contract
from drivetrain.data.reader import Reader


@runtime_checkable
class Steps(Protocol):
    """Declared steps in the place of a function: they say what they need, what they mean, and what they changed."""

    @property
    def raw(self) -> frozenset[str]:
        """Columns that some step wants as they came."""
        ...

    @property
    def needs(self) -> frozenset[str]:
        """Sources whose tables some step looks into."""
        ...

    @property
    def digest(self) -> Digest:
        """Digest of what they mean."""
        ...

    def __call__(self, rows: pl.DataFrame, **tables: pl.DataFrame) -> pl.DataFrame:
        """The rows after all steps, as of a function."""
        ...

    def apply(self, rows: pl.DataFrame, tables: Mapping[str, pl.DataFrame]) -> tuple[pl.DataFrame, dict[str, int]]:
        """The rows after all steps, and what these changed: in words → how often."""
        ...


Prepare: TypeAlias = Callable[..., pl.DataFrame] | Steps
"""``prepare(rows, **tables)``: cleaned rows; ``tables`` are of the sources it uses, by name. Or declared steps."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """A source and the table its rows become.

    A row's event time is its ``time`` column; it is known ``delay`` after its ``available`` column, or after its event
    time where there is none, and never before its event time. Rows of a source without ``time`` are facts that hold,
    and are known, always.

    Attributes:
        name: Name of the source and of its table.
        reader: Where rows are read from.
        key: Columns that together name a row; a row that comes again with the same key replaces the one before.
        time: Column of the event's time.
        available: Column that says when the row became known.
        delay: Microseconds from ``available`` (or ``time``) until the row is known.
        contract: What rows must be.
        deleted: Column that says that a row was deleted where it came from: true, or anything but null or false. Such a
            row takes the row with its key out of the table; of it nothing but the key is looked at.
        prepare: Cleans rows before the contract is checked. Raw columns that the contract declares under the same name
            have their declared type when it is called.
        uses: Sources whose tables ``prepare`` is given, as they are then. Rows taken in before such a table changes
            stay as they are.
        description: For people.
        owner: Whom to ask.
        purpose: Why its rows are kept, for who asks about personal data.
        retain: How long rows are kept after their event, microseconds; for ever by default. Older ones are left out.

    Raises:
        ProjectError: It can't be as declared.
    """

    name: str
    reader: Reader
    key: tuple[str, ...]
    time: str | None = None
    available: str | None = None
    delay: Micros = 0
    contract: Contract = field(default_factory=Contract)
    deleted: str | None = None
    prepare: Prepare | None = None
    uses: tuple[Source, ...] = ()
    description: str = ""
    owner: str = ""
    purpose: str = ""
    retain: Micros | None = None

    _repr_html_ = shown

    def __post_init__(self) -> None:
        if not self.key:
            raise ProjectError(
                f"source {self.name!r} has no key",
                do="Name the column or columns that tell one row from another, so that no row is taken in twice",
            )
        if self.time is None and (self.available is not None or self.delay):
            raise ProjectError(
                f"source {self.name!r} says when rows are known but not when they happened",
                do="Declare its time column",
            )
        for name in filter(None, (self.time, self.available)):
            column = self.contract.columns.get(name)
            if column and column.type not in ("time", "date"):
                raise ProjectError(
                    f"source {self.name!r} takes moments from column {name!r}", found=column.type, expected="type time"
                )
        for name in (*self.key, *filter(None, (self.time, self.available))):
            column = self.contract.columns.get(name)
            if column and column.treat and (name not in self.key or not column.treat.keeps_apart):
                raise ProjectError(
                    f"source {self.name!r} needs column {name!r} to tell rows apart, or when they were, and treats it",
                    expected="dt.pseudonym(…) for a key, nothing for a time",
                )
        needs = self.prepare.needs if isinstance(self.prepare, Steps) else frozenset()
        absent = needs - {used.name for used in self.uses}
        if absent:
            raise ProjectError(
                f"source {self.name!r} merges with a table that it is not given",
                found=", ".join(sorted(absent)),
                do=f"Declare uses=[{', '.join(sorted(absent))}]",
            )
        if self.uses and self.prepare is None:
            raise ProjectError(f"source {self.name!r} uses tables but has no prepare function to give them to")

    @cached_property
    def digest(self) -> Digest:
        """Digest of what decides the table's rows; when it changes, the source is read again from the start."""
        tombstones = [self.deleted] if self.deleted else []
        return digest(
            [
                self.reader.digest,
                self.key,
                self.time,
                self.available,
                self.delay,
                self.contract.digest,
                _meaning(self.prepare) if self.prepare else None,
                [[used.name, used.digest] for used in self.uses],
                *tombstones,
            ]
        )

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the tables that must be there before its rows can be taken in, sorted."""
        return tuple(sorted({used.name for used in self.uses} | (self.contract.references - {self.name})))


def _meaning(prepare: Prepare) -> Digest:
    return prepare.digest if isinstance(prepare, Steps) else code_digest(prepare)
