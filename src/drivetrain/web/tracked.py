"""Experiments and runs that MLflow's clients logged, as the pages show them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import msgspec

from drivetrain.core.clock import Micros
from drivetrain.core.records import Metric, RegisteredVersion, Run, TrackedExperiment, TrackedFile
from drivetrain.registry.tracking import experiments, files, logged, runs
from drivetrain.registry.tracking.experiments import LOCATION
from drivetrain.registry.tracking.looking import search_runs
from drivetrain.registry.tracking.runs import RunSaid
from drivetrain.web.desk import Desk

PAGE = 40
_COLUMNS = 3
_POINTS = 120
_READ = 20_000


class ExperimentRow(msgspec.Struct, frozen=True):
    """A line of the list of experiments."""

    experiment: TrackedExperiment
    runs: int
    running: int
    newest: Micros | None


class Course(msgspec.Struct, frozen=True):
    """How a metric went: what it came to, and its way there."""

    metric: Metric
    values: tuple[float | None, ...]
    """Some of its values, evenly over its points; none where one is no number."""
    points: int
    low: float | None
    high: float | None


class RunRow(msgspec.Struct, frozen=True):
    """A line of an experiment's runs."""

    said: RunSaid
    courses: tuple[Course | None, ...]


class Shown(msgspec.Struct, frozen=True):
    """A page of an experiment's runs."""

    rows: tuple[RunRow, ...]
    found: int
    metrics: tuple[str, ...]
    """The metrics that most of them have."""
    parameters: tuple[str, ...]
    """The parameters that tell them apart."""


def listed(desk: Desk) -> list[ExperimentRow]:
    """Every experiment that is not deleted, the one with the newest run first."""
    rows = []
    for one in experiments.every(desk.store):
        if one.deleted is None:
            found = _active(desk, one.experiment_id)
            running = sum(run.status == "running" for run in found)
            rows.append(ExperimentRow(one, len(found), running, max((run.at for run in found), default=None)))
    return sorted(rows, key=lambda row: -(row.newest or 0))


def shown(desk: Desk, experiment_id: str, filter: str, order: str, page: int) -> Shown:
    """A page of the runs that a filter lets through.

    Raises:
        UsageError: The filter or the order can't be read.
    """
    found = search_runs(desk.store, _active(desk, experiment_id), filter, [order] if order else [])
    said = runs.whole(desk.store, found[(page - 1) * PAGE : page * PAGE])
    metrics = tuple(name for name, _ in Counter(name for one in said for name in one.metrics).most_common(_COLUMNS))
    rows = tuple(RunRow(one, tuple(_course(desk, one, name) for name in metrics)) for one in said)
    return Shown(rows, len(found), metrics, telling(said))


def course(desk: Desk, run: Run, newest: Metric) -> Course:
    """How a metric of a run went."""
    points = desk.store.run_log.history(run.run_id, newest.key, limit=_READ)
    values = [point.value if math.isfinite(point.value) else None for point in points]
    known = [value for value in values if value is not None]
    step = max(1, len(values) / _POINTS)
    picked = [values[min(len(values) - 1, round(at * step))] for at in range(min(len(values), _POINTS))]
    return Course(newest, tuple(picked), len(points), min(known, default=None), max(known, default=None))


def _course(desk: Desk, said: RunSaid, name: str) -> Course | None:
    return course(desk, said.run, said.metrics[name]) if name in said.metrics else None


def telling(said: Sequence[RunSaid]) -> tuple[str, ...]:
    """The parameters in which runs differ, those that most have first; the first ones where none differs."""
    names = [name for name, _ in Counter(name for one in said for name in one.parameters).most_common()]
    differing = [name for name in names if len({one.parameters.get(name) for one in said}) > 1]
    return tuple((differing or names)[:_COLUMNS])


def files_of(desk: Desk, run: Run) -> list[TrackedFile]:
    """The files of a run, and of the models that it made, that are kept here."""
    tracked = runs.tracked_of(run)
    found = _kept(desk, runs.artifact_uri(desk.store, run))
    for model_id, _ in tracked.made_models:
        found += _kept(desk, logged.artifact_uri(desk.store, logged.find(desk.store, model_id, deleted=True)))
    return found


def versions_of(desk: Desk, run: Run) -> list[RegisteredVersion]:
    """The registered versions that a run's models became."""
    links = desk.store.catalog.links(source=run.ref)
    keys = [link.target.partition(":")[2] for link in links if link.target.startswith(f"{RegisteredVersion.kind}:")]
    found = (desk.store.catalog.get(RegisteredVersion, key) for key in keys)
    return [one for one in found if one is not None and not one.deleted]


def _active(desk: Desk, experiment_id: str) -> list[Run]:
    found = runs.of_experiment(desk.store, experiment_id)
    return [run for run in found if runs.tracked_of(run).deleted is None]


def _kept(desk: Desk, address: str) -> list[TrackedFile]:
    return files.every(desk.store, address.removeprefix(LOCATION)) if address.startswith(LOCATION) else []
