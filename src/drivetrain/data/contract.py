"""What the rows of a table must be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeAlias, get_args

import polars as pl

from drivetrain.core.errors import ProjectError
from drivetrain.core.hashing import Digest, digest, digest_bytes
from drivetrain.data.column import Column

OnBreach: TypeAlias = Literal["quarantine", "fail", "warn"]

SHARE_COUNTS_FROM = 100
"""Rows a batch must have before its quarantined share says anything about the whole."""


@dataclass(frozen=True)
class Contract:
    """Columns, row checks, and what happens to rows that break them.

    A column declared here must be there; one that is not declared is kept with the type it first came with. A key
    that is null, or an event time, breaks any contract.

    Attributes:
        columns: Name → :class:`~drivetrain.data.column.Column`.
        checks: What it says → row expression that must not be false; a null passes.
        on_breach: ``quarantine`` sets rows aside with their reasons; ``fail`` refuses the whole batch; ``warn`` keeps
            the rows (a value of the wrong type becomes null) and counts. Rows without key or event time are set aside
            in any case: nothing could find them again.
        min_rows: Fewest rows a batch may hold.
        max_quarantine_share: A batch of 100 rows or more with a greater share set aside is refused whole, as the
            source has probably changed.

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
    on_breach: OnBreach = "quarantine"
    min_rows: int = 0
    max_quarantine_share: float = 0.5

    def __post_init__(self) -> None:
        if self.on_breach not in get_args(OnBreach):
            raise ProjectError(
                "a contract's on_breach is unknown", found=repr(self.on_breach), expected=", ".join(get_args(OnBreach))
            )
        if not 0 <= self.max_quarantine_share <= 1:
            raise ProjectError("max_quarantine_share is a share", found=self.max_quarantine_share, expected="0 to 1")
        reserved = [name for name in self.columns if name.startswith("_")]
        if reserved:
            raise ProjectError("names that begin with _ are drivetrain's own", found=", ".join(reserved))

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
            ]
        )

    @property
    def references(self) -> frozenset[str]:
        """Tables that some column looks its values up in."""
        return frozenset(column.references[0] for column in self.columns.values() if column.references)
