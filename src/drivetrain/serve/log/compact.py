"""Compaction: what workers logged becomes rows of Delta tables, each exactly once."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import msgspec
import polars as pl

from drivetrain.core.errors import StoreError, UnknownName
from drivetrain.core.records import Explanation, Feedback, Prediction
from drivetrain.serve.log.columns import (
    explanations_frame,
    explanations_table,
    feedback_frame,
    feedback_table,
    predictions_frame,
    predictions_table,
)
from drivetrain.serve.log.frame import MAGIC, Damage, Frame, scan, unpack
from drivetrain.serve.log.lag import forget, note
from drivetrain.serve.log.segment import finished, segments
from drivetrain.store.bundle import Store

RESENT_WITHIN = timedelta(days=7)
"""A request sent again is recognised when its ``at`` is within this of the first one's."""

_SAID = (pl.col("label"), pl.col("names").list.join("\0"))
"""What a label says: the same again is no news."""


class Compacted(msgspec.Struct, frozen=True):
    """What one compaction did."""

    predictions: int = 0
    """Rows added to predictions tables."""
    feedback: int = 0
    """Rows added to feedback tables."""
    explanations: int = 0
    """Rows added to explanations tables."""
    repeated: int = 0
    """Entries left out because the table has them already: sent again by a client, or compacted before a crash."""
    torn_bytes: int = 0
    """Bytes at the end of finished segments that are half a frame; never acknowledged."""
    damaged_bytes: int = 0
    """Bytes in the middle of segments that are no frames: the disk spoiled them."""
    damaged: tuple[str, ...] = ()
    """Segments with such bytes, kept beside the others for a person to look at."""
    removed: int = 0
    """Segments that were wholly in the tables and were deleted."""

    def __add__(self, other: Compacted) -> Compacted:
        return Compacted(*(getattr(self, name) + getattr(other, name) for name in self.__struct_fields__))


def compact(store: Store, folder: Path, endpoint: str | None = None) -> Compacted:
    """Moves what workers have logged so far into ``log/<endpoint>/predictions``, ``…/feedback`` and ``…/explanations``.

    Segments still being written are read as far as they go. Killed at any instant, the next call carries on: each
    segment's progress is part of the same Delta commit as its rows. A prediction is kept once per (request id, row,
    role), the one logged first, and so is an explanation per (request id, row); a label once per (request id, row,
    entity) for as long as it stays the same.

    Args:
        store: Where the tables are.
        folder: The log folder of the server.
        endpoint: Only this one; all by default.

    Raises:
        StoreError: The tables can't be written; the segments keep what was not moved.
    """
    names = [endpoint] if endpoint is not None else endpoints(folder)
    total = Compacted()
    for name in names:
        place = folder / name
        if place.is_dir():
            with alone(place):
                total += moved(store, name, place)
    return total


def moved(store: Store, endpoint: str, place: Path) -> Compacted:
    """:func:`compact` of one endpoint's folder, for whoever is :func:`alone` in it."""
    total = Compacted()
    for path in segments(place):
        total += _compact_segment(store, endpoint, path)
    return total


def endpoints(folder: Path) -> list[str]:
    """Endpoints that have logged anything into a log folder."""
    if not folder.is_dir():
        return []
    return sorted(place.name for place in folder.iterdir() if place.is_dir() and not place.name.startswith("."))


