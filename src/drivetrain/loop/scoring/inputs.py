"""Files of rows to score, read in batches, so that memory does not grow with the file."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec
import polars as pl

from drivetrain.core.errors import SourceError, UsageError
from drivetrain.loop.scoring.instances import Misfit, check_columns, decoded, typed
from drivetrain.serve.plan import RequestField

Format: TypeAlias = Literal["parquet", "csv", "tsv", "jsonl"]
_SUFFIXES: Mapping[str, Format] = {
    ".parquet": "parquet",
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}


@dataclass(frozen=True)
class Batch:
    """Some rows of a file, in its order.

    Attributes:
        first: How many rows came before.
        carried: The rows with every column of the file, untouched.
        values: The endpoint's fields alone, typed; null where a value can't be taken.
        misfits: Where that is so.
    """

    first: int
    carried: pl.DataFrame
    values: pl.DataFrame
    misfits: list[Misfit]


class InputFile:
    """A Parquet, CSV or JSON lines file.

    Args:
        path: The file; its suffix says what it is.
        fields: The endpoint's fields.
        rows: The most rows of a batch.

    Raises:
        UsageError: There is no such file, or its suffix says nothing.
    """

    def __init__(self, path: Path, fields: Sequence[RequestField], rows: int) -> None:
        if not path.is_file():
            raise UsageError(f"there is no file {path}", expected="a file of rows to score")
        if path.suffix.lower() not in _SUFFIXES:
            raise UsageError(f"{path} is of no format that is known", expected=f"one of {', '.join(_SUFFIXES)}")
        self.path = path
        self.format = _SUFFIXES[path.suffix.lower()]
        self._fields = tuple(fields)
        self._rows = rows

    @cached_property
    def schema(self) -> pl.Schema:
        """The file's columns; those of JSON lines have the type that all their values share, or text.

        Raises:
            SourceError: The file can't be read, or its columns can't be the endpoint's fields.
        """
        with self._readable():
            schema = self._scan().collect_schema()
        check_columns(self.path.name, schema, self._fields, by_value=self.format != "parquet")
        return schema

    @cached_property
    def total(self) -> int | None:
        """How many rows there are, where the file says so."""
        if self.format != "parquet":
            return None
        with self._readable():
            return int(self._scan().select(pl.len()).collect().item())

    def batches(self) -> Iterator[Batch]:
        """The rows, in order.

        Raises:
            SourceError: The file can't be read.
        """
        first = 0
        for batch in self._decoded() if self.format == "jsonl" else self._typed():
            yield Batch(first, *batch)
            first += batch[0].height

    def _typed(self) -> Iterator[tuple[pl.DataFrame, pl.DataFrame, list[Misfit]]]:
        with self._readable():
            for read in self._scan().collect_batches(chunk_size=self._rows, lazy=True):
                for rows in read.iter_slices(self._rows):
                    yield rows, *typed(rows, self._fields)

    def _decoded(self) -> Iterator[tuple[pl.DataFrame, pl.DataFrame, list[Misfit]]]:
        decode = msgspec.json.Decoder(dict[str, Any]).decode_lines
        with self._readable(), self.path.open("rb") as file:
            while lines := list(islice(file, self._rows)):
                block = b"".join(line for line in lines if line.strip())
                if block:
                    yield pl.read_ndjson(io.BytesIO(block), schema=self.schema), *decoded(decode(block), self._fields)

    def _scan(self) -> pl.LazyFrame:
        if self.format == "parquet":
            return pl.scan_parquet(self.path, glob=False)
        if self.format == "jsonl":
            return pl.scan_ndjson(self.path, infer_schema_length=None)
        return pl.scan_csv(self.path, glob=False, infer_schema=False, separator="\t" if self.format == "tsv" else ",")

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except (pl.exceptions.PolarsError, msgspec.DecodeError, OSError) as error:
            said = (str(error).splitlines() or [type(error).__name__])[0]
            raise SourceError(f"{self.path} can't be read as {self.format}: {said}") from None
