"""A version of a table."""

from __future__ import annotations

import msgspec

from drivetrain.core.clock import Micros
from drivetrain.core.hashing import Digest
from drivetrain.core.records.base import Record


class ColumnType(msgspec.Struct, frozen=True):
    """A column's name and Polars type, as ``str(dtype)`` writes it."""

    name: str
    dtype: str


class TableVersion(Record, frozen=True, kw_only=True):
    """What one ingestion or step left in a table.

    ``version`` is the Delta version; it can be read again until erased. ``digest`` stands for the rows: equal digest,
    equal content. ``cursor`` is the source's own note of how far it has read, committed together with the rows.
    """

    kind = "table"

    table: str
    version: int
    digest: Digest
    rows: int
    """Rows in the table at this version."""
    added: int = 0
    quarantined: int = 0
    """Rows of this ingestion that the contract refused."""
    reasons: dict[str, int] = {}
    """Why, with counts."""
    columns: tuple[ColumnType, ...] = ()
    first_event: Micros | None = None
    last_event: Micros | None = None
    last_available: Micros | None = None
    cursor: str = ""
    delivered: int = 0
    """Rows that this ingestion brought, bad ones and known ones included."""
    refusals: dict[str, int] = {}
    """Of ``reasons`` those that the contract refused rows for, with how many."""

    @property
    def refused_for(self) -> dict[str, int]:
        """``refusals``; of versions of before there were any, the reasons as far as they can have been."""
        if self.refusals or not self.quarantined:
            return self.refusals
        return {reason: min(count, self.quarantined) for reason, count in self.reasons.items()}

    @property
    def moment(self) -> Micros:
        """What says which time a delivery is of: the table's newest event; when it came, where it added no row."""
        return self.at if self.last_event is None or not self.added else self.last_event

    @property
    def key(self) -> str:
        """``table@version``."""
        return f"{self.table}@{self.version}"

    @property
    def subject(self) -> str:
        """The table's name."""
        return self.table
