"""How well a table's rows hide a person, asked of the table as it is."""

from __future__ import annotations

import msgspec

from drivetrain.core.errors import ProjectError, UnknownName, UsageError
from drivetrain.data.privacy.anonymity import Anonymity, KAnonymity
from drivetrain.data.veil import veil_of
from drivetrain.loop.audit import note_read, personal_columns
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.stages.training_set import training_table


class Hidden(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked of a table, and what was found.

    Attributes:
        table: The table.
        version: Its version.
        columns: What others may know.
        k: Rows that a group must have.
        sensitive: The column whose values must differ in a group.
        diversity: How many must.
        spare: Share of rows for which neither need hold.
        found: What is so.
        holds: Whether that is enough.
    """

    table: str
    version: int
    columns: tuple[str, ...]
    k: int
    sensitive: str | None
    diversity: int
    spare: float
    found: Anonymity
    holds: bool


def anonymity(project: Definitions, table: str, asked: KAnonymity | None) -> Hidden:
    """See :meth:`Privacy.anonymity`."""
    tables = project.store.tables
    version = tables.version(table)
    if version is None:
        raise UnknownName(f"there is no table {table!r}", expected=f"one of {', '.join(sorted(tables.names()))}")
    if asked is None and table in project.sources:
        asked = project.sources[table].contract.anonymous
    if asked is None:
        raise UsageError(
            f"the contract of {table!r} does not say what others may know", do="Name columns: --by zip,age --k 5"
        )
    rows = tables.scan(table, version)
    there = rows.collect_schema().names()
    missing = [name for name in asked.reads if name not in there]
    if missing:
        raise UsageError(f"table {table!r} has no column {missing[0]!r}", expected=f"some of {', '.join(there)}")
    found = asked.of(rows.select(asked.reads).collect())
    note_read(project, "privacy anonymity", table, _personal(project, table, asked.reads), found.rows)
    return Hidden(
        table=table,
        version=version,
        columns=tuple(asked.columns),
        k=asked.k,
        sensitive=asked.sensitive,
        diversity=asked.diversity,
        spare=asked.spare,
        found=found,
        holds=asked.holds(found),
    )


def _personal(project: Definitions, table: str, names: list[str]) -> list[str]:
    """Of columns of a source's table, its quarantine or a training set, those classed personal, sensitive or secret."""
    for model in project.models.values():
        if training_table(model.name) == table:
            return personal_columns(project, model, names)
    source = project.sources.get(table)
    return [] if source is None else [name for name in names if name in veil_of(source).withheld]


def asked_for(columns: list[str], k: int, sensitive: str | None, values: int) -> KAnonymity:
    """What is asked where it is not declared.

    Raises:
        UsageError: It can't be.
    """
    try:
        return KAnonymity(columns, k=k, sensitive=sensitive, diversity=values)
    except ProjectError as error:
        raise UsageError(str(error)) from None
