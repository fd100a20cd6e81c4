"""A window, and such windows before it: where each moment lies, and by when its row had to be known."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from drivetrain.core.clock import DAY, Micros
from drivetrain.monitor.tables.spec import DataMonitor

WEEK = 7 * DAY
LEAST = 4
"""Windows before that it takes to say what is usual."""

Places = npt.NDArray[np.int64]


class Spans(NamedTuple):
    """A window and what it is held against.

    Attributes:
        since: Start of the window.
        until: Its end, outside it.
        reference: Start and end of what it is held against.
        before: Such windows in the reference, oldest first: of the same day of the week where a window is one day long.
        length: How long a window is.
    """

    since: Micros
    until: Micros
    reference: tuple[Micros, Micros]
    before: tuple[tuple[Micros, Micros], ...]
    length: Micros

    def place(self, moments: Places) -> Places:
        """Number of the window before that each moment lies in, oldest first; -1 for none."""
        starts = np.asarray([since for since, _ in self.before], np.int64)
        if not len(starts):
            return np.full(len(moments), -1, np.int64)
        at = np.searchsorted(starts, moments, side="right") - 1
        inside = (at >= 0) & (moments < starts[at] + self.length)
        return np.where(inside, at, -1)

    def ends(self, moments: Places) -> Places:
        """End of the window that each moment lies in: of the window itself, or of one in the reference's own course."""
        anchor = self.reference[1]
        back = (anchor - 1 - moments) // self.length
        return np.where(moments >= self.since, self.until, anchor - back * self.length)

    def known(self, moments: Places, available: Places, wait: Micros) -> npt.NDArray[np.bool_]:
        """Which rows are looked at: of the window or the reference, and known by ``wait`` after their window's end."""
        low, high = self.reference
        here = ((moments >= low) & (moments < high)) | ((moments >= self.since) & (moments < self.until))
        return np.asarray(here & (available <= self.ends(moments) + wait))


def spans_of(monitor: DataMonitor, since: Micros, first: Micros | None) -> Spans:
    """The window that starts at ``since``, and what it is held against.

    Args:
        monitor: What is watched.
        since: Start of the window.
        first: The first event there is: before it nothing was, and that is not held against a window.

    Example:
        >>> watch = DataMonitor(watched="table:t", table="t", window="1d", reference="28d")
        >>> spans = spans_of(watch, 100 * DAY, 0)
        >>> [since // DAY for since, _ in spans.before]
        [72, 79, 86, 93]
    """
    length = monitor.window_us
    low, high = monitor.span or (since - monitor.trailing_us, since)
    high = min(high, since)  # of a stated time, what comes after the window's start is not before it
    if first is not None:
        low = max(low, -(-first // DAY) * DAY)  # the first day may have begun before its first row
    before: list[tuple[Micros, Micros]] = []
    for step in (WEEK if length == DAY else length, length):
        last = since - step if monitor.span is None else high - length
        if step > length:
            last -= (last - since) % step  # the same day of the week
        before = [(at, at + length) for at in range(last, low - 1, -step)]
        if len(before) >= LEAST:
            break
    return Spans(since, since + length, (low, max(high, low)), tuple(before[::-1]), length)
