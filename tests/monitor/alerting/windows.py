"""Windows, alerts and messages to try rules, lives and sinks on."""

from __future__ import annotations

from typing import Any

from drivetrain.core.clock import DAY
from drivetrain.core.records import Alert, FeatureDrift, Measure, MonitorReport
from drivetrain.monitor.alerting.lifecycle import Told
from drivetrain.monitor.alerting.message import Message, gather


def report(number: int = 0, **more: Any) -> MonitorReport:
    """The window of the day of that number."""
    given: dict[str, Any] = {
        "endpoint": "late",
        "model": "late",
        "version": 1,
        "since": number * DAY,
        "until": (number + 1) * DAY,
        "predictions": 2000,
        "labelled": 1000,
        "label_share": 0.5,
        "performance": {"roc_auc": Measure(0.7, 0.6, 0.8, 1000)},
        "reference": {"roc_auc": Measure(0.8, 0.75, 0.85, 9000)},
        "drift": (FeatureDrift("weather.temp", "psi", 0.31, 0.2, True, 0.01, 0.0, 2000),),
        "output": FeatureDrift("prediction", "psi", 0.1, 0.2, False, 0.0, 0.0, 2000),
        "latency_p99_us": 61_250.0,
        "median_ages": {"plane_history": 60.0},
    }
    return MonitorReport(**given | more)


def alert(name: str = "a1", **more: Any) -> Alert:
    given = {
        "id": name,
        "endpoint": "late",
        "rule": "drift",
        "message": f"words of {name}",
        "at": 3 * DAY,
        "since": DAY,
    }
    return Alert(**given | more)


def message(*told: Told, project: str = "flights") -> Message:
    return gather(project, "Warn passengers early.", told or (Told(alert(), "opened"),), "https://trains.example")
