"""Subjects that were forgotten: known by a digest, so that their rows are left out when a source brings them again."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from drivetrain.core.clock import Micros
from drivetrain.core.protocols import Catalog
from drivetrain.core.records import Forgetting
from drivetrain.core.settings import PrivacySettings, StoreSettings
from drivetrain.data.arrival import EVENT_TIME
from drivetrain.data.privacy.key import read_key
from drivetrain.data.quarantine import Refused

LEFT_OUT = "of a subject that was forgotten: left out"


def place_of_key(settings: PrivacySettings, store: StoreSettings) -> str:
    """Where the key is that digests of subjects are made with."""
    return settings.key or f"file:{store.root}/privacy.key"


def subject_digest(key: bytes, entity: str, values: Sequence[str]) -> str:
    """HMAC-SHA256 (RFC 2104) of an entity's name and the texts of its key, hex.

    Example:
        >>> subject_digest(b"k" * 32, "customer", ["c004"])[:12]
        '5e231ad6fd3a'
    """
    return hmac.new(key, "\x1f".join([entity, *values]).encode(), hashlib.sha256).hexdigest()


class Forgotten:
    """The subjects that are known to have been forgotten, as one table names them.

    Args:
        catalog: Where that is on record.
        folder: The project folder.
        table: The table.
    """

    def __init__(self, catalog: Catalog, folder: Path, table: str) -> None:
        self._ways: dict[tuple[str, tuple[str, ...]], _Way] = {}
        for record in catalog.find(Forgetting):
            for columns in record.places.get(table, ()):
                way = self._ways.get((record.entity, columns))
                if way is None:
                    key = read_key(record.sealed, folder)
                    way = self._ways[record.entity, columns] = _Way(record.entity, columns, key)
                for known in filter(None, (record.digest, record.given)):
                    way.moments[known] = max(record.at, way.moments.get(known, record.at))

    def __bool__(self) -> bool:
        return bool(self._ways)

    def without(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows, with their event times, but those of a subject from before it was forgotten."""
        for way in self._ways.values():
            if not rows.is_empty() and set(way.columns) <= set(rows.columns):
                texts = rows.select(pl.col(column).cast(pl.String) for column in way.columns)
                known = texts.unique().drop_nulls()
                until = pl.Series("_until", [way.until(row) for row in known.iter_rows()], dtype=pl.Int64)
                bound = texts.join(known.with_columns(until), on=way.columns, how="left", maintain_order="left")
                early = rows[EVENT_TIME].dt.epoch("us") <= bound["_until"]
                rows = rows.filter(~early.fill_null(value=False))
        return rows

    def without_refused(self, rows: Sequence[Refused]) -> list[Refused]:
        """Rows that a contract refused, but those of such a subject."""
        return [row for row in rows if not any(way.until(way.read(row.row)) is not None for way in self._ways.values())]


class _Way:
    """One way in which subjects are named in a table, and until when each was forgotten."""

    def __init__(self, entity: str, columns: tuple[str, ...], key: bytes) -> None:
        self.columns = columns
        self.moments: dict[str, Micros] = {}
        self._entity = entity
        self._key = key

    def until(self, texts: Sequence[str]) -> Micros | None:
        return self.moments.get(subject_digest(self._key, self._entity, texts))

    def read(self, row: str) -> list[str]:
        try:
            values = json.loads(row)
        except ValueError:
            return []
        known = isinstance(values, dict) and all(values.get(column) is not None for column in self.columns)
        return [text_of(values[column]) for column in self.columns] if known else []


def text_of(value: object) -> str:
    """A value as text: as JSON has it, text without its quotes."""
    return value if isinstance(value, str) else json.dumps(value)
