"""Sketches of an endpoint's log, kept in a table of their own: a month of them is added up in a moment."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np
import polars as pl

from drivetrain.core.clock import DAY, HOUR, Micros
from drivetrain.core.errors import StoreError
from drivetrain.core.records import Task
from drivetrain.evaluate.ranking import Floats
from drivetrain.monitor.column import Column
from drivetrain.monitor.output import output_of, outputs_logged
from drivetrain.monitor.reference import Reference
from drivetrain.monitor.sketch.hourly import KEYS, ROWS, hourly_sketches
from drivetrain.monitor.sketch.sketch import Sketch, added_up
from drivetrain.serve.log.columns import predictions_table
from drivetrain.store.bundle import Store

_AT_ONCE = 200_000
"""Rows of the log that are read at once, about."""


def sketches_table(endpoint: str) -> str:
    """Name of the table that holds an endpoint's sketches."""
    return f"monitor/{endpoint}/sketches"


def sketch_log(
    store: Store,
    endpoint: str,
    *,
    version: int,
    reference: Reference,
    task: Task = Task(),
    withheld: Collection[str] = (),
) -> int:
    """Brings the sketches of a version's rows, answered as champion, up to the compacted log.

    An hour is sketched anew where the log holds more or fewer of its rows than were sketched (late ones came, a subject
    was forgotten), and never once its rows were given up by :func:`seal`. Each change is one commit; done again it
    changes nothing.

    Args:
        store: Where the tables are.
        endpoint: Whose log.
        version: Whose rows.
        reference: The version's profile: its bins are counted over.
        task: What its answers tell.
        withheld: Features whose values the log does not keep.

    Returns:
        How many hours were sketched.

    Raises:
        StoreError: A table can't be read or written, or rows do not fit the profile.
    """
    if store.tables.version(predictions_table(endpoint)) is None:
        return 0
    logged = _rows_of(store, endpoint, version).group_by("hour").agg(logged=pl.len().cast(pl.Int64)).collect()
    known = _known(store, endpoint, version)
    due = logged.join(known, on="hour", how="left").filter(
        pl.col("kept").is_null() | (pl.col("kept") & (pl.col("rows") != pl.col("logged")))
    )
    lost = known.filter("kept").join(logged, on="hour", how="anti")
    for hours in _portions(due.sort("hour")):
        rows = (
            _rows_of(store, endpoint, version)
            .filter(pl.col("hour").is_between(hours["hour"].min(), hours["hour"].max()))
            .filter(pl.col("hour").is_in(hours["hour"].to_list()))
            .select("at", "values", "prediction", "scores")
            .collect()
        )
        frame = _sketched(rows, version, reference, task, withheld)
        _keep(store, endpoint, frame, replaces=hours.filter(pl.col("kept").is_not_null()).height > 0)
    if lost.height:
        store.tables.delete(
            sketches_table(endpoint),
            f"version = {version} AND hour IN ({', '.join(str(hour) for hour in sorted(lost['hour'].to_list()))})",
        )
    return due.height


def seal(store: Store, endpoint: str, before: Micros) -> int:
    """Says of all hours that begin before a moment that their rows are given up: their sketches stay as they are.

    To be called before rows are deleted for their age, once :func:`sketch_log` has seen them.

    Returns:
        How many sketches were sealed.
    """
    table = sketches_table(endpoint)
    if store.tables.version(table) is None:
        return 0
    old = store.tables.scan(table).filter(pl.col("hour") < before, pl.col("kept")).collect()
    if old.height:
        store.tables.merge(table, old.with_columns(kept=pl.lit(value=False)), KEYS)
    return old.height


def sketched_versions(store: Store, endpoint: str) -> list[int]:
    """Versions whose hours were sketched."""
    table = sketches_table(endpoint)
    if store.tables.version(table) is None:
        return []
    return store.tables.scan(table).select(pl.col("version").unique().sort()).collect()["version"].to_list()


def sketched_rows(store: Store, endpoint: str, version: int, since: Micros, until: Micros) -> pl.DataFrame:
    """The sketches of a version's hours that begin in ``[since, until)``, rows of schema ``ROWS``."""
    table = sketches_table(endpoint)
    if store.tables.version(table) is None:
        return ROWS.to_frame()
    inside = (pl.col("version") == version) & (pl.col("hour") >= since) & (pl.col("hour") < until)
    return store.tables.scan(table).filter(inside).collect()


def merged_sketches(rows: pl.DataFrame) -> dict[str, Sketch]:
    """Column → the sketch of all its hours.

    Args:
        rows: Of schema ``ROWS``, all of one version.
    """
    return {
        str(name): Sketch(
            tuple(_cells(part).sum(axis=0).tolist()),
            int(part["infinite"].sum()),
            *added_up(*(part[column].to_numpy() for column in ("described", "mean", "squares"))),
        )
        for (name,), part in rows.partition_by("feature", as_dict=True).items()
    }


