"""The columns of a file that a program reads, where it is there: its head is read, as data."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from drivetrain.loop.adopt.values import Read

_ROWS = 1_000


def header(folder: Path, read: Read) -> dict[str, str]:
    """Column → type, of the file that is read; nothing where it is not there, or not one of a few forms.

    Args:
        folder: Where the program is; its paths may be relative to it.
        read: What it reads.
    """
    if read.how != "file" or not read.place or "://" in read.place:
        return {}
    path = folder / read.place
    try:
        if not path.is_file():
            return {}
        if path.suffix.lower() in {".csv", ".tsv", ".txt"}:
            tab = "\t" if path.suffix.lower() == ".tsv" else ","
            frame = pl.read_csv(path, n_rows=_ROWS, separator=tab, try_parse_dates=True, ignore_errors=True)
        elif path.suffix.lower() in {".parquet", ".pq"}:
            frame = pl.read_parquet(path, n_rows=_ROWS)
        else:
            return {}
    except (pl.exceptions.PolarsError, OSError, ValueError):
        return {}
    return {name: _type(dtype) for name, dtype in frame.schema.items()}


def _type(dtype: pl.DataType) -> str:
    if dtype == pl.Boolean:
        return "bool"
    if dtype.is_integer():
        return "int"
    if dtype.is_numeric():
        return "float"
    if dtype == pl.Date:
        return "date"
    return "time" if dtype.is_temporal() else "string"
