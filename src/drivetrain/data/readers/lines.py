"""JSON lines; a line that is no object is named, the others are read."""

from __future__ import annotations

from typing import Any

import msgspec
import polars as pl

from drivetrain.data.reader import Unreadable
from drivetrain.data.readers.columns import frame_of_rows


def read_jsonl(data: bytes) -> tuple[pl.DataFrame, list[Unreadable]]:
    """Reads one JSON object a line (JSON Lines 1.0).

    A member with one type throughout keeps it; one with several, and nested values, become text. A missing member is
    null. Blank lines are passed over.

    Args:
        data: The file.

    Returns:
        The rows, and the lines that are not a JSON object.
    """
    decoder = msgspec.json.Decoder(dict[str, Any])
    rows: list[dict[str, Any]] = []
    bad: list[Unreadable] = []
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            rows.append(decoder.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            bad.append(Unreadable(number, f"unreadable row: {error}", line.decode("utf-8", "replace")))
    return frame_of_rows(rows), bad