def histograms(
    reference: Reference, sketches: dict[str, Sketch], features: Collection[str] = ()
) -> list[Floats | None]:
    """What :func:`~drivetrain.monitor.drift.measure_counts` asks of a window: each column's histogram.

    Args:
        reference: The version's profile.
        sketches: Column → sketch.
        features: Watch only these; all that were sketched by default.

    Raises:
        StoreError: Nothing was sketched of the predictions.
    """
    if reference.output.name not in sketches:
        raise StoreError("there are no sketches of that window", do="Widen it, or sketch the log first")
    found: list[Floats | None] = [
        sketches[column.name].histogram
        if column.name in sketches and (not features or column.name in features)
        else None
        for column in reference.columns
    ]
    return [*found, sketches[reference.output.name].histogram]


def history(reference: Reference, rows: pl.DataFrame) -> Reference | None:
    """A reference made of an endpoint's own hours: the bins are the version's, the days those that were sketched.

    Args:
        reference: The version's profile.
        rows: Sketches, of schema ``ROWS``, all of this version.

    Returns:
        None where nothing was sketched, or columns lack.
    """
    parts = {str(name): part for (name,), part in rows.partition_by("feature", as_dict=True).items()}
    if reference.output.name not in parts:
        return None
    days = tuple(np.unique(parts[reference.output.name]["hour"].to_numpy() // DAY).tolist())
    by_day = {name: _by_day(part, days) for name, part in parts.items()}
    columns = tuple(_with(column, by_day.get(column.name), len(days)) for column in reference.columns)
    output = _with(reference.output, by_day[reference.output.name], len(days))
    return Reference(
        days=days,
        rows=int(np.asarray(output.counts).sum()),
        columns=columns,
        output=output,
        importance=reference.importance,
    )


def _with(column: Column, counts: Floats | None, days: int) -> Column:
    cells = np.zeros((days, column.width), np.int64) if counts is None else counts.astype(np.int64)
    return Column(
        column.name,
        column.type,
        column.edges,
        column.bins,
        column.names,
        tuple(tuple(row) for row in cells.tolist()),
        column.quantiles,
    )


def _by_day(part: pl.DataFrame, days: Sequence[int]) -> Floats:
    cells = _cells(part)
    found = np.zeros((len(days), cells.shape[1]))
    np.add.at(found, np.searchsorted(days, part["hour"].to_numpy() // DAY), cells)
    return found


def _cells(part: pl.DataFrame) -> Floats:
    """Counts by hour and bin."""
    flat = np.frombuffer(b"".join(part["counts"].to_list()), "<i8")
    return flat.reshape(part.height, -1)


def _rows_of(store: Store, endpoint: str, version: int) -> pl.LazyFrame:
    at = pl.col("at").dt.epoch("us")
    return (
        store.tables.scan(predictions_table(endpoint))
        .filter(pl.col("role") == "champion", pl.col("version") == version)
        .with_columns(hour=at - at % HOUR)
    )


def _known(store: Store, endpoint: str, version: int) -> pl.DataFrame:
    table = sketches_table(endpoint)
    if store.tables.version(table) is None:
        return ROWS.to_frame().select("hour", "rows", "kept")
    mine = store.tables.scan(table).filter(pl.col("version") == version)
    return mine.group_by("hour").agg(pl.col("rows").max(), pl.col("kept").all()).collect()


def _portions(due: pl.DataFrame) -> Iterator[pl.DataFrame]:
    if due.height:
        part = (pl.col("logged").cum_sum() - pl.col("logged")) // _AT_ONCE
        yield from due.with_columns(_part=part).partition_by("_part", maintain_order=True)


def _sketched(
    rows: pl.DataFrame, version: int, reference: Reference, task: Task, withheld: Collection[str]
) -> pl.DataFrame:
    ats = rows["at"].dt.epoch("us").to_numpy()
    widths = rows["values"].list.len().unique().to_list()
    if widths != [len(reference.columns)]:
        raise StoreError(
            f"the prediction log does not fit the profile of version {version}",
            found=f"rows of {', '.join(str(width) for width in sorted(widths))} values",
            expected=len(reference.columns),
        )
    matrix = rows["values"].explode().cast(pl.Float64).fill_null(float("nan")).to_numpy()
    matrix = matrix.reshape(rows.height, len(reference.columns))
    frames = [
        hourly_sketches(column, np.ascontiguousarray(matrix[:, at]), ats, version)
        for at, column in enumerate(reference.columns)
        if column.name not in withheld
    ]
    _, outputs = output_of(outputs_logged(rows, task), task)
    return pl.concat([*frames, hourly_sketches(reference.output, outputs, ats, version)])


def _keep(store: Store, endpoint: str, frame: pl.DataFrame, *, replaces: bool) -> None:
    if replaces:
        store.tables.merge(sketches_table(endpoint), frame, KEYS)
    else:
        store.tables.append(sketches_table(endpoint), frame)
