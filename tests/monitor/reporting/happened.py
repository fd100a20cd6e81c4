"""Accounts made by hand: weeks, alerts and decisions of an endpoint, to tell stories of."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from drivetrain.core.clock import DAY, WEEK
from drivetrain.core.records import Alert, Decision, FeatureDrift, Measure, MonitorReport
from drivetrain.monitor.reporting.account import Account
from monitor.alerting.windows import report

THEN = Measure(0.8, 0.78, 0.82, 9000)


def week(number: int, **more: Any) -> MonitorReport:
    """A calm week: what labels show and what was estimated are what the version was evaluated at."""
    given: dict[str, Any] = {
        "since": number * WEEK,
        "until": (number + 1) * WEEK,
        "performance": {"roc_auc": Measure(0.79, 0.75, 0.83, 1000)},
        "estimated": {"roc_auc": Measure(0.8, 0.76, 0.84, 2000)},
        "reference": {"roc_auc": THEN},
        "drift": (
            FeatureDrift("weather.temp", "psi", 0.1, 0.2, False, 0.0, 0.0, 2000),
            FeatureDrift("plane.age", "psi", 0.05, 0.2, False, 0.0, 0.0, 2000),
        ),
    }
    return report(0, **given | more)


def drifted(number: int, **more: Any) -> MonitorReport:
    """A week in which one of two features drifted to two and a half times its threshold."""
    calm = week(number)
    far = msgspec.structs.replace(calm.drift[0], value=0.5, drifted=True)
    return week(number, **{"drift": (far, calm.drift[1])} | more)


def raised(rule: str, number: int, *, ended: int | None = None, **more: Any) -> Alert:
    """An alert that the week of that number opened; ``ended`` is the week whose end ended it."""
    given: dict[str, Any] = {
        "id": f"{rule}-{number}",
        "endpoint": "late",
        "rule": rule,
        "message": f"late: {rule} broke. More of it.",
        "at": (number + 1) * WEEK,
        "since": number * WEEK,
        "window": WEEK,
        "state": "open" if ended is None else "resolved",
        "resolved": None if ended is None else (ended + 1) * WEEK,
    }
    return Alert(**given | more)


def decided(what: str, day: int, version: int | None = None, because: str = "for a reason", **more: Any) -> Decision:
    """A decision of the loop, dated a day."""
    given: dict[str, Any] = {
        "id": f"{day:04d}-{what}-{version}",
        "at": day * DAY,
        "about": "late",
        "what": what,
        "because": because,
        "version": version,
    }
    return Decision(**given | more)


def asked(day: int, *alerts: str, because: str = "late: it fell.") -> Decision:
    """A retraining because of alerts."""
    return decided("retrain", day, because=because, evidence=json.dumps({"alerts": alerts}))


def left(day: int, version: int) -> Decision:
    """The shadow taken away from a version."""
    evidence = json.dumps({"alias": "shadow", "before": version, "after": None})
    return decided("shadow", day, version, f"shadow taken away: v{version} was refused", evidence=evidence)


def account(windows=(), alerts=(), decisions=(), **more: Any) -> Account:
    """Of the weeks there are."""
    given: dict[str, Any] = {
        "project": "trains",
        "objective": "Warn passengers early.",
        "endpoint": "late",
        "model": "late",
        "metric": "roc_auc",
        "since": min((one.since for one in windows), default=0),
        "until": max((one.until for one in windows), default=WEEK),
        "made": 100 * WEEK,
        "windows": tuple(windows),
        "alerts": tuple(alerts),
        "decisions": tuple(sorted(decisions, key=lambda one: one.at, reverse=True)),
    }
    return Account(**given | more)
