"""Tables as the catalog knows them: what each holds now, and how it came to be."""

from __future__ import annotations

import msgspec

from drivetrain.core.errors import NotFound
from drivetrain.core.records import TableVersion
from drivetrain.data.veil import veil_of
from drivetrain.web.desk import Desk


class Table(msgspec.Struct, frozen=True):
    """A table and its versions, newest first."""

    name: str
    declared: bool
    """Whether it is a source's own; else a step made it."""
    versions: tuple[TableVersion, ...]

    @property
    def newest(self) -> TableVersion:
        """What it holds now."""
        return self.versions[0]

    @property
    def quarantined(self) -> int:
        """Rows set aside over all versions."""
        return sum(one.quarantined for one in self.versions)

    @property
    def growth(self) -> list[float]:
        """Rows at each version, oldest first."""
        return [float(one.rows) for one in reversed(self.versions)]


def all_tables(desk: Desk) -> list[Table]:
    """Every table: the sources in the order they were declared, then what steps made."""
    grouped: dict[str, list[TableVersion]] = {name: [] for name in desk.sources}
    for one in desk.store.catalog.find(TableVersion):
        grouped.setdefault(one.table, []).append(one)
    return [
        Table(name, name in desk.sources, tuple(sorted(found, key=lambda one: -one.version)))
        for name, found in grouped.items()
        if found
    ]


def table(desk: Desk, name: str) -> Table:
    """One table.

    Raises:
        NotFound: Nothing was ever kept under that name.
    """
    versions = desk.store.catalog.find(TableVersion, name)
    if not versions:
        raise NotFound(f"no table is called {name!r}", do="The data page lists those there are")
    return Table(name, name in desk.sources, tuple(sorted(versions, key=lambda one: -one.version)))


def open_reasons(desk: Desk, version: TableVersion) -> TableVersion:
    """A version whose reasons of quarantine quote nothing that must not be shown."""
    veil = veil_of(desk.sources.get(version.table))
    return msgspec.structs.replace(version, reasons=veil.reasons(version.reasons))
