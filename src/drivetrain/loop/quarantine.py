"""Rows that were set aside: listed, shown, brought back, dropped."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
import polars as pl

from drivetrain.core.clock import iso, micros_of, now
from drivetrain.core.errors import UnknownName, UsageError
from drivetrain.core.ids import new_id
from drivetrain.core.notebook import shown
from drivetrain.core.records import Decision
from drivetrain.data import ledger, quarantine, readmit
from drivetrain.data.readmit import Readmitted
from drivetrain.data.source import Source
from drivetrain.data.veil import MASKED, Veil, veil_of
from drivetrain.loop.audit import note_read
from drivetrain.loop.definitions import Definitions


class Heap(msgspec.Struct, frozen=True, kw_only=True):
    """What of one source is set aside.

    Attributes:
        source: The source.
        rows: How many rows.
        rules: Rule → how many rows broke it, most first; a row may have broken several.
        batches: Batch → how many of its rows are set aside, newest first.
    """

    source: str
    rows: int
    rules: dict[str, int]
    batches: dict[int, int] = {}

    _repr_html_ = shown


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
        batch: Number of the batch that it came in.
    """

    row: str
    origin: str
    line: int | None
    at: str
    reasons: tuple[str, ...]
    values: dict[str, Any] | None
    text: str = ""
    batch: int = 0


class Quarantine:
    """The rows that contracts refused, and what may be done with them.

    Args:
        project: Whose.
    """

    def __init__(self, project: Definitions) -> None:
        self._project = project

    def show(
        self,
        source: str,
        *,
        rule: str | None = None,
        batch: int | None = None,
        skip: int = 0,
        limit: int | None = 20,
        unmasked: bool = False,
    ) -> list[SetAside]:
        """Rows of a source that were set aside, newest first.

        Args:
            source: The source.
            rule: Only rows that broke a rule with these words in it, as :meth:`list` shows it.
            batch: Only rows of this batch.
            skip: How many of them to leave out first.
            limit: How many at most; none for all.
            unmasked: Whether values classed personal, sensitive or secret are shown as they are. That is put on record.

        Raises:
            UnknownName: There is no such source.
        """
        declared = self._source(source)
        veil = Veil() if unmasked else veil_of(declared)
        found = chosen(declared, self._standing(declared), rule, batch, ()).reverse()
        shown = found.slice(skip, limit)
        told = [_told(row, veil) for row in shown.iter_rows(named=True)]
        if unmasked:
            note_read(self._project, "quarantine", source, sorted(veil_of(declared).withheld), len(told))
        return told

    def heap(self, source: str, *, rule: str | None = None, batch: int | None = None) -> Heap:
        """Counts of what is set aside of one source, or of part of it.

        Args:
            source: The source.
            rule: Only rows that broke a rule with these words in it.
            batch: Only rows of this batch.

        Raises:
            UnknownName: There is no such source.
        """
        declared = self._source(source)
        return _heap(declared, chosen(declared, self._standing(declared), rule, batch, ()))

    def readmit(
        self,
        source: str,
        *,
        rule: str | None = None,
        batch: int | None = None,
        rows: Sequence[str] = (),
        mend: Mapping[str, Any] | None = None,
        because: str = "",
        actor: str = "person",
    ) -> Readmitted:
        """Brings rows back into their table, through ``prepare`` and contract; what is bad still stays.

        Args:
            source: The source.
            rule: Only rows that broke a rule with these words in it.
            batch: Only rows of this batch.
            rows: Only rows of these names.
            mend: Column → value to set in all of them first.
            because: Why, for the record.
            actor: Who asked, for the record.

        Raises:
            UnknownName: There is no such source or row.
            RefusedError: The source is declared otherwise than when its table was filled.
        """
        declared = self._source(source)
        meant = chosen(declared, self._standing(declared), rule, batch, rows)
        made = readmit.readmit(
            self._project.store,
            declared,
            meant["_name"].unique().to_list(),
            now=now(),
            sources=self._project.sources,
            mend=mend,
        )
        made = msgspec.structs.replace(made, reasons=veil_of(declared).reasons(made.reasons))
        told = f"{made.admitted:,} of {meant.height:,} rows are back, {source} is at version {made.version}"
        figures = {**msgspec.to_builtins(made), "rule": rule, "batch": batch, "set": sorted(mend or {})}
        if meant.height:
            self._decide("readmit", source, _sentence(told, because), actor, figures)
        return made

    def drop(
        self,
        source: str,
        *,
        rule: str | None = None,
        batch: int | None = None,
        rows: Sequence[str] = (),
        every: bool = False,
        because: str = "",
        actor: str = "person",
    ) -> int:
        """Removes rows for good; how many went.

        Args:
            source: The source.
            rule: Only rows that broke a rule with these words in it.
            batch: Only rows of this batch.
            rows: Only rows of these names.
            every: Whether all may go, where none of these is given.
            because: Why, for the record.
            actor: Who asked, for the record.

        Raises:
            UnknownName: There is no such source or row.
            UsageError: Nothing says which rows.
        """
        if rule is None and batch is None and not rows and not every:
            raise UsageError("nothing says which rows to drop", expected="a rule, a batch, names of rows, or all")
        declared = self._source(source)
        meant = chosen(declared, self._standing(declared), rule, batch, rows)
        if not meant.height:
            return 0
        present = ledger.last_entry(self._project.store.tables, source)
        following = present[0].number + 1 if present else 0
        # On record first: killed in between, what is gone is known to have gone.
        told = f"{meant.height:,} rows of {source} dropped for good"
        figures = {"rows": meant.height, "rule": rule, "batch": batch}
        self._decide("drop", source, _sentence(told, because), actor, figures)
        return quarantine.remove(self._project.store.tables, source, meant["_name"].to_list(), before=following)

    def list(self) -> list[Heap]:
        """Every source that has rows set aside, in the order they were declared."""
        heaps = [_heap(source, self._standing(source)) for source in self._project.sources.values()]
        return [heap for heap in heaps if heap.rows]

    def _decide(
        self, what: Literal["readmit", "drop"], source: str, because: str, actor: str, figures: Mapping[str, object]
    ) -> None:
        evidence = msgspec.json.encode({name: value for name, value in figures.items() if value}).decode()
        self._project.store.catalog.commit(
            Decision(at=now(), id=new_id(), about=source, what=what, because=because, actor=actor, evidence=evidence)
        )

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


