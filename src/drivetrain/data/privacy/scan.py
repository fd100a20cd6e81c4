"""Finds personal data in text: a joined text is looked at once, and the patterns where it could be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import polars as pl
from msgspec.structs import replace

from drivetrain.data.privacy import patterns
from drivetrain.data.privacy.candidates import Candidates
from drivetrain.data.privacy.patterns import Text
from drivetrain.data.privacy.span import LIKELY, Span

_DENSE = 0.5
"""Share of lines from which on it is quicker to look at them all."""
_WORTH = (
    r"@|\d[\d .()/\-+A-Z]{4,}[\dA-Z]|\d\.\d+\.\d|[0-9A-Fa-f]?:[0-9A-Fa-f]*:|\d{1,5}[A-Za-z]?,? [A-Z0-9]"
    r"|\d (?:rue|ave|bou|pla|che|imp)|(?:\x{DF}e|se|ee|r\.|eg|tz) \d"
)
"""What a line must have for anything to be in it; Rust's regular expressions look at hundreds of megabytes a second."""


def scan(text: str, *, least: float = LIKELY) -> list[Span]:
    """Personal data in a text, in order; where two overlap, the surer one.

    Args:
        text: Any text.
        least: Score from which a span is given.

    Example:
        >>> [(span.kind, text[span.start : span.end]) for text in ["mail ada@example.org"] for span in scan(text)]
        [('email', 'ada@example.org')]
    """
    data = text.encode()
    spans = scan_bytes(data, least=least)
    if len(data) == len(text):
        return spans
    starts = np.frombuffer(data, dtype=np.uint8)
    letters = np.concatenate([[0], np.cumsum((starts & 0xC0) != 0x80)])
    return [replace(span, start=int(letters[span.start]), end=int(letters[span.end])) for span in spans]


def scan_bytes(data: bytes, *, least: float = LIKELY) -> list[Span]:
    """The same in UTF-8; offsets are of bytes.

    Nothing goes beyond its line. So lines without anything that could begin a span are put aside first, all at once,
    and the rest is looked at as one text.
    """
    lines = data.split(b"\n")
    worth = pl.Series(data.decode("utf-8", "replace").split("\n"), dtype=pl.String).str.contains(_WORTH)
    if float(worth.cast(pl.Float64).sum()) > _DENSE * len(lines):
        return _apart(span for span in _found(data) if span.score >= least)
    starts = np.concatenate([[0], np.cumsum(np.fromiter(map(len, lines), np.int64, len(lines)) + 1)])
    kept = np.flatnonzero(worth.to_numpy())
    some = [lines[place] for place in kept.tolist()]
    begins = np.concatenate([[0], np.cumsum(np.fromiter(map(len, some), np.int64, len(some)) + 1)])
    found = _apart(span for span in _found(b"\n".join(some)) if span.score >= least)
    places = np.searchsorted(begins, [span.start for span in found], side="right") - 1
    moves = (starts[kept[places]] - begins[places]).tolist() if found else []
    return [
        replace(span, start=span.start + move, end=span.end + move) for span, move in zip(found, moves, strict=True)
    ]


def scan_rows(rows: Sequence[str | None], *, least: float = LIKELY) -> list[tuple[int, Span]]:
    """Personal data in many texts: the text's number, and the span in its bytes."""
    encoded = [b"" if row is None else row.encode().replace(b"\n", b" ") for row in rows]
    ends = np.cumsum([len(row) + 1 for row in encoded])
    found = scan_bytes(b"\n".join(encoded), least=least)
    places = np.searchsorted(ends, [span.start for span in found], side="right")
    return [
        (place, replace(span, start=span.start - begin, end=span.end - begin))
        for span, place in zip(found, places.tolist(), strict=True)
        for begin in [int(ends[place - 1]) if place else 0]
    ]


def _found(data: bytes) -> Iterator[Span]:
    candidates, text = Candidates(data), Text(data)
    for at in candidates.ats():
        yield from patterns.emails(text, at)
    for start, end, digits in candidates.numbers():
        yield from patterns.numbers(text, start, end, digits)
    for dot in candidates.dotted():
        yield from patterns.addresses_v4(text, dot)
    for colon in candidates.colons():
        yield from patterns.coloned(text, colon)
    for house in candidates.houses():
        yield from patterns.streets(text, house)


def _apart(spans: Iterable[Span]) -> list[Span]:
    """Of spans that overlap, the surest, then the longest."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda one: (one.start, -one.score, -one.end)):
        if kept and span.start < kept[-1].end:
            if (span.score, span.end - span.start) > (kept[-1].score, kept[-1].end - kept[-1].start):
                kept[-1] = span
        else:
            kept.append(span)
    return kept


def texts_of(column: pl.Series) -> list[str]:
    """A column's values as text, without nulls."""
    return column.drop_nulls().cast(pl.String).to_list()
