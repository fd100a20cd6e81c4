"""Rows a contract set aside, a page at a time, with what must not be shown masked."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import polars as pl

from drivetrain.core.errors import NotFound
from drivetrain.core.records import TableVersion
from drivetrain.data.veil import MASKED, Veil, veil_of
from drivetrain.web.desk import Desk
from drivetrain.web.tables import open_reasons

PAGE = 25


class BadRow(msgspec.Struct, frozen=True):
    """One row that was set aside. ``values`` is none where the row could not be read as columns at all."""

    reasons: tuple[str, ...]
    origin: str
    at: int
    """When it was ingested, microseconds."""
    values: dict[str, Any] | None
    text: str = ""


class Leaf(msgspec.Struct, frozen=True):
    """A page of rows that were set aside."""

    rows: tuple[BadRow, ...]
    total: int
    page: int
    masked: tuple[str, ...]
    """Columns that are masked, by name."""

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // PAGE))


def leaf(desk: Desk, source: str, page: int = 1) -> Leaf:
    """One page of a source's quarantine, newest first.

    Raises:
        NotFound: The project declares no source by that name.
    """
    if source not in desk.sources:
        raise NotFound(f"no source is called {source!r}", expected=" or ".join(desk.sources) or None)
    veil = veil_of(desk.sources[source])
    masked = tuple(sorted(veil.withheld))
    table = f"quarantine/{source}"
    if desk.store.tables.version(table) is None:
        return Leaf((), 0, 1, masked)
    rows = desk.store.tables.scan(table)
    total = int(rows.select(pl.len()).collect().item())
    page = min(max(page, 1), max(1, -(-total // PAGE)))
    shown = rows.sort("_ingested_at", descending=True, maintain_order=True).slice((page - 1) * PAGE, PAGE).collect()
    return Leaf(tuple(_bad_row(one, veil) for one in _plain(shown).iter_rows(named=True)), total, page, masked)


def reasons(desk: Desk, source: str) -> dict[str, int]:
    """Every reason rows of a source were set aside for, over all its versions, most frequent first."""
    counts: dict[str, int] = {}
    for version in desk.store.catalog.find(TableVersion, source):
        for reason, number in open_reasons(desk, version).reasons.items():
            counts[reason] = counts.get(reason, 0) + number
    return dict(sorted(counts.items(), key=lambda item: -item[1]))


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    moment = pl.col("_ingested_at")
    if frame.schema["_ingested_at"] != pl.Int64:
        frame = frame.with_columns(moment.dt.epoch("us"))
    return frame


def _bad_row(row: dict[str, Any], veil: Veil) -> BadRow:
    text = str(row["_row"] or "")
    try:
        values = json.loads(text)
    except ValueError:
        values = None
    readable = isinstance(values, dict)
    return BadRow(
        reasons=tuple(veil.reason(str(reason)) for reason in row["_reasons"] or ()),
        origin=str(row["_origin"] or ""),
        at=int(row["_ingested_at"] or 0),
        values=veil.row(values) if readable else None,
        text="" if readable else MASKED if veil.withheld else text[:500],
    )
