"""CSV, every field as text; rows that don't parse are named by their line."""

from __future__ import annotations

import csv
import io

import polars as pl

from drivetrain.core.errors import SourceError
from drivetrain.data.reader import Unreadable


def read_csv(data: bytes, path: str, separator: str, nulls: tuple[str, ...]) -> tuple[pl.DataFrame, list[Unreadable]]:
    """Reads a CSV file with a header (RFC 4180).

    Args:
        data: The file.
        path: Its name, for messages.
        separator: What parts fields.
        nulls: Texts that stand for a missing value, beside an empty field.

    Returns:
        The rows as text columns, and the lines with too few fields, too many, or bytes that are no UTF-8.

    Raises:
        SourceError: There is no usable header.
    """
    header = _header(data, path, separator)
    if data.endswith(separator.encode()):
        data += b"\n"  # Polars takes no notice of one field too many, if it is empty and nothing follows
    try:
        # An empty field is missing, in quotes too: line by line the two can't be told apart.
        frame = pl.read_csv(data, separator=separator, infer_schema=False, null_values=["", *nulls])
        bad: list[Unreadable] = []
        # Polars fills a short row up with nulls: only a null in the last column can be one.
        if frame.columns[-1:] and frame[frame.columns[-1]].null_count():
            frame, bad = _line_by_line(data, header, separator, nulls)
    except pl.exceptions.PolarsError:
        frame, bad = _line_by_line(data, header, separator, nulls)
    return frame, bad


_DISGUISES: dict[bytes, str] = {
    b"PAR1": "Parquet",
    b"ARROW1": "Arrow",
    b"PK\x03\x04": "a workbook or a zip archive",
    b"\x1f\x8b": "packed with gzip",
    b"\x28\xb5\x2f\xfd": "packed with Zstandard",
    b"SQLite format 3": "a SQLite database",
    b"%PDF": "PDF",
    b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
    b"<!doctype html": "a web page",
    b"<html": "a web page",
    b'{"': "JSON",
    b"[{": "JSON",
}
"""What a file that is no CSV begins with, in small letters where it is text → what it is."""


def _undisguised(data: bytes, path: str) -> None:
    begin = data[:64].removeprefix(b"\xef\xbb\xbf").lstrip()
    kinds = [kind for mark, kind in _DISGUISES.items() if begin.startswith(mark) or begin.lower().startswith(mark)]
    if not kinds and b"\0" in data[:1_000].partition(b"\n")[0]:
        kinds = ["bytes that are no text in UTF-8"]
    if kinds:
        raise SourceError(
            f"{path} is no CSV", found=kinds[0], expected="text in UTF-8", do="Deliver the file again, as CSV"
        )


def _header(data: bytes, path: str, separator: str) -> list[str]:
    _undisguised(data, path)
    first = next(csv.reader(io.StringIO(data[:1_000_000].decode("utf-8-sig", "replace")), delimiter=separator), [])
    if not any(first):
        raise SourceError(f"{path} has no header", expected="column names in its first line")
    twice = sorted({name for name in first if first.count(name) > 1})
    if twice:
        raise SourceError(f"{path} names a column twice", found=", ".join(map(repr, twice)))
    return first


def _line_by_line(
    data: bytes, header: list[str], separator: str, nulls: tuple[str, ...]
) -> tuple[pl.DataFrame, list[Unreadable]]:
    missing = {"", *nulls}
    rows: list[list[str | None]] = []
    bad: list[Unreadable] = []
    lines = io.StringIO(data.decode("utf-8-sig", "surrogateescape"), newline="")
    reader = csv.reader(lines, delimiter=separator)
    next(reader)
    while True:
        try:
            fields = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            bad.append(Unreadable(reader.line_num, f"unreadable row: {error}", ""))
            continue
        if not fields:
            continue
        reason = _fault(fields, len(header))
        if reason:
            shown = separator.join(fields).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            bad.append(Unreadable(reader.line_num, reason, shown))
        else:
            rows.append([None if field in missing else field for field in fields])
    schema = dict.fromkeys(header, pl.String)
    return pl.DataFrame(rows, schema=schema, orient="row"), bad


def _fault(fields: list[str], expected: int) -> str | None:
    if len(fields) != expected:
        return f"unreadable row: found {len(fields)} fields, expected {expected}"
    if any("\udc80" <= letter <= "\udcff" for field in fields for letter in field):
        return "unreadable row: found bytes that are not UTF-8"
    return None
