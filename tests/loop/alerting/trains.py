"""A project that is only declared: nothing is trained, so that what is told of it is told at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import drivetrain as dt
from drivetrain.core.clock import DAY
from drivetrain.core.records import Decision, Measure, MonitorReport
from drivetrain.loop.alerting.keeping import keep_window
from drivetrain.loop.project import Project
from drivetrain.monitor.finding import Finding

CODE = """
import os
import polars as pl
import drivetrain as dt

project = dt.Project("trains", objective="Warn passengers early.")
rides = project.source("rides", dt.files("rides.csv"), key="ride", time="at", contract=dt.Contract({}, freshness="1d"))
line = dt.Entity("line", keys=["line"])
history = project.feature_view("history", entity=line, source=rides, features=[dt.count(windows=["1d"])])
late = project.model("late", label=dt.label(rides, pl.col("delay") > 5), features=[history], trainer=dt.Naive(),
                     split=dt.TimeSplit(test="3d", valid=None))
for name in ("late", "early"):
    project.endpoint(name, model=late)
    project.monitor(name, sinks=[dt.Slack("env:TRAINS_SLACK")], runbooks={"drift": "https://run.example/drift"},
                    rules=[dt.Rule("slow", metric="latency_p99_us", above=50_000, hold=2)])
"""
ROWS = "ride,line,at,delay\n" + "".join(f"r{day},a,2026-01-{day:02d}T10:00:00Z,{day}\n" for day in range(1, 9))


def make(folder: Path, **swapped: str) -> Path:
    """The project's folder; ``swapped`` are pieces of its code to replace."""
    folder.mkdir(parents=True, exist_ok=True)
    code = CODE
    for old, new in swapped.items():
        code = code.replace(old, new)
    (folder / "project.py").write_text(code)
    (folder / "rides.csv").write_text(ROWS)
    (folder / "drivetrain.toml").write_text("[web]\nport = 8799\n")
    return folder


def opened(folder: Path) -> Project:
    return dt.Project.load(folder)


def window(day: int, *, endpoint: str = "late", **more: Any) -> MonitorReport:
    given = {
        "endpoint": endpoint,
        "model": "late",
        "version": 1,
        "since": day * DAY,
        "until": (day + 1) * DAY,
        "at": (day + 1) * DAY,
        "predictions": 900,
        "labelled": 800,
        "label_share": 0.9,
        "latency_p99_us": 900.0,
        "performance": {"roc_auc": Measure(0.7, 0.65, 0.75, 800)},
    }
    return MonitorReport(**given | more)


def keep(project: Project, day: int, *findings: Finding, endpoint: str = "late", **more: Any) -> list[Decision]:
    """Keeps a window as a look would."""
    return keep_window(project, project.monitors[endpoint], window(day, endpoint=endpoint, **more), findings)


def drift(severity: str = "warning", message: str = "late: it moved.") -> Finding:
    return Finding("drift", severity, message, {"value": 0.3})
