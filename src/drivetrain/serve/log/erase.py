"""What was logged of one subject, erased: from the tables, and from the segments that workers are still writing."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from contextlib import nullcontext
from pathlib import Path

import msgspec
import polars as pl

from drivetrain.core.records import Explanation, Prediction
from drivetrain.serve.log.columns import explanations_table, feedback_table, predictions_table
from drivetrain.serve.log.compact import alone, moved
from drivetrain.serve.log.frame import MAGIC, Damage, Entry, erased, scan, unpack
from drivetrain.serve.log.requested import field_of
from drivetrain.serve.log.segment import SUFFIX, segments
from drivetrain.store.bundle import Store

Row = tuple[str, int]
"""A request's id and the position of an instance in it."""


class Subject(msgspec.Struct, frozen=True):
    """How one subject is known in a log.

    Attributes:
        fields: Field of a request → text of its value; all of them name the subject.
        entities: Texts that name rows of the subject in predictions and feedback.
    """

    fields: Mapping[str, str]
    entities: frozenset[str] = frozenset()


class Erased(msgspec.Struct, frozen=True):
    """What was erased, or would be."""

    predictions: int = 0
    feedback: int = 0
    explanations: int = 0
    frames: int = 0
    """Entries overwritten in segments that are still being written, or were kept as damaged."""


def erase(
    store: Store, folder: Path, endpoint: str, subject: Subject, *, dry: bool = False, purge: Collection[str] = ()
) -> Erased:
    """Erases what an endpoint logged of a subject, while workers go on logging.

    Entries are first moved to the tables; what is theirs is deleted there and overwritten in the segments, and tables
    that lost something are purged. Killed at any instant, doing it again does the rest.

    Args:
        store: Where the tables are.
        folder: The log folder of the server.
        endpoint: Which endpoint.
        subject: Whom to erase.
        dry: Only count, and move nothing.
        purge: Tables that are purged in any case.
    """
    place = folder / endpoint
    with alone(place) if place.is_dir() else nullcontext():
        if not dry and place.is_dir():
            moved(store, endpoint, place)
        logged = [entry for path in _files(place) for _, entry in _entries(path)]
        rows, entities = _rows_of(store, endpoint, subject, logged)
        counts = _delete(store, endpoint, rows, entities, dry=dry)
        lost = [
            table for table, count in zip(log_tables(endpoint), msgspec.structs.astuple(counts), strict=False) if count
        ]
        for table in {*lost, *purge} if not dry else ():
            store.tables.purge(table)
        frames = sum(_overwrite(path, rows, entities, subject, dry=dry) for path in _files(place))
    return msgspec.structs.replace(counts, frames=frames)


def log_tables(endpoint: str) -> tuple[str, str, str]:
    """The tables of an endpoint's log."""
    return predictions_table(endpoint), feedback_table(endpoint), explanations_table(endpoint)


def _files(place: Path) -> list[Path]:
    return [*segments(place), *sorted(place.glob("*.damaged"))]


def _entries(path: Path) -> list[tuple[tuple[int, bytes], Entry]]:
    """Every entry of a file, with where it lies and what is to lie there."""
    data = path.read_bytes()
    return [
        ((piece.start, erased(piece)), unpack(piece.body))
        for piece in scan(data, len(MAGIC))
        if not isinstance(piece, Damage)
    ]


def _rows_of(
    store: Store, endpoint: str, subject: Subject, logged: Collection[Entry]
) -> tuple[frozenset[Row], frozenset[str]]:
    """Predictions of the subject, and the texts that name its rows and no one else's."""
    mine = {
        (entry.request_id, entry.row, entry.entity)
        for entry in logged
        if isinstance(entry, Prediction)
        if _is_of(entry, subject)
    }
    others = {entry.entity for entry in logged if isinstance(entry, Prediction) if not _is_of(entry, subject)}
    table = predictions_table(endpoint)
    if store.tables.version(table) is not None:
        found = store.tables.scan(table).select("request_id", "row", "entity", is_of=_matches(subject)).collect()
        mine |= set(found.filter("is_of").drop("is_of").iter_rows())
        others |= set(found.filter(~pl.col("is_of"))["entity"])
    named = {entity for _, _, entity in mine if entity} - others
    return frozenset((request, row) for request, row, _ in mine), frozenset(subject.entities | named)


def _is_of(entry: Prediction, subject: Subject) -> bool:
    if entry.entity in subject.entities:
        return True
    request = msgspec.json.decode(entry.request)
    return isinstance(request, dict) and all(
        name in request and text_of(request[name]) == text for name, text in subject.fields.items()
    )


def text_of(value: object) -> str:
    """A value as JSON has it, text without its quotes; so keys are compared."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _matches(subject: Subject) -> pl.Expr:
    fields = [field_of(name) == text for name, text in subject.fields.items()]
    named = pl.col("entity").is_in(list(subject.entities))
    return (named | pl.all_horizontal(fields)).fill_null(value=False)


def _delete(store: Store, endpoint: str, rows: Collection[Row], entities: Collection[str], *, dry: bool) -> Erased:
    counts = []
    ids = [f"{request}/{row}" for request, row in rows]
    for table in log_tables(endpoint):
        if store.tables.version(table) is None:
            counts.append(0)
            continue
        schema = store.tables.schema(table)
        mine = pl.concat_str("request_id", pl.col("row").cast(pl.String), separator="/").is_in(ids)
        clauses = [f"request_id || '/' || CAST(row AS VARCHAR) IN ({_listed(ids)})"] if ids else []
        if "entity" in schema and entities:
            mine |= pl.col("entity").is_in(list(entities))
            clauses.append(f"entity IN ({_listed(entities)})")
        count = int(store.tables.scan(table).filter(mine).select(pl.len()).collect().item())
        counts.append(count)
        if count and not dry:
            store.tables.delete(table, " OR ".join(clauses))
    return Erased(*counts)


def _listed(texts: Collection[str]) -> str:
    return ", ".join("'" + text.replace("'", "''") + "'" for text in sorted(texts))


def _overwrite(path: Path, rows: Collection[Row], entities: Collection[str], subject: Subject, *, dry: bool) -> int:
    """Puts nothing in the place of the subject's entries; a worker that appends to the file is not disturbed."""
    changes = [place for place, entry in _entries(path) if _names(entry, rows, entities)]
    data = path.read_bytes()
    needles = [text.encode() for text in (*subject.fields.values(), *entities) if len(text) > 3]
    damage = [piece for piece in scan(data, len(MAGIC)) if isinstance(piece, Damage)]
    if damage and damage[-1].end == len(data) and path.suffix == SUFFIX:
        damage.pop()  # it may be an entry on its way
    changes += [
        (piece.start, bytes(piece.end - piece.start))
        for piece in damage
        if any(needle in data[piece.start : piece.end] for needle in needles)
    ]
    if changes and not dry:
        file = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            for at, nothing in changes:
                os.pwrite(file, nothing, at)
            os.fsync(file)
        finally:
            os.close(file)
    return len(changes)


def _names(entry: Entry, rows: Collection[Row], entities: Collection[str]) -> bool:
    if (entry.request_id, entry.row) in rows:
        return True
    return not isinstance(entry, Explanation) and entry.entity in entities
