from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest

from drivetrain.core.errors import StoreError
from drivetrain.store.log import schema_of
from drivetrain.store.tables import Tables

VALUES = {
    "text": ["a"],
    "bytes": [b"a"],
    "yes": [True],
    "i8": pl.Series([1], dtype=pl.Int8),
    "i16": pl.Series([1], dtype=pl.Int16),
    "i32": pl.Series([1], dtype=pl.Int32),
    "i64": [1],
    "u8": pl.Series([1], dtype=pl.UInt8),
    "f32": pl.Series([1.0], dtype=pl.Float32),
    "f64": [1.0],
    "day": [date(2013, 7, 1)],
    "zoned": [datetime(2013, 7, 1, tzinfo=UTC)],
    "naive": [datetime(2013, 7, 1)],  # noqa: DTZ001 - a time without a zone is what is tested
    "money": pl.Series([Decimal("1.25")], dtype=pl.Decimal(12, 2)),
    "list": [[1, 2]],
    "struct": [{"a": 1, "b": ["x"], "c": {"d": datetime(2013, 7, 1, tzinfo=UTC)}}],
    "with space and 'quote' \"": [1],
    "metaData": ["a column of that name"],
}


@pytest.fixture
def tables(tmp_path):
    return Tables(tmp_path / "tables")


def test_every_kept_type_is_read_as_deltalake_reads_it(tables):
    tables.append("t", pl.DataFrame(VALUES))
    assert tables.schema("t") == tables.scan("t").collect_schema()
    assert list(tables.schema("t")) == list(VALUES)


def test_every_version_has_its_own_columns_before_and_after_checkpoints(tables):
    tables.append("t", pl.DataFrame({"a": [1]}))
    for number in range(25):
        tables.append("t", pl.DataFrame({"a": [number]} if number % 7 else {"a": [number], f"x{number}": ["text"]}))
    tables.replace("t", pl.DataFrame({"b": [1.5]}))
    tables.merge("t", pl.DataFrame({"b": [1.5], "c": [True]}), ["b"])
    checkpoints = list(tables._root.rglob("*.checkpoint.parquet"))
    assert len(checkpoints) >= 2
    for version in range(28):
        assert tables.schema("t", version) == tables.scan("t", version).collect_schema(), version


def test_a_damaged_log_is_told(tables):
    tables.append("t", pl.DataFrame({"a": [1]}))
    log = tables._root / "t" / "_delta_log"
    commit = log / f"{0:020d}.json"
    whole = commit.read_text()
    for damage in (whole.replace('\\"long\\"', '\\"complex\\"'), whole.replace("schemaString", "x"), '{"metaData', ""):
        commit.write_text(damage)
        with pytest.raises(StoreError, match="table t can't be read"):
            tables.schema("t")
    commit.write_text(whole)
    (log / f"{0:020d}.checkpoint.parquet").write_bytes(b"no parquet")
    with pytest.raises(StoreError, match="table t can't be read"):
        tables.schema("t")


def test_it_is_read_where_the_rows_are_gone(tables, tmp_path):
    tables.append("t", pl.DataFrame({"a": [1]}))
    shutil.move(tables._root / "t" / "_delta_log", tmp_path / "log")
    assert schema_of(tmp_path / "log", 0) == {"a": pl.Int64()}
