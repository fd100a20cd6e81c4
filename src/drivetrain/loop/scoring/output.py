"""Parquet files that are there whole or not at all: written aside as rows come, renamed at the end."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from types import TracebackType

import polars as pl
from polars.io.plugins import register_io_source

from drivetrain.core.errors import StoreError, UsageError


class Aside:
    """A folder beside an output, where it is made; gone when it is left.

    What a killed process left behind is removed by the next one on the same machine that makes the same output.

    Args:
        output: The file to be.

    Raises:
        UsageError: There is no folder to put it in, or it is no Parquet file by its name.
    """

    def __init__(self, output: Path) -> None:
        if output.suffix.lower() != ".parquet":
            raise UsageError(f"{output} is no Parquet file", expected="a name that ends in .parquet")
        if not output.parent.is_dir():
            raise UsageError(f"there is no folder {output.parent}", do="Make it, or name another output")
        if output.is_dir():
            raise UsageError(f"{output} is a folder", expected="a file, or nothing yet")
        self._output = output
        self._stem = f".{output.name}.{socket.gethostname()}."
        self._folder = output.parent / f"{self._stem}{os.getpid()}.aside"
        self._parts = count()

    def __enter__(self) -> Aside:
        try:
            self._sweep()
            self._folder.mkdir()
        except OSError as error:
            raise self._failed(error.strerror or "") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def write(self, frames: Iterator[pl.DataFrame], schema: pl.Schema) -> Path:
        """Writes frames as they come, one after the other.

        Args:
            frames: Rows; what making them raises is raised here.
            schema: Their columns.

        Returns:
            The file, aside.

        Raises:
            StoreError: The disk is full, or the folder can't be written.
        """
        failures: list[Exception] = []

        def source(
            _columns: list[str] | None, _predicate: pl.Expr | None, _rows: int | None, _size: int | None
        ) -> Iterator[pl.DataFrame]:
            try:
                yield from frames
            except Exception as error:  # noqa: BLE001 - Polars would put it into words of its own; raised below
                failures.append(error)

        made = self._folder / f"{next(self._parts)}.parquet"
        self._sink(register_io_source(source, schema=schema), made)
        if failures:
            raise failures[0]
        return made

    def keep(self, rows: pl.DataFrame) -> None:
        """Puts rows by for :meth:`gathered`."""
        made = self._folder / "kept"
        made.mkdir(exist_ok=True)
        self._sink(rows.lazy(), made / f"{next(self._parts):09}.parquet")

    def gathered(self) -> Path | None:
        """All rows that were put by, in order, as one file aside; none if there were none."""
        parts = sorted((self._folder / "kept").glob("*.parquet"))
        if not parts:
            return None
        made = self._folder / f"{next(self._parts)}.parquet"
        self._sink(pl.scan_parquet(parts, glob=False), made)
        return made

    def publish(self, made: Path, output: Path) -> None:
        """Gives a file that was made aside its name, in place of any that has it."""
        try:
            with made.open("rb") as file:
                os.fsync(file.fileno())
            made.replace(output)
            folder = os.open(output.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise self._failed(error.strerror or "") from error

    def _sink(self, rows: pl.LazyFrame, path: Path) -> None:
        try:
            rows.sink_parquet(path)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise self._failed((str(error).splitlines() or [""])[0]) from error

    def _sweep(self) -> None:
        for left in self._output.parent.iterdir():
            process = left.name.removeprefix(self._stem).removesuffix(".aside")
            known = left.name == f"{self._stem}{process}.aside" and process.isdecimal()
            if known and (int(process) == os.getpid() or not _runs(int(process))):
                shutil.rmtree(left, ignore_errors=True)

    def _failed(self, said: str) -> StoreError:
        return StoreError(
            f"{self._output} can't be written: {said}", do="Free some disk space or mend the folder, then try again"
        )


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
