"""Runs that are logged from elsewhere: begun, said of, ended, deleted and restored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec
from msgspec.structs import replace

from drivetrain.core import clock
from drivetrain.core.clock import SECOND, Micros
from drivetrain.core.errors import UnknownName, UsageError
from drivetrain.core.ids import new_id
from drivetrain.core.records import Dataset, Link, LoggedModel, Metric, Run, Tracked
from drivetrain.registry.tracking import experiments
from drivetrain.registry.tracking.place import Place, change

Status = Literal["scheduled", "running", "done", "failed", "killed"]
NAME_TAG = "mlflow.runName"
"""The tag that is the run's name, either way."""
TRAINER = "mlflow"
"""What the runs say they were trained by."""

_OPEN = ("scheduled", "running")


class RunSaid(msgspec.Struct, frozen=True):
    """A run with what it said of itself."""

    run: Run
    metrics: dict[str, Metric]
    parameters: dict[str, str]
    tags: dict[str, str]

    @property
    def tracked(self) -> Tracked:
        """What it has beyond other runs."""
        return tracked_of(self.run)


def create(
    place: Place,
    experiment_id: str,
    *,
    name: str = "",
    user: str = "",
    started: Micros | None = None,
    tags: Mapping[str, str] | None = None,
) -> RunSaid:
    """Begins a run.

    Args:
        place: Where it goes.
        experiment_id: Its experiment.
        name: Its name; one is made up where neither it nor a tag says one.
        user: Who.
        started: When; now by default.
        tags: Name → value.

    Raises:
        UnknownName: There is no such experiment.
        UsageError: The experiment is deleted, or tag and name differ.
    """
    experiment = experiments.active(place, experiment_id)
    kept = dict(tags or {})
    tagged = kept.get(NAME_TAG, "")
    if name and tagged and name != tagged:
        raise UsageError("a run has one name", found=f"{name!r}, and {tagged!r} as tag {NAME_TAG}")
    run_id = new_id().replace("-", "")
    called = name or tagged or f"run-{run_id[-8:]}"
    kept[NAME_TAG] = called
    run = Run(
        at=clock.now() if started is None else started,
        run_id=run_id,
        model=experiment.name,
        trainer=TRAINER,
        code="",
        environment="",
        tracked=Tracked(experiment=experiment_id, name=called, user=user or kept.get("mlflow.user", "")),
    )
    place.catalog.commit(run, links=[Link(experiment.ref, run.ref, "experiment")], expect={run.ref: 0})
    place.run_log.log(run_id, tags=kept)
    return RunSaid(run, {}, {}, kept)


def find(place: Place, run_id: str) -> Run:
    """A run that was logged from elsewhere, deleted or not.

    Raises:
        UnknownName: There is none.
    """
    found = place.catalog.get(Run, run_id)
    if found is None or found.tracked is None:
        raise UnknownName(f"no run has the id {run_id!r}")
    return found


def active(place: Place, run_id: str) -> Run:
    """A run that may be logged to.

    Raises:
        UnknownName: There is none.
        UsageError: It is deleted.
    """
    found = find(place, run_id)
    if tracked_of(found).deleted is not None:
        raise UsageError(f"run {run_id} is deleted", do="Restore it first")
    return found


def tracked_of(run: Run) -> Tracked:
    """What a run that :func:`find` found has beyond other runs."""
    assert run.tracked is not None, "only runs that were logged from elsewhere come here"
    return run.tracked


def whole(place: Place, runs: Sequence[Run]) -> list[RunSaid]:
    """Runs with everything they said, in order."""
    ids = [run.run_id for run in runs]
    metrics, parameters, tags = place.run_log.latest(ids), place.run_log.parameters(ids), place.run_log.tags(ids)
    return [RunSaid(run, metrics[run.run_id], parameters[run.run_id], tags[run.run_id]) for run in runs]


def of_experiment(place: Place, experiment_id: str) -> list[Run]:
    """An experiment's runs, deleted ones too, the newest first."""
    return place.catalog.find(Run, f"experiment:{experiment_id}")


def log(
    place: Place,
    run_id: str,
    metrics: Sequence[Metric] = (),
    *,
    parameters: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
) -> None:
    """Keeps what a run says of itself, all of it or nothing.

    A metric that names a model (in ``about``) is that model's too.

    Raises:
        UnknownName: There is no such run.
        UsageError: It is deleted.
        Conflict: A parameter has another value already.
    """
    run = active(place, run_id)
    place.run_log.log(run_id, metrics, parameters=parameters, tags=tags)
    for model_id, points in _by_model(run_id, metrics).items():
        place.run_log.log(model_id, points)
    name = (tags or {}).get(NAME_TAG)
    if name and name != tracked_of(run).name:
        _rename(place, run_id, name)
    if run.status not in _OPEN:
        change(place, Run, run_id, lambda found: _folded(place, found))


