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


def _header(data: bytes, path: str, separator: str) -> list[str]:
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
