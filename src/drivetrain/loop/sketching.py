"""Sketches of endpoints' logs, kept up with: before windows are judged, before rows grow too old, after rows went."""

from __future__ import annotations

from functools import partial

from drivetrain.core.clock import Micros
from drivetrain.core.records import Evaluation, ModelVersion, Task
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.serving_plan import plan_of
from drivetrain.monitor.against import Against, choose_reference
from drivetrain.monitor.reference import Reference, load
from drivetrain.monitor.sketch.table import seal, sketch_log, sketched_rows, sketched_versions, sketches_table
from drivetrain.monitor.spec import Monitor
from drivetrain.store.bundle import Store


def sketch(project: Definitions, endpoint: str, version: ModelVersion, reference: Reference | None = None) -> int:
    """Brings a version's sketches up to the compacted log; how many hours were sketched.

    Args:
        project: Whose endpoint.
        endpoint: Its name.
        version: Who answered.
        reference: The version's profile, where it is at hand.
    """
    if not version.reference:
        return 0
    store = project.store
    evaluation = store.catalog.get(Evaluation, version.run_id)
    return sketch_log(
        store,
        endpoint,
        version=version.version,
        reference=reference if reference is not None else load(store.blobs.get(version.reference)),
        task=Task() if evaluation is None else evaluation.task,
        withheld=plan_of(project.endpoints[endpoint]).withheld,
    )


def against(
    store: Store, monitor: Monitor, version: int, reference: Reference | None, window: tuple[Micros, Micros]
) -> Against | None:
    """What a window's drift is held against; none where it is not judged.

    Args:
        store: Where sketches are.
        monitor: What is asked.
        version: Who answered.
        reference: Its profile, if it has one.
        window: Start and end.
    """
    if monitor.drift is None or reference is None:
        return None
    return choose_reference(monitor.drift, reference, partial(sketched_rows, store, monitor.endpoint, version), *window)


def sketch_all(project: Definitions, endpoint: str) -> None:
    """The same of every version whose sketches there are: rows of theirs may have gone."""
    if endpoint not in project.endpoints:
        return
    model = project.endpoints[endpoint].model.name
    for number in sketched_versions(project.store, endpoint):
        version = project.store.catalog.get(ModelVersion, f"{model}@{number}")
        if version is not None:
            sketch(project, endpoint, version)


def seal_before(project: Definitions, endpoint: str, before: Micros) -> None:
    """Keeps the sketches of rows that are about to be deleted for their age."""
    sketch_all(project, endpoint)
    seal(project.store, endpoint, before)


def forget_sketched(project: Definitions, endpoint: str) -> None:
    """Makes the hours anew that rows were erased from, and leaves nothing on disk of what they were."""
    table = sketches_table(endpoint)
    before = project.store.tables.version(table)
    sketch_all(project, endpoint)
    if project.store.tables.version(table) != before:
        project.store.tables.purge(table)