def _heap(source: Source, found: pl.DataFrame) -> Heap:
    rules = found["_rules"].explode(empty_as_null=False).value_counts(name="rows")
    counts = dict(rules.sort(["rows", "_rules"], descending=[True, False]).iter_rows())
    batches = found["_number"].value_counts(name="rows").sort("_number", descending=True)
    return Heap(
        source=source.name,
        rows=found.height,
        rules=veil_of(source).reasons(counts),
        batches=dict(batches.iter_rows()),
    )


def chosen(
    source: Source, found: pl.DataFrame, rule: str | None, batch: int | None, rows: Sequence[str]
) -> pl.DataFrame:
    """The rows that are meant.

    Args:
        source: Whose.
        found: What is set aside.
        rule: A rule as it is shown, or part of one.
        batch: A batch.
        rows: Names of rows.

    Raises:
        UnknownName: There is no row by one of the names.
    """
    if rule is not None:
        # By what may be shown of a rule: otherwise one could ask whether a masked value is in it.
        veil = veil_of(source)
        known = found["_rules"].explode(empty_as_null=False).unique().to_list()
        told = {text: veil.reason(text) for text in known}
        # A whole rule is that one, and none whose words begin alike.
        meant = [text for text, shown in told.items() if shown == rule] or [
            text for text, shown in told.items() if rule in shown
        ]
        found = found.filter(pl.col("_rules").list.eval(pl.element().is_in(meant)).list.any())
    if batch is not None:
        found = found.filter(pl.col("_number") == batch)
    if rows:
        names = set(found["_name"])
        unknown = [row for row in rows if row not in names]
        if unknown:
            raise UnknownName("no row that is set aside goes by that name", found=", ".join(unknown))
        found = found.filter(pl.col("_name").is_in(list(rows)))
    return found


def _sentence(told: str, because: str) -> str:
    return f"{told}. {because}" if because else f"{told}."


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
        batch=row["_number"],
    )