def _compact_segment(store: Store, endpoint: str, path: Path) -> Compacted:
    with finished(path) as over, path.open("rb") as file:
        magic = file.read(len(MAGIC))
        if over and len(magic) < len(MAGIC):
            path.unlink()
            return Compacted(torn_bytes=len(magic), removed=1)
        if magic != MAGIC:
            raise StoreError(
                f"{path} is no segment of the prediction log",
                found=magic.hex(),
                expected=MAGIC.hex(),
                do="Move it away",
            )
        tables = (predictions_table(endpoint), feedback_table(endpoint), explanations_table(endpoint))
        done = [store.tables.transaction(table, path.stem) or len(MAGIC) for table in tables]
        done[2] = max(done[0], done[2])  # explanations are moved first: where predictions are, theirs are too
        # A finished segment is looked through from its beginning once more: what is damaged must not be deleted.
        begin = len(MAGIC) if over else min(done)
        file.seek(begin)
        data = file.read()
        pieces = list(scan(data))
        end = begin + max((piece.end for piece in pieces if isinstance(piece, Frame)), default=0)
        entries = [
            (begin + piece.start, unpack(piece.body))
            for piece in pieces
            if isinstance(piece, Frame) and begin + piece.start >= min(done)
        ]
        predictions = [entry for start, entry in entries if start >= done[0] and isinstance(entry, Prediction)]
        feedback = [entry for start, entry in entries if start >= done[1] and isinstance(entry, Feedback)]
        explanations = [entry for start, entry in entries if start >= done[2] and isinstance(entry, Explanation)]
        new_explanations = _append_explanations(store, endpoint, explanations, (path.stem, end))
        new_predictions = _append_predictions(store, endpoint, predictions, (path.stem, end))
        new_feedback = _append_feedback(store, endpoint, feedback, (path.stem, end))
        damage = [piece for piece in pieces if isinstance(piece, Damage) and piece.end < len(data)]
        torn = sum(piece.end - piece.start for piece in pieces if isinstance(piece, Damage) and piece.end == len(data))
        if over:
            _put_away(path, keep=bool(damage))
        else:
            note(path, end)
        return Compacted(
            predictions=new_predictions,
            feedback=new_feedback,
            explanations=new_explanations,
            repeated=len(predictions)
            + len(feedback)
            + len(explanations)
            - new_predictions
            - new_feedback
            - new_explanations,
            torn_bytes=torn if over else 0,
            damaged_bytes=sum(piece.end - piece.start for piece in damage),
            damaged=(path.name,) if damage else (),
            removed=int(over),
        )


def _put_away(path: Path, *, keep: bool) -> None:
    if keep:
        path.rename(path.with_suffix(".damaged"))
    else:
        path.unlink()
    forget(path)


def _append_predictions(
    store: Store, endpoint: str, entries: Sequence[Prediction], transaction: tuple[str, int]
) -> int:
    if not entries:
        return 0
    table, key = predictions_table(endpoint), ["request_id", "row", "role"]
    return _append_first(store, table, predictions_frame(entries), key, transaction)


def _append_explanations(
    store: Store, endpoint: str, entries: Sequence[Explanation], transaction: tuple[str, int]
) -> int:
    if not entries:
        return 0
    table, key = explanations_table(endpoint), ["request_id", "row"]
    return _append_first(store, table, explanations_frame(entries), key, transaction)


def _append_first(store: Store, table: str, entries: pl.DataFrame, key: list[str], transaction: tuple[str, int]) -> int:
    """Adds the entries whose key the table lacks, of each key the one that was logged first."""
    new = entries.sort("logged_at", maintain_order=True).unique(key, keep="first", maintain_order=True)
    known = _near(store, table, new, key)
    if known is not None:
        new = new.join(known, on=key, how="anti", maintain_order="left")
    if new.height:
        store.tables.append(table, new, transaction=transaction)
    return new.height


def _append_feedback(store: Store, endpoint: str, entries: Sequence[Feedback], transaction: tuple[str, int]) -> int:
    if not entries:
        return 0
    target = ["request_id", "row", "entity"]
    new = feedback_frame(entries).with_columns(_known=pl.lit(value=False))
    table = feedback_table(endpoint)
    known = _near(store, table, new, new.columns[:-1])
    if known is not None:
        known = known.join(new.select(target).unique(), on=target, how="semi")
        new = pl.concat([known.with_columns(_known=pl.lit(value=True)), new], how="diagonal").select(new.columns)
    new = new.sort("logged_at", maintain_order=True)
    changed = pl.any_horizontal(said.ne_missing(said.shift().over(target)) for said in _SAID)
    new = new.filter(~pl.col("_known") & changed).drop("_known")
    if new.height:
        store.tables.append(table, new, transaction=transaction)
    return new.height


def _near(store: Store, table: str, new: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame | None:
    """Columns of the rows already in a table that may repeat new ones."""
    bounds = new.select(low=pl.col("at").min() - RESENT_WITHIN, high=pl.col("at").max() + RESENT_WITHIN).row(0)
    try:
        rows = store.tables.scan(table).filter(pl.col("at").is_between(*bounds))
        there = rows.collect_schema()  # a table from before lacks what came later
        return rows.select([name for name in columns if name in there]).collect()
    except UnknownName:
        return None
    except pl.exceptions.PolarsError as error:
        raise StoreError(f"table {table} can't be read: {error}", do="Restore its folder from a backup") from error


@contextmanager
def alone(place: Path) -> Iterator[None]:
    """One compaction of an endpoint's folder at a time; the kernel lets go of the lock when its holder dies."""
    file = os.open(place / ".compact", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)
