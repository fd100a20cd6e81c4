"""When a row happened, when it was known, and in which order rows came: columns that every table carries."""

from __future__ import annotations

import polars as pl

from drivetrain.data.source import Source

EVENT_TIME = "_event_time"
AVAILABLE_AT = "_available_at"
SEQUENCE = "_seq"
RESERVED = (EVENT_TIME, AVAILABLE_AT, SEQUENCE)

_MOMENT = pl.Datetime("us", "UTC")


def with_times(rows: pl.DataFrame, source: Source) -> pl.DataFrame:
    """Adds ``_event_time`` and ``_available_at``, both UTC microseconds.

    A row is never known before its event. Rows without a time are facts that always held: both are 1970.
    """
    if source.time is None:
        always = pl.lit(0).cast(_MOMENT)
        return rows.with_columns(always.alias(EVENT_TIME), always.alias(AVAILABLE_AT))
    event = pl.col(source.time).cast(_MOMENT)
    known = pl.col(source.available or source.time).cast(_MOMENT) + pl.duration(microseconds=source.delay)
    return rows.with_columns(event.alias(EVENT_TIME), pl.max_horizontal(event, known).alias(AVAILABLE_AT))


def with_sequence(rows: pl.DataFrame, last: int) -> pl.DataFrame:
    """Adds ``_seq``: the order of ingestion over all batches, going on after ``last``."""
    return rows.with_columns(pl.int_range(last + 1, last + 1 + rows.height, dtype=pl.Int64, eager=True).alias(SEQUENCE))
