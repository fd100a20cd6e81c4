"""Which rows a window is held against: those of training, of the weeks before, or of the same season."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import polars as pl

from drivetrain.core.clock import DAY, Micros, duration
from drivetrain.monitor.drift import comparable, whole_days
from drivetrain.monitor.reference import Reference
from drivetrain.monitor.sketch.table import history
from drivetrain.monitor.spec import Drift, ReferenceName

YEAR = 365 * DAY
YEARS = 3
"""Years that are looked back over."""
AROUND = 21 * DAY
"""How long before and after the same days of a year before still counts as their season."""

Sketched = Callable[[Micros, Micros], pl.DataFrame]
"""Sketches of the version's hours in a stretch of time, of schema ``ROWS``."""


class Against(msgspec.Struct, frozen=True):
    """What a window is held against.

    Attributes:
        reference: The rows.
        name: Which they are.
        note: Why they are not those that were asked for; empty where they are.
    """

    reference: Reference
    name: ReferenceName = "training"
    note: str = ""


def choose_reference(asked: Drift, training: Reference, sketched: Sketched, since: Micros, until: Micros) -> Against:
    """Chooses, and says so where there is too little history for what was asked.

    Args:
        asked: What the monitor is held against.
        training: The version's profile.
        sketched: The version's own history.
        since: Start of the window.
        until: Its end.
    """
    if asked.reference == "training":
        return Against(training)
    if asked.reference == "trailing":
        rows = sketched(since - duration(asked.trailing), since)
    else:
        back = [YEAR * year for year in range(1, YEARS + 1)]
        rows = pl.concat([sketched(since - gone - AROUND, until - gone + AROUND) for gone in back])
    found = history(training, rows)
    days = whole_days(since, until)
    if found is not None and comparable(found, days):
        return Against(found, asked.reference)
    what = "weeks before" if asked.reference == "trailing" else "same season of years before"
    held = "none" if found is None else f"{len(found.days)} days"
    return Against(
        training, note=f"the version's own answers of the {what} are too few ({held}): held against its training rows"
    )
