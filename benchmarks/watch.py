"""What a watch of many schedules costs while nothing is due, and what an alert costs that nobody takes.

    python benchmarks/watch.py --monitors 1000 --looks 5

Every monitor has a window behind it and the next one ahead, a rule of its own, a retraining rule and a sink. A look is
what `drivetrain watch` does every 30 seconds; the share of a core is its CPU time over that. Beside it, guardrails of
canaries are looked at twice a second.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import time
from pathlib import Path

import polars as pl

import drivetrain as dt
from drivetrain.core.clock import DAY, now
from drivetrain.core.records import Alert, Delivery, Measure, MonitorReport
from drivetrain.core.settings import Settings, StoreSettings
from drivetrain.loop import commands
from drivetrain.loop.alerting.telling import deliver
from drivetrain.loop.guarding import PAUSE, Guard
from drivetrain.loop.project import Project

EVERY = 30.0
BUDGET = 0.01


def cpu() -> float:
    """CPU seconds of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def declared(folder: Path, monitors: int) -> Project:
    """A project of so many endpoints, each with a monitor."""
    project = dt.Project("many", objective="Warn early.", metric="roc_auc")
    project.folder = folder
    project.settings = Settings(store=StoreSettings(catalog=f"sqlite:///{folder}/catalog.db"))
    rides = project.source("rides", dt.files(str(folder / "*.csv")), key="ride", time="at")
    line = dt.Entity("line", keys=["line"])
    view = project.feature_view("history", entity=line, source=rides, features=[dt.count(windows=["1d"])])
    label = dt.label(rides, pl.col("delay") > 5)
    for number in range(monitors):
        model = project.model(
            f"m{number}", label=label, features=[view], trainer=dt.Naive(), split=dt.TimeSplit(test="3d", valid=None)
        )
        project.endpoint(f"m{number}", model=model)
        project.monitor(
            f"m{number}",
            window="1d",
            retrain=dt.Retrain(when=["performance"]),
            rules=[dt.Rule("slow", metric="latency_p99_us", above=50_000, hold=2)],
            sinks=[dt.Webhook("http://127.0.0.1:9/")],
        )
    return project


def guarded(project: Project, looks: int) -> float:
    """CPU seconds of a look at guardrails, in the mean over so many."""
    guard = Guard(project)
    guard.look()
    began = cpu()
    for _ in range(looks):
        guard.look()
    return (cpu() - began) / looks


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--monitors", type=int, default=1000)
    parser.add_argument("--looks", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "rides.csv").write_text("ride,line,at,delay\nr1,a,2026-01-01T10:00:00Z,3\n")
        project = declared(folder, given.monitors)
        moment = now()
        project.store.catalog.commit(
            *(
                MonitorReport(
                    at=moment, endpoint=name, model=name, version=1, since=moment - DAY, until=moment, predictions=900,
                    performance={"roc_auc": Measure(0.7, 0.65, 0.75, 800)},
                )
                for name in project.monitors
            ),
            *(
                Alert(at=moment, id=name, endpoint=name, rule="slow", message="slow", state="resolved", resolved=moment)
                for name in project.monitors
            ),
        )  # fmt: skip
        look = commands.Glance()
        look(project)
        spent = []
        for _ in range(given.looks):
            began = cpu()
            look(project)
            spent.append(cpu() - began)
        share = statistics.median(spent) / EVERY
        guards = guarded(project, 500)
        project.store.catalog.commit(
            *(
                Delivery(
                    at=moment, sink="webhook 127.0.0.1", monitor=name, alert=name, event="opened", severity="warning"
                )
                for name in list(project.monitors)[:100]
            )
        )
        began, wall = cpu(), time.perf_counter()
        deliver(project)
        told, took = cpu() - began, time.perf_counter() - wall
        print(f"{'what':52}{'measured':>16}{'budget':>12}")
        print(f"{f'watch, {given.monitors:,} schedules, nothing due: share of a core':52}{share:>16.3%}{BUDGET:>12.0%}")
        print(f"{'  CPU of one look':52}{statistics.median(spent) * 1e3:>13.1f} ms")
        print(f"{'guardrails, no canary under way: share of a core':52}{guards / PAUSE:>16.3%}{BUDGET:>12.0%}")
        print(
            f"{'100 events for a sink that is away: one attempt':52}{told * 1e3:>13.1f} ms   ({took * 1e3:.0f} ms wall)"
        )
        project.store.close()


if __name__ == "__main__":
    main()
