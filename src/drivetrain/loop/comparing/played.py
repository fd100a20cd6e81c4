"""What a set of rules came to in the months that were played: what it cost, what it told, what it answered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from drivetrain.core.clock import Micros
from drivetrain.core.records import Alert, Decision, ModelVersion, Run, Task
from drivetrain.evaluate.metrics.answers import realigned
from drivetrain.evaluate.ranking import Floats
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.endpoint import Endpoint
from drivetrain.loop.tick import logged
from drivetrain.monitor.output import outputs_logged
from drivetrain.serve.log.compact import compact

ROW = ["request_id", "row"]


@dataclass(frozen=True)
class Played:
    """The months by one set of rules.

    Attributes:
        name: Of the rules.
        retrainings: How often a new version was asked for.
        promotions: How often one took the champion's place.
        refusals: How often one did not, by the gates or in the shadow.
        fit_seconds: What the fits took, baselines and tuning among it.
        alerts: Severity → how many were opened.
        log: The champion's answers: ``request_id``, ``row``, ``at``, ``entity``, ``version``, ``values``,
            ``prediction``, ``scores``; one row an instance.
        feedback: The labels that came.
        said: The same answers in the order of the first version's outputs, shape (n,) or (n, outputs).
    """

    name: str
    retrainings: int
    promotions: int
    refusals: int
    fit_seconds: float
    alerts: dict[str, int]
    log: pl.DataFrame
    feedback: pl.DataFrame
    said: Floats

    @property
    def alerted(self) -> int:
        """Alerts that somebody would have been called for."""
        return sum(count for severity, count in self.alerts.items() if severity != "info")


def read_played(project: Definitions, endpoint: Endpoint, name: str, since: Micros, until: Micros) -> Played:
    """What is on record of a rehearsal that was played to its end.

    Args:
        project: The rehearsal's own.
        endpoint: Which endpoint.
        name: Of the rules.
        since: Where it began.
        until: Where it ended.
    """
    store, model = project.store, endpoint.model.name
    compact(store, project.log_folder, endpoint.name)
    predictions, feedback = logged(store, endpoint.name, since, until)
    kept = [*ROW, "at", "entity", "version", "values", "prediction", "scores"]
    log = predictions.filter(pl.col("role") == "champion").select(kept).sort("at", *ROW)
    versions = {each.version: each for each in store.catalog.find(ModelVersion, model)}
    first = min(versions)
    decisions = [one for one in store.catalog.find(Decision) if one.at >= since]
    runs = [run for run in store.catalog.find(Run, model) if run.run_id != versions[first].run_id]
    alerts: dict[str, int] = {}
    for alert in store.catalog.find(Alert, endpoint.name):
        if alert.shown:  # what was not broken for long enough is nobody's alert
            alerts[alert.severity] = alerts.get(alert.severity, 0) + 1

    def decided(what: str, *about: str) -> int:
        return sum(one.what == what and one.about in about and one.version != first for one in decisions)

    return Played(
        name=name,
        retrainings=decided("retrain", endpoint.name),
        promotions=decided("promote", model),
        refusals=decided("refuse", model),
        fit_seconds=sum(run.seconds for run in runs),
        alerts=alerts,
        log=log,
        feedback=feedback,
        said=_aligned(log, versions, versions[first].task),
    )


def _aligned(log: pl.DataFrame, versions: dict[int, ModelVersion], task: Task) -> Floats:
    """Answers of several versions in the order of one task's outputs; NaN where they can't be put in it."""
    shape = (log.height, task.outputs) if task.outputs > 1 else (log.height,)
    said = np.full(shape, np.nan)
    numbers = log["version"].to_numpy()
    for number in np.unique(numbers):
        inside, theirs = numbers == number, versions[int(number)].task
        answers = realigned(outputs_logged(log.filter(pl.Series(inside)), theirs), theirs, task)
        if answers is not None:
            said[inside] = answers
    return said
