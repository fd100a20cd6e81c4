"""What the methods of a project do."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from drivetrain.core.clock import DAY, Micros, datetime_of, iso
from drivetrain.core.clock import now as present
from drivetrain.core.errors import RefusedError, UsageError
from drivetrain.core.progress import Progress, watcher
from drivetrain.core.records import Alias, Decision, ModelVersion
from drivetrain.core.settings import Settings
from drivetrain.loop.alerting.silencing import end_silences
from drivetrain.loop.alerting.telling import tell_now, telling
from drivetrain.loop.audit import note_read, personal_columns
from drivetrain.loop.client import Client
from drivetrain.loop.comparing.compare import compare
from drivetrain.loop.comparing.verdict import as_told
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.forcing import mark_forced
from drivetrain.loop.graph import data_road, graph, model_road
from drivetrain.loop.keys import check_signed, signing_key, verify_key
from drivetrain.loop.mirror import mirror_quietly
from drivetrain.loop.model import Model
from drivetrain.loop.plan import PlannedStep, plan_nodes
from drivetrain.loop.privacy.retention import retain_tables
from drivetrain.loop.refs import table_version
from drivetrain.loop.replay import Player, replayed
from drivetrain.loop.resting import Resting
from drivetrain.loop.routing import follow_policy
from drivetrain.loop.runner import Outcome, holding, run_nodes
from drivetrain.loop.serving_plan import FOLDER_VARIABLE, serve_settings
from drivetrain.loop.sketching import seal_before
from drivetrain.loop.stages.ingest import ingested, with_age
from drivetrain.loop.stages.training_set import holds_back, training_set_node
from drivetrain.loop.tick import look
from drivetrain.loop.watch import LEASE
from drivetrain.loop.watching.looking import look_at_data
from drivetrain.registry.aliases import find_version, point
from drivetrain.registry.aliases import rollback as roll_back
from drivetrain.serve.log.retain import retain
from drivetrain.serve.server import serve as serve_target
from drivetrain.train.environment import environment_digest


def plan(project: Definitions) -> list[PlannedStep]:
    """See :meth:`Project.plan`."""
    steps = plan_nodes(graph(project), catalog=project.store.catalog, environment=environment_digest())
    return [with_age(project, step) for step in steps]


def run(project: Definitions, *, only: str | None, progress: Progress | None, at: Micros | None = None) -> Outcome:
    """See :meth:`Project.run`."""
    if only not in {None, "data"}:
        raise UsageError("run can't stop there", found=repr(only), expected="--only data")
    if only is None:
        signing_key(project)  # one that can't be used is said before anything is trained
    began = time.perf_counter()
    retain_tables(project, present())
    steps = run_nodes(
        data_road(project) if only else graph(project, at),
        catalog=project.store.catalog,
        leases=project.store.leases,
        environment=environment_digest(),
        progress=progress,
    )
    refused: list[str] = []
    for step in steps:
        if step.name.startswith("judge:") and not step.cached:
            version = project.store.catalog.get(ModelVersion, step.outputs["version"].removeprefix("version:"))
            refused += version.gates.refusals if version and not version.gates.waits else ()
    if only is None:
        mirror_quietly(project, watcher(progress))
    return Outcome(steps, time.perf_counter() - began, tuple(refused))


def training_set(project: Definitions, model: str | Model | None, *, at: Micros | None) -> pl.DataFrame:
    """See :meth:`Project.training_set`; the step of the road, on the tables as they stand."""
    found = project.find_model(model.name if isinstance(model, Model) else model)
    label = ingested(project, found.label.source.name)
    node = training_set_node(project, found, holds_back(found, label, at))
    standing = {need: {"table": ingested(project, need.removeprefix("ingest:")).ref} for need in node.needs}
    (ran,) = run_nodes(
        {node.name: node},
        catalog=project.store.catalog,
        leases=project.store.leases,
        environment=environment_digest(),
        given=standing,
    )
    version = table_version(project, ran.outputs["table"])
    frame = project.store.tables.read(version.table, version.version)
    note_read(project, "training_set", version.table, personal_columns(project, found, frame.columns), frame.height)
    return frame


def predict(
    project: Definitions, endpoint: str | None, instances: Sequence[Mapping[str, Any]], *, at: Micros | None
) -> dict[str, Any]:
    """See :meth:`Project.predict`."""
    client = Client(serve_settings(project))
    more = {} if at is None else {"at": datetime_of(at)}
    try:
        return client.predict(project.find_endpoint(endpoint).name, instances, **more)
    finally:
        client.close()


def promote(
    project: Definitions, model: str | None, version: int, *, because: str, actor: str, force: bool = False
) -> Alias:
    """See :meth:`Project.promote`."""
    found = project.find_model(model)
    name = found.name
    record = find_version(project.store, name, version)
    _check_servable(project, found, record)
    moved = point(project.store, name, "champion", version, because=because, actor=actor, force=force)
    if force and not record.gates.passed:
        mark_forced(project.store, name, version, because=because, actor=actor)
    return moved


def rollback(project: Definitions, model: str | None, *, because: str, actor: str) -> Alias:
    """See :meth:`Project.rollback`."""
    found = project.find_model(model)
    held = project.store.catalog.get(Alias, f"{found.name}:champion")
    if held is not None and held.previous is not None:
        _check_servable(project, found, find_version(project.store, found.name, held.previous))
    return roll_back(project.store, found.name, because=because, actor=actor)


def _check_servable(project: Definitions, model: Model, version: ModelVersion) -> None:
    """Refuses a version that no server would use: cleaned, not signed, or its features declared otherwise now."""
    if version.removed is not None:
        raise RefusedError(
            f"{version.key} can't be served: its artifacts were removed on {iso(version.removed)[:10]}",
            do=f"Make it again with: drivetrain reproduce {version.key}, or train anew",
        )
    check_signed(project, version)
    changed = [name for name, digest in version.features.items() if model.definitions.get(name) != digest]
    if changed:
        raise RefusedError(
            f"{model.name} v{version.version} can't be served with the project as it is: it was trained with another "
            f"definition of {', '.join(changed)}",
            do="Bring the old definition back, then try again",
        )


def tick(project: Definitions, now: Micros, *, progress: Progress | None = None) -> list[Decision]:
    """See :meth:`Project.tick`."""
    decisions = look_at_all(project, now, progress=progress)
    tell_now(project)
    return decisions


def look_at_all(
    project: Definitions, now: Micros, *, progress: Progress | None = None, resting: Resting | None = None
) -> list[Decision]:
    """One look of every monitor as of ``now``; what is to be told waits for whoever tells it.

    Args:
        project: Whose monitors.
        now: The moment.
        progress: Who watches.
        resting: What earlier looks found to rest; by default nothing does.
    """
    watching = watcher(progress)

    def retrain(model: Model) -> None:
        run_nodes(
            model_road(project, model, now),
            catalog=project.store.catalog,
            leases=project.store.leases,
            environment=environment_digest(),
            progress=watching,
        )

    decisions: list[Decision] = end_silences(project)
    for watched in project.watched.values():  # before endpoints: what they read from may be why they fall
        decisions += look_at_data(project, watched, now)
    left = Resting() if resting is None else resting
    left.begin(project, now)
    awake = [endpoint for name, endpoint in project.endpoints.items() if not left.rests(name)]
    for endpoint in awake:
        if endpoint.name in project.monitors:
            decisions += look(project, project.monitors[endpoint.name], now, retrain)
    for endpoint in awake:
        decisions += follow_policy(project, endpoint, now)
        if days := project.settings.serve.log_days:
            seal_before(project, endpoint.name, now - days * DAY)
            retain(project.store, endpoint.name, now - days * DAY, project.log_folder)
        if resting is not None:
            left.note(project, endpoint)
    return decisions


class Glance:
    """A look of the watch: what is new comes in, then a look at every monitor that does not rest, as of now."""

    def __init__(self) -> None:
        self._resting = Resting()

    def __call__(self, project: Definitions) -> list[Decision]:
        """One look."""
        run(project, only="data", progress=None)
        return look_at_all(project, present(), resting=self._resting)


def serve(project: Definitions) -> None:
    """See :meth:`Project.serve`; each worker assembles the project anew."""
    verify_key(project)  # one that can't be used is said before any worker starts
    os.environ[FOLDER_VARIABLE] = str(project.folder)
    serve_target("drivetrain.loop.serving:application", serve_settings(project))


def compare_rules(
    project: Definitions,
    endpoint: str | None,
    rules: Sequence[str],
    span: tuple[Micros, Micros],
    *,
    load: Callable[[Path, Settings], Definitions],
    progress: Progress | None,
) -> dict[str, Any]:
    """See :meth:`Project.replay`."""
    watching = watcher(progress)

    def play(copy: Definitions, name: str, since: Micros, until: Micros) -> None:
        replay(copy, name, since, until, progress=watching)

    def begin(copy: Definitions, at: Micros) -> None:
        run(copy, only=None, at=at, progress=watching)

    return as_told(compare(project, endpoint, rules, span, load=load, begin=begin, play=play, progress=watching))


def replay(
    project: Definitions, endpoint: str | None, since: Micros, until: Micros, *, progress: Progress | None
) -> dict[str, Any]:
    """See :meth:`Project.replay`."""
    watching = watcher(progress)
    began = present()
    with holding(project.store.leases, LEASE), telling(project) as teller:

        def glimpse(moment: Micros) -> list[Decision]:
            found = look_at_all(project, moment, progress=watching)
            teller.wake()
            return found

        player = Player(project, endpoint, bring=lambda: run(project, only="data", progress=None), look=glimpse)
        state = player.play(since, until, watching)
    return replayed(project, state, began)
