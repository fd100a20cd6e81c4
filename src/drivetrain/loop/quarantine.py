"""Rows that were set aside: listed, shown, brought back, dropped."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import polars as pl

from drivetrain.core.clock import iso, micros_of, now
from drivetrain.core.errors import UnknownName, UsageError
from drivetrain.data import ledger, quarantine, readmit
from drivetrain.data.readmit import Readmitted
from drivetrain.data.source import Source
from drivetrain.data.veil import MASKED, Veil, veil_of
from drivetrain.loop.definitions import Definitions


class Heap(msgspec.Struct, frozen=True, kw_only=True):
    """What of one source is set aside.

    Attributes:
        source: The source.
        rows: How many rows.
        rules: Rule → how many rows broke it, most first; a row may have broken several.
    """

    source: str
    rows: int
    rules: dict[str, int]


class SetAside(msgspec.Struct, frozen=True, kw_only=True):
    """One row that was set aside.

    Attributes:
        row: Its name, to bring it back or drop it by.
        origin: Where it came from.
        line: Where it stood there, if that is known.
        at: When, ISO 8601.
        reasons: What it broke, with what was found.
        values: Its values; none where it could not be read as columns.
        text: The row as it came, where it could not be read.
    """

    row: str
    origin: str
    line: int | None
    at: str
    reasons: tuple[str, ...]
    values: dict[str, Any] | None
    text: str = ""


class Quarantine:
    """The rows that contracts refused, and what may be done with them.

    Args:
        project: Whose.
    """

    def __init__(self, project: Definitions) -> None:
        self._project = project

    def show(
        self, source: str, *, rule: str | None = None, limit: int | None = 20, unmasked: bool = False
    ) -> list[SetAside]:
        """Rows of a source that were set aside, newest first.

        Args:
            source: The source.
            rule: Only rows that broke a rule with these words in it.
            limit: How many at most; none for all.
            unmasked: Whether values classed personal, sensitive or secret are shown as they are.

        Raises:
            UnknownName: There is no such source.
        """
        declared = self._source(source)
        veil = Veil() if unmasked else veil_of(declared)
        found = _chosen(self._standing(declared), rule, ()).reverse()
        shown = found if limit is None else found.head(limit)
        return [_told(row, veil) for row in shown.iter_rows(named=True)]

    def readmit(
        self,
        source: str,
        *,
        rule: str | None = None,
        rows: Sequence[str] = (),
        mend: Mapping[str, Any] | None = None,
    ) -> Readmitted:
        """Brings rows back into their table, through ``prepare`` and contract; what is bad still stays.

        Args:
            source: The source.
            rule: Only rows that broke a rule with these words in it.
            rows: Only rows of these names.
            mend: Column → value to set in all of them first.

        Raises:
            UnknownName: There is no such source or row.
            RefusedError: The source is declared otherwise than when its table was filled.
        """
        declared = self._source(source)
        chosen = _chosen(self._standing(declared), rule, rows)
        return readmit.readmit(
            self._project.store,
            declared,
            chosen["_name"].unique().to_list(),
            now=now(),
            sources=self._project.sources,
            mend=mend,
        )

    def drop(self, source: str, *, rule: str | None = None, rows: Sequence[str] = (), every: bool = False) -> int:
        """Removes rows for good; how many went.

        Args:
            source: The source.
            rule: Only rows that broke a rule with these words in it.
            rows: Only rows of these names.
            every: Whether all may go, where neither is given.

        Raises:
            UnknownName: There is no such source or row.
            UsageError: Nothing says which rows.
        """
        if rule is None and not rows and not every:
            raise UsageError("nothing says which rows to drop", expected="a rule, names of rows, or all of them")
        declared = self._source(source)
        chosen = _chosen(self._standing(declared), rule, rows)
        present = ledger.last_entry(self._project.store.tables, source)
        following = present[0].number + 1 if present else 0
        return quarantine.remove(self._project.store.tables, source, chosen["_name"].to_list(), before=following)

    def list(self) -> list[Heap]:
        """Every source that has rows set aside, in the order they were declared."""
        heaps = []
        for source in self._project.sources.values():
            found = self._standing(source)
            rules = found["_rules"].explode(empty_as_null=False).value_counts(name="rows")
            order = rules.sort(["rows", "_rules"], descending=[True, False])
            if found.height:
                veil = veil_of(source)
                counts: dict[str, int] = {}
                for rule, rows in order.iter_rows():
                    counts[veil.reason(rule)] = counts.get(veil.reason(rule), 0) + rows
                heaps.append(Heap(source=source.name, rows=found.height, rules=counts))
        return heaps

    def _source(self, name: str) -> Source:
        if name not in self._project.sources:
            known = ", ".join(self._project.sources) or "none so far"
            raise UnknownName("no source goes by that name", found=repr(name), expected=f"one of {known}")
        return self._project.sources[name]

    def _standing(self, source: Source) -> pl.DataFrame:
        """What is set aside, without what the table's last entry has brought back or not decided."""
        tables = self._project.store.tables
        found = quarantine.standing(tables, source.name)
        present = ledger.last_entry(tables, source.name)
        if present is None:
            return found.clear()
        entry = present[0]
        back = pl.col("_name").is_in(list(entry.readmitted)) & (pl.col("_number") < entry.number)
        undecided = (pl.col("_number") > entry.number) | (
            (pl.col("_number") == entry.number) & (pl.col("_batch") != entry.batch)
        )
        return found.filter(~back & ~undecided)


def _chosen(found: pl.DataFrame, rule: str | None, rows: Sequence[str]) -> pl.DataFrame:
    if rule is not None:
        words = pl.element().str.contains(rule, literal=True)
        found = found.filter(pl.col("_rules").list.eval(words).list.any())
    if rows:
        known = set(found["_name"])
        unknown = [row for row in rows if row not in known]
        if unknown:
            raise UnknownName("no row that is set aside goes by that name", found=", ".join(unknown))
        found = found.filter(pl.col("_name").is_in(list(rows)))
    return found


def _told(row: Mapping[str, Any], veil: Veil) -> SetAside:
    try:
        values = json.loads(row["_row"])
    except ValueError:
        values = None
    readable = isinstance(values, dict)
    return SetAside(
        row=row["_name"],
        origin=row["_origin"],
        line=row["_line"],
        at=iso(micros_of(row["_ingested_at"])),
        reasons=tuple(veil.reason(reason) for reason in row["_reasons"]),
        values=veil.row(values) if readable else None,
        text="" if readable else MASKED if veil.withheld else row["_row"],
    )
