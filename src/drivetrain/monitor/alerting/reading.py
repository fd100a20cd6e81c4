"""A figure of a report by its path: ``latency_p99_us``, ``performance.roc_auc.low``, ``drift.weather.temp``."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import msgspec

from drivetrain.core.errors import ProjectError
from drivetrain.core.records import DataReport, MonitorReport
from drivetrain.evaluate.wording import figure, micros, percent

_NAMES = ("feature", "name")


Report: TypeAlias = MonitorReport | DataReport
"""What rules are put to: a window of an endpoint, or of a table or view."""


def check_path(path: str, report: type[Report] | None = None) -> None:
    """Refuses a path that no report has a figure at.

    Args:
        path: The path.
        report: Which report it is read from; any by default.

    Raises:
        ProjectError: Its first part is no field of a report.
    """
    first = path.partition(".")[0]
    fields = tuple(
        dict.fromkeys(
            name
            for one in ((MonitorReport, DataReport) if report is None else (report,))
            for name in one.__struct_fields__
        )
    )
    if first not in fields:
        near = difflib.get_close_matches(first, fields, 1)
        raise ProjectError(
            "a rule reads a figure that no report has",
            found=repr(path),
            expected=", ".join(fields),
            do=f"Did you mean {near[0]!r}?" if near else None,
        )


def read(report: Report, path: str) -> float | None:
    """The figure at a path, or none where the report has none there.

    Names may hold dots themselves: the longest that fits is taken. A path that ends at a measure or a drift means its
    value.

    Example:
        >>> from drivetrain.core.records import Measure
        >>> report = MonitorReport(endpoint="late", model="late", version=1, since=0, until=7, predictions=90,
        ...     performance={"roc_auc": Measure(0.7, 0.6, 0.8, 90)})
        >>> read(report, "predictions"), read(report, "performance.roc_auc.low"), read(report, "performance.brier")
        (90.0, 0.6, None)
    """
    found = _walk(report, path.split("."))
    if isinstance(found, msgspec.Struct):
        found = getattr(found, "value", None)
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        return float(found) if isinstance(found, bool) else None
    return float(found)


def say(path: str, value: float) -> str:
    """A figure in words, by what its path says of its unit.

    Example:
        >>> say("latency_p99_us", 61_250.0), say("label_share", 0.31), say("predictions", 1200.0)
        ('61.2 ms', '31 %', '1,200')
    """
    last = path.rpartition(".")[2]
    if last.endswith("_us"):
        return micros(value)
    if last.endswith("share"):
        return percent(value)
    return f"{value:,.0f}" if value == int(value) and abs(value) >= 1 else figure(value)


def _walk(value: object, parts: Sequence[str]) -> object:
    if not parts:
        return value
    for length in range(len(parts), 0, -1):
        name, rest = ".".join(parts[:length]), parts[length:]
        if isinstance(value, Mapping) and name in value:
            return _walk(value[name], rest)
        if isinstance(value, Sequence) and not isinstance(value, str):
            for one in value:
                if any(getattr(one, field, None) == name for field in _NAMES):
                    return _walk(one, rest)
        elif isinstance(value, msgspec.Struct) and name in value.__struct_fields__:
            return _walk(getattr(value, name), rest)
    return None
