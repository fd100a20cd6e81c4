"""What monitors saw and told, on a terminal: a course of each figure, alerts in words, and who can't be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from drivetrain.cli.door import out
from drivetrain.cli.lines import width, wrapped
from drivetrain.cli.sparkline import sparkline
from drivetrain.core.clock import iso
from drivetrain.evaluate.wording import figure, micros
from drivetrain.loop.alerting.alerts import SinkState
from drivetrain.loop.report import Sparse
from drivetrain.monitor.alerting.quality import AlertQuality

_STYLES = {"critical": "bold red", "warning": "yellow", "info": "dim"}
_NAME, _LAST = 12, 12
"""Columns of a course's name, and of its newest figure."""


def show_course(metric: str, windows: Sequence[Sparse]) -> None:
    """A line each for the metric, drift, traffic and latency over the newest windows."""
    if not windows:
        return
    room = width() - 2 - _NAME - 1 - 2 - _LAST
    last = windows[-1]
    newest = next((one.metric for one in reversed(windows) if one.metric is not None), None)
    rows: list[tuple[str, list[float | None], str, bool]] = [
        (metric, [one.metric for one in windows], "" if newest is None else figure(newest), False),
        ("drift", [one.drift for one in windows], "" if last.drift is None else f"{last.drift:.1f}× limit", True),
        ("traffic", [float(one.predictions) for one in windows], f"{last.predictions:,}", True),
        ("latency p99", [one.latency_p99_us for one in windows], micros(last.latency_p99_us), True),
    ]
    for name, values, said, zero in rows:
        if any(value is not None for value in values):
            line = sparkline(values, room, zero=zero)
            out.print(f"  {_short(name):<{_NAME}} {line}  {said}", markup=False)


def show_alerts(status: Mapping[str, Any]) -> None:
    """Open alerts with what to do next, silences, sinks that are away, and how good alerts were."""
    opened, total = status["alerts_open"], status["alerts_total"]
    out.print(f"\n{opened} open alert{'' if opened == 1 else 's'}, {total} in all", markup=False)
    for alert in status["alerts"]:
        quiet = " (silenced)" if alert["silenced"] else ""
        seen = " (seen)" if alert["acknowledged"] else ""
        head = f"{alert['severity']}{quiet}{seen}  {alert['id'][:8]}"
        wrapped(head, indent=2, style=_STYLES[alert["severity"]])
        wrapped(alert["message"], indent=4)
        if alert["cause"]:
            wrapped(f"Probably: {alert['cause']}", indent=4)
        if alert["runbook"]:
            wrapped(f"Do: {alert['runbook']}", indent=4)
        for command in alert["commands"]:
            wrapped(command, indent=4, style="dim")
    for one in status["silences"]:
        where = f" on {one.endpoint}" if one.endpoint else ""
        wrapped(f"silenced until {iso(one.until)[:16]}Z: {one.rule}{where} – {one.because}", indent=2, hang=2)
    _sinks(status["sinks"])
    _quality(status["alert_quality"])


def _sinks(sinks: Sequence[SinkState]) -> None:
    for one in sinks:
        if one.state == "away":
            words = f"{one.sink} is away: {one.waiting} waiting since {one.oldest[:16]}Z. {one.error}"
            wrapped(words, indent=2, hang=2, style="yellow")
        elif one.state == "gone":
            wrapped(f"{one.sink}: {one.waiting} waiting, but no monitor names it any more", indent=2, hang=2)


def _quality(quality: Sequence[AlertQuality]) -> None:
    for one in quality[1:]:
        if one.precision is not None or one.flaps:
            wrapped(f"{one.rule}: {one.words}", indent=2, hang=2, style="dim")


def _short(name: str) -> str:
    words = name.replace("_", " ")
    return words if len(words) <= _NAME else words[: _NAME - 1] + "…"
