"""A version that came from another project: where it was made, and of what."""

from __future__ import annotations

from drivetrain.core.records.base import Link, Record
from drivetrain.core.records.table import TableVersion

FOREIGN = "foreign"
"""What refs to records of other projects begin with; nothing of that kind is in the catalog."""


class Imported(Record, frozen=True, kw_only=True):
    """An archive that was taken in.

    Attributes:
        digest: Of the archive's manifest.
        model: The model.
        version: Its number.
        project: The project where it was made.
        drivetrain: The release that wrote the archive.
        tables: The tables it was made of, as they are called there; training set first.
        links: How it came about; refs of what is there begin with ``foreign:``.
        because: Why it was taken in.
        actor: Who took it in.
    """

    kind = "import"

    digest: str
    model: str
    version: int
    project: str
    drivetrain: str
    tables: tuple[TableVersion, ...] = ()
    links: tuple[Link, ...] = ()
    because: str = ""
    actor: str = ""

    @property
    def key(self) -> str:
        """The archive's digest."""
        return self.digest

    @property
    def subject(self) -> str:
        """The model's name."""
        return self.model