def untag(place: Place, run_id: str, key: str) -> None:
    """Takes a tag away.

    Raises:
        UnknownName: There is no such run, or it has no such tag.
    """
    active(place, run_id)
    if not place.run_log.untag(run_id, key):
        raise UnknownName(f"run {run_id} has no tag {key!r}")


def update(
    place: Place, run_id: str, *, status: Status | None = None, ended: Micros | None = None, name: str = ""
) -> Run:
    """Ends a run, or says how it stands; when it ends, its record takes over what it said."""
    active(place, run_id)
    if name:
        _rename(place, run_id, name)
        place.run_log.log(run_id, tags={NAME_TAG: name})

    def stand(found: Run) -> Run:
        now = found if status is None else replace(found, status=status)
        if now.status in _OPEN:
            return replace(now, tracked=replace(tracked_of(now), ended=None)) if status else now
        end = ended or tracked_of(now).ended or clock.now()
        tracked = replace(tracked_of(now), ended=end)
        return _folded(place, replace(now, tracked=tracked, seconds=max(0, end - now.at) / SECOND))

    return change(place, Run, run_id, stand)


def set_deleted(place: Place, run_id: str, *, deleted: bool) -> Run:
    """Sets a run aside, or brings it back; nothing of it is lost."""
    find(place, run_id)
    at = clock.now() if deleted else None
    return change(place, Run, run_id, lambda run: replace(run, tracked=replace(tracked_of(run), deleted=at)))


def add_inputs(place: Place, run_id: str, datasets: Sequence[Dataset], models: Sequence[str]) -> Run:
    """Notes what a run read: data as it describes them, and logged models. Data are the same by name and digest."""
    active(place, run_id)

    def noted(run: Run) -> Run:
        tracked = tracked_of(run)
        known = {(one.name, one.digest): one for one in tracked.datasets}
        for one in datasets:
            held = known.get((one.name, one.digest))
            known[one.name, one.digest] = one if held is None else replace(held, tags=held.tags | one.tags)
        read = tuple(dict.fromkeys([*tracked.read_models, *models]))
        return replace(run, tracked=replace(tracked, datasets=tuple(known.values()), read_models=read))

    run = change(place, Run, run_id, noted)
    if models:
        place.catalog.commit(links=[Link(f"{LoggedModel.kind}:{one}", run.ref, "read") for one in models])
    return run


def add_outputs(place: Place, run_id: str, models: Sequence[tuple[str, int]]) -> Run:
    """Notes the logged models that a run made, each with its step."""
    active(place, run_id)

    def noted(run: Run) -> Run:
        made = dict.fromkeys([*tracked_of(run).made_models, *models])
        return replace(run, tracked=replace(tracked_of(run), made_models=tuple(made)))

    run = change(place, Run, run_id, noted)
    place.catalog.commit(links=[Link(run.ref, f"{LoggedModel.kind}:{one}", "made") for one, _ in models])
    return run


def artifact_uri(place: Place, run: Run) -> str:
    """Where a run's files go."""
    location = experiments.find(place, tracked_of(run).experiment).location
    return f"{location}/{run.run_id}/artifacts"


def _rename(place: Place, run_id: str, name: str) -> None:
    change(place, Run, run_id, lambda run: replace(run, tracked=replace(tracked_of(run), name=name)))


def _folded(place: Place, run: Run) -> Run:
    """The record with what the run said: what lineage, pages and programs read of a run that has ended."""
    said = whole(place, [run])[0]
    return replace(
        run,
        parameters=dict(said.parameters),
        metrics={name: metric.value for name, metric in said.metrics.items()},
    )


class _About(msgspec.Struct, omit_defaults=True):
    model_id: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""
    run_id: str = ""


_about = msgspec.json.Decoder(_About).decode
"""Made once, before there are threads."""


def _by_model(run_id: str, metrics: Sequence[Metric]) -> dict[str, list[Metric]]:
    found: dict[str, list[Metric]] = {}
    for metric in metrics:
        if metric.about:
            about = _about(metric.about)
            if about.model_id:
                about.run_id = run_id
                found.setdefault(about.model_id, []).append(replace(metric, about=msgspec.json.encode(about).decode()))
    return found
