"""What a file is, by its name; and what is packed, unpacked to where it can be read from any place on."""

from __future__ import annotations

import gzip
import shutil
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, Literal, TypeAlias, get_args

from drivetrain.core.errors import MissingExtra, SourceError

Format: TypeAlias = Literal["parquet", "csv", "tsv", "jsonl", "ndjson", "arrow", "excel"]
FORMATS: tuple[Format, ...] = get_args(Format)
SUFFIXES: dict[str, Format] = {
    **{f".{name}": name for name in FORMATS if name != "excel"},
    ".ipc": "arrow",
    ".feather": "arrow",
    ".xlsx": "excel",
    ".xlsm": "excel",
    ".xlsb": "excel",
    ".xls": "excel",
    ".ods": "excel",
}
_PACKED = (".gz", ".zst", ".zstd")


def format_of(name: str, declared: Format | None) -> Format:
    """The format of a file.

    Raises:
        SourceError: It can't be told.
    """
    path = PurePosixPath(name.lower())
    inner = path.with_suffix("") if path.suffix in _PACKED else path
    kind = declared or SUFFIXES.get(inner.suffix)
    if kind is None:
        raise SourceError(
            f"{name} has a format that can't be told from its name",
            expected=f"one of {', '.join(SUFFIXES)}",
            do='Name it: dt.files(…, format="csv")',
        )
    return kind


@contextmanager
def unpacked(path: Path, name: str) -> Iterator[Path]:
    """A file's content as a file: itself, or unpacked into a temporary one as ``.gz`` or ``.zst`` in its name asks.

    Raises:
        SourceError: It is cut off or damaged.
        MissingExtra: Zstandard needs a library that is not there.
    """
    suffix = PurePosixPath(name.lower()).suffix
    if suffix not in _PACKED:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="drivetrain-") as scratch:
        plain = Path(scratch) / "content"
        opened, damage = (gzip.open, zlib.error) if suffix == ".gz" else _zstandard(name)
        try:
            with opened(path, "rb") as packed, plain.open("wb") as file:
                shutil.copyfileobj(packed, file, 1 << 20)
        except (EOFError, OSError, damage) as error:
            raise SourceError(
                f"{name} can't be unpacked: {str(error).rstrip('.')}",
                found=f"{path.stat().st_size} bytes",
                do="Deliver the file again, or move it out of the way",
            ) from None
        yield plain


def _zstandard(name: str) -> tuple[Callable[..., Any], type[Exception]]:
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd  # noqa: PLC0415 - of a newer Python
        else:
            from backports import zstd  # noqa: PLC0415 - an optional library
    except ImportError:
        raise MissingExtra(f"{name} is packed with Zstandard", do='Run: pip install "drivetrain[zstd]"') from None
    return zstd.open, zstd.ZstdError
