"""What a source's rows are looked up in: tables of other sources, at one version each."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import polars as pl

from drivetrain.core.errors import ProjectError, SourceError
from drivetrain.data.arrival import RESERVED
from drivetrain.data.checks import missing_column
from drivetrain.data.privacy.vault import KeyRing
from drivetrain.data.screen import Lookups
from drivetrain.data.source import Source
from drivetrain.store.bundle import Store


def versions(store: Store, source: Source, sources: Mapping[str, Source]) -> dict[str, int]:
    """The versions of the tables that this source's rows are looked up in."""
    found: dict[str, int] = {}
    for name in source.needs:
        if name not in sources:
            raise ProjectError(
                f"source {source.name!r} looks rows up in a table that no source makes",
                found=repr(name),
                expected=f"one of {', '.join(sources)}",
            )
        _check_named_alike(source, sources[name])
        version = store.tables.version(name)
        if version is None:
            raise SourceError(
                f"source {source.name!r} looks rows up in {name!r}, which has no rows yet", do=f"Take {name} in first"
            )
        found[name] = version
    return found


def _check_named_alike(source: Source, other: Source) -> None:
    """Refuses references to values that are treated there and not here: none would be found."""
    for name, column in source.contract.columns.items():
        if column.references is None or column.references[0] != other.name:
            continue
        there = other.contract.columns.get(column.references[1])
        if there is None or there.treat is None:
            continue
        if column.treat is None or column.treat.meaning != there.treat.meaning or not there.treat.keeps_apart:
            raise ProjectError(
                f"source {source.name!r} looks {name!r} up in {'.'.join(column.references)}, which is treated",
                do="Declare the same dt.pseudonym(…) for both",
            )


def lookups(store: Store, uses: Mapping[str, int]) -> Lookups:
    """What a source's rows are looked up in: tables at these versions."""

    @cache
    def table(name: str) -> pl.DataFrame:
        return store.tables.read(name, uses[name]).drop(RESERVED)

    @cache
    def values(name: str, column: str) -> pl.Series:
        rows = store.tables.scan(name, uses[name])
        there = rows.collect_schema().names()
        if column not in there:
            raise missing_column([column], there, f"table {name}")
        return rows.select(column).unique().collect().to_series()

    return Lookups(table, values, KeyRing(store.catalog, store.folder))
