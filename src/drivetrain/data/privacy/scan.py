"""Finds personal data in text: many texts are joined and looked at once, and the patterns where it could be.

Two ways to the same spans: compiled (``_kernel.c``), where the package was installed on a machine with a compiler, and
in Python (:mod:`.candidates`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import compress
from operator import attrgetter

import numpy as np
import polars as pl
from msgspec.structs import replace

from drivetrain.data.privacy import numbers, patterns
from drivetrain.data.privacy.candidates import Candidates
from drivetrain.data.privacy.patterns import FOUND
from drivetrain.data.privacy.span import LIKELY, Span
from drivetrain.data.privacy.text import Text

try:
    from drivetrain.data.privacy._kernel import find
except ImportError:  # built where there was no compiler
    find = None  # type: ignore[assignment, unused-ignore]

_Look = Callable[[Text, int], Iterator[Span]]
_LOOKS: tuple[_Look, ...] = (
    numbers.phones,
    numbers.numbers,
    numbers.lettered,
    patterns.coloned,
    patterns.streets,
)
"""What looks at the places that the kernel tells, in its order."""
_KINDS, _SCORES, _WHYS = np.array(FOUND, dtype=object).T
_START, _END = attrgetter("start"), attrgetter("end")


def compiled() -> bool:
    """Whether texts are looked at by compiled code."""
    return find is not None


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
    """The same in UTF-8; offsets are of bytes. Nothing goes beyond its line."""
    return _quick(data, least) if compiled() else _plain(data, least)


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


def _plain(data: bytes, least: float) -> list[Span]:
    candidates, text = Candidates(data), Text(data)
    looks: tuple[tuple[list[int], _Look], ...] = (
        (candidates.ats(), patterns.emails),
        (candidates.dotted(), patterns.addresses_v4),
        (candidates.phones(), numbers.phones),
        (candidates.numbers(), numbers.numbers),
        (candidates.lettered(), numbers.lettered),
        (candidates.separators(), patterns.coloned),
        (candidates.houses(), patterns.streets),
    )
    found = (span for places, look in looks for place in places for span in look(text, place))
    return _parted([span for span in found if span.score >= least])


def _quick(data: bytes, least: float) -> list[Span]:
    """What the kernel found, and what the patterns find where it says that something may be."""
    told = np.frombuffer(find(data), dtype=np.int64).reshape(-1, 3)
    places = told[told[:, 0] >= len(FOUND)]
    told = told[told[:, 0] < len(FOUND)]
    told = told[_SCORES[told[:, 0]] >= least]
    what, starts, ends = told.T
    columns = (_KINDS[what], starts, ends, _SCORES[what], _WHYS[what])
    spans = list(map(Span, *(column.tolist() for column in columns)))
    text = Text(data)
    for kind, place, _ in places.tolist():
        spans.extend(span for span in _LOOKS[kind - len(FOUND)](text, place) if span.score >= least)
    if len(spans) == len(told) and (told[1:, 1] >= told[:-1, 2]).all():
        return spans
    return _parted(spans)


def _parted(spans: list[Span]) -> list[Span]:
    """The same as :func:`_apart`, which then sees only what overlaps; most does not."""
    if not spans:
        return spans
    spans.sort(key=_START)
    starts = np.fromiter(map(_START, spans), np.int64, len(spans))
    reach = np.maximum.accumulate(np.fromiter(map(_END, spans), np.int64, len(spans)))
    free = np.concatenate([[True], starts[1:] >= reach[:-1]])
    alone = free & np.concatenate([free[1:], [True]])
    if alone.all():
        return spans
    crowded = _apart(compress(spans, ~alone))
    return sorted([*compress(spans, alone), *crowded], key=_START)


def _apart(spans: Iterable[Span]) -> list[Span]:
    """Of spans that overlap, the surest, then the longest."""
    kept: list[Span] = []
    for span in sorted(spans, key=_order):
        if kept and span.start < kept[-1].end:
            last = kept[-1]
            if (span.score, span.end - span.start) > (last.score, last.end - last.start):
                kept[-1] = span
        else:
            kept.append(span)
    return kept


def _order(span: Span) -> tuple[int, float, int, str, str]:
    return (span.start, -span.score, -span.end, span.kind, span.why)


def texts_of(column: pl.Series) -> list[str]:
    """A column's values as text, without nulls."""
    return column.drop_nulls().cast(pl.String).to_list()
