"""What the rows of a table must be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeAlias, get_args

import polars as pl

from drivetrain.core.clock import duration
from drivetrain.core.errors import ProjectError, UsageError
from drivetrain.core.hashing import Digest, digest, digest_bytes
from drivetrain.core.notebook import shown
from drivetrain.data.column import PRIVATE, Column
from drivetrain.data.foreign import columns_of, described
from drivetrain.data.privacy.anonymity import KAnonymity

OnBreach: TypeAlias = Literal["quarantine", "fail", "warn"]
OnNewColumn: TypeAlias = Literal["ignore", "add", "fail"]
OnLostColumn: TypeAlias = Literal["fail", "null"]
OnRetypedColumn: TypeAlias = Literal["cast", "fail"]
Share: TypeAlias = tuple[float, float]
"""The least and the greatest share allowed."""

SHARE_COUNTS_FROM = 100
"""Rows a batch must have before its quarantined share says anything about the whole."""

_POLICIES = {
    "on_breach": OnBreach,
    "on_new_column": OnNewColumn,
    "on_lost_column": OnLostColumn,
    "on_retyped_column": OnRetypedColumn,
}


@dataclass(frozen=True)
class Contract:
    """Columns, row checks, checks of a batch as a whole, and what happens where they are broken.

    A column declared here must be there; one that is not declared is kept with the type it first came with. A key
    that is null, or an event time, breaks any contract.

    Attributes:
        columns: Name → :class:`~drivetrain.data.column.Column`.
        checks: What it says → row expression that must not be false; a null passes.
        tables: What it says → expression over all rows of a batch, such as ``pl.col("x").mean() > 3``, that must be
            true.
        balance: Column → the shares allowed of rows where it is true or 1; or value → such shares. What chance alone
            explains in a small batch passes.
        volume: How many rows a batch may bring, as multiples of the median of the last 20: ``(0.5, 2.0)``.
        drift: Column → how far its distribution may be from the reference's (Jeffreys' divergence, PSI). What sampling
            alone explains is added to it, so that a small batch does not cry wolf.
        reference: The version of the table that ``drift`` compares with; by default the one before the batch.
        freshness: How old the newest event, or arrival where that is newer, may be once everything is taken in: "1d".
        anonymous: What the table as a whole, as it is kept, must be for nobody to be singled out in it.
        on_breach: ``quarantine`` sets rows aside with their reasons; ``fail`` refuses the whole batch; ``warn`` keeps
            the rows (a value of the wrong type becomes null) and counts. Rows without key or event time are set aside
            in any case: nothing could find them again.
        min_rows: Fewest rows a batch may hold.
        max_quarantine_share: A batch of 100 rows or more with a greater share set aside is refused whole, as the
            source has probably changed.
        on_new_column: A column that the source did not have before and the contract does not name: ``ignore`` leaves it
            out and counts, ``add`` takes it into the table, ``fail`` refuses the batch.
        on_lost_column: A column that the source had before: ``fail`` refuses the batch, ``null`` goes on without it,
            unless it is part of the key or a time.
        on_retyped_column: A column that comes with another type than before: ``cast`` brings it to the type it is kept
            as, value by value, ``fail`` refuses the batch.
        renamed: New name → the name it had; such a column is taken under its old name.

    Rules of a batch as a whole (``complete``, ``tables``, ``balance``, ``volume``, ``drift``) look at the rows that
    keep all others; ``anonymous`` at the table with them, after every piece of a delivery and of rows brought back from
    quarantine. Where one is broken, ``quarantine`` and ``fail`` refuse the batch, and ``warn`` counts it; rows deleted
    where they came from are counted only, and ``retain`` and forgetting are not judged at all. Rows that are not
    fresh are kept; with ``quarantine`` and ``fail`` ingestion ends in an error that says how old they are.

    Raises:
        ProjectError: A setting is impossible.

    Example:
        >>> import polars as pl
        >>> contract = Contract(
        ...     {"temp": Column("float", low=-60, high=130), "dewp": Column("float")},
        ...     checks={"dew point above temperature": pl.col("dewp") <= pl.col("temp")},
        ... )
        >>> contract.on_breach
        'quarantine'
    """

    columns: Mapping[str, Column] = field(default_factory=dict)
    checks: Mapping[str, pl.Expr] = field(default_factory=dict)
    tables: Mapping[str, pl.Expr] = field(default_factory=dict)
    balance: Mapping[str, Share | Mapping[str | int, Share]] = field(default_factory=dict)
    volume: tuple[float, float] | None = None
    drift: Mapping[str, float] = field(default_factory=dict)
    reference: int | None = None
    freshness: str | None = None
    anonymous: KAnonymity | None = None
    on_breach: OnBreach = "quarantine"
    min_rows: int = 0
    max_quarantine_share: float = 0.5
    on_new_column: OnNewColumn = "ignore"
    on_lost_column: OnLostColumn = "fail"
    on_retyped_column: OnRetypedColumn = "cast"
    renamed: Mapping[str, str] = field(default_factory=dict)

    _repr_html_ = shown

    def __post_init__(self) -> None:
        for name, known in _POLICIES.items():
            found = getattr(self, name)
            if found not in get_args(known):
                raise ProjectError(
                    f"a contract's {name} is unknown", found=repr(found), expected=", ".join(get_args(known))
                )
        if not 0 <= self.max_quarantine_share <= 1:
            raise ProjectError("max_quarantine_share is a share", found=self.max_quarantine_share, expected="0 to 1")
        reserved = [name for name in self.columns if name.startswith("_")]
        if reserved:
            raise ProjectError("names that begin with _ are drivetrain's own", found=", ".join(reserved))
        for column, _, (low, high) in self.balances():
            if not 0 <= low <= high <= 1:
                raise ProjectError(f"the balance of {column!r} is two shares", found=(low, high), expected="0 to 1")
        unseen = [name for name in self.drift if name in self.columns and self.columns[name].privacy in PRIVATE]
        if unseen:
            raise ProjectError(
                f"the drift of {unseen[0]!r} can't be judged",
                found=f"a {self.columns[unseen[0]].privacy} column, whose values no profile keeps",
                do="Leave it out of drift",
            )
        if self.volume is not None and not 0 <= self.volume[0] <= self.volume[1]:
            raise ProjectError("volume is two multiples, the lesser first", found=self.volume, expected="as (0.5, 2.0)")
        try:
            duration(self.freshness or 0)
        except UsageError as error:
            raise ProjectError(f"a contract's freshness is {error}") from None

    @classmethod
    def of(cls, schema: object, **settings: Any) -> Contract:  # noqa: ANN401 - the contract's own fields
        """The contract that a pandera or dataframely schema says.

        Args:
            schema: A pandera ``DataFrameSchema`` or ``DataFrameModel`` of Polars frames, or a dataframely ``Schema``.
                Its key is the source's to name.
            **settings: Other fields of the contract; ``checks`` are added to the schema's.

        Raises:
            ProjectError: It is no such schema, or says what a contract can't.
            MissingExtra: The library is not installed.
        """
        found = described(schema)
        checks = {**found["checks"], **settings.pop("checks", {})}
        strict = {"on_new_column": "fail"} if found["strict"] else {}
        return cls(columns_of(found), checks, **{**strict, **settings})

    @cached_property
    def digest(self) -> Digest:
        """Digest of what it refuses; descriptions and privacy classes change nothing."""
        return digest(
            [
                {name: column.meaning for name, column in self.columns.items()},
                {name: digest_bytes(check.meta.serialize()) for name, check in self.checks.items()},
                self.on_breach,
                self.min_rows,
                self.max_quarantine_share,
                *self._later(),
            ]
        )

    def _later(self) -> Iterator[object]:
        """Rules that came later, where they are set.

        What judges a batch by now or by other batches (freshness, volume, drift, anonymous) is no part of it: read
        again, old batches would meet another present and another history, and be refused for that.
        """
        if self.tables:
            yield {name: digest_bytes(check.meta.serialize()) for name, check in self.tables.items()}
        if self.balance:
            yield sorted((column, repr(value), *share) for column, value, share in self.balances())
        if self.on_new_column == "add" or self.on_lost_column == "null":
            yield [self.on_new_column == "add", self.on_lost_column == "null"]

    def balances(self) -> Iterator[tuple[str, str | int | None, Share]]:
        """Column, value and the shares allowed of rows that have it; no value stands for true or 1."""
        for column, shares in self.balance.items():
            if isinstance(shares, Mapping):
                yield from ((column, value, share) for value, share in shares.items())
            else:
                yield column, None, shares

    @property
    def references(self) -> frozenset[str]:
        """Tables that some column looks its values up in."""
        return frozenset(column.references[0] for column in self.columns.values() if column.references)
