"""A Delta table's log as it lies on the disk, read without the library that writes it.

Source: the Delta transaction log protocol, https://github.com/delta-io/delta/blob/master/PROTOCOL.md, sections "Change
Metadata", "Checkpoints" and "Schema Serialization Format".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

_TYPES: Mapping[str, pl.DataType] = {
    "string": pl.String(),
    "binary": pl.Binary(),
    "boolean": pl.Boolean(),
    "byte": pl.Int8(),
    "short": pl.Int16(),
    "integer": pl.Int32(),
    "long": pl.Int64(),
    "float": pl.Float32(),
    "double": pl.Float64(),
    "date": pl.Date(),
    "timestamp": pl.Datetime("us", "UTC"),
    "timestamp_ntz": pl.Datetime("us"),
}
_DECIMAL = re.compile(r"decimal\((\d+),\s*(\d+)\)")


def schema_of(log: Path, version: int) -> pl.Schema:
    """The columns of a table at a version and their types.

    Args:
        log: The log's folder.
        version: A version that is there.

    Raises:
        OSError: A file of the log can't be read.
        ValueError: A file of the log is no such file, or a column is of a type that Polars does not know.
    """
    try:
        fields = json.loads(_described(log, version))["fields"]
        return pl.Schema({field["name"]: _type_of(field["type"]) for field in fields})
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"{log} is not as a log is: {error!r}") from error


def _described(log: Path, version: int) -> str:
    """The last description of the columns up to a version; every checkpoint holds the one before it."""
    for number in range(version, -1, -1):
        checkpoint = log / f"{number:020d}.checkpoint.parquet"
        if checkpoint.exists():
            return _in_checkpoint(checkpoint)
        for line in (log / f"{number:020d}.json").read_text("utf-8").splitlines():
            if '"metaData"' in line and "metaData" in (action := json.loads(line)):
                return str(action["metaData"]["schemaString"])
    raise ValueError(f"{log} does not say what columns there are")


def _in_checkpoint(path: Path) -> str:
    try:
        found = pl.read_parquet(path, columns=["metaData"])["metaData"].struct.field("schemaString").drop_nulls()
        return str(found.item())
    except (pl.exceptions.PolarsError, ValueError) as error:
        raise ValueError(f"{path.name} holds no description of columns: {error}") from error


def _type_of(told: Any) -> pl.DataType:  # noqa: ANN401 - JSON: a name, or an object
    if isinstance(told, str):
        if told in _TYPES:
            return _TYPES[told]
        if scaled := _DECIMAL.fullmatch(told):
            return pl.Decimal(int(scaled[1]), int(scaled[2]))
    elif told.get("type") == "array":
        return pl.List(_type_of(told["elementType"]))
    elif told.get("type") == "struct":
        return pl.Struct({field["name"]: _type_of(field["type"]) for field in told["fields"]})
    raise ValueError(f"no type of Polars is {told}")
