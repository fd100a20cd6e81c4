"""A version that passed its gates goes to work: at once, or first in the champion's shadow."""

from __future__ import annotations

from collections.abc import Mapping

from drivetrain.core.clock import Micros, now
from drivetrain.core.errors import SignatureRefused
from drivetrain.core.ids import new_id
from drivetrain.core.progress import Progress
from drivetrain.core.records import Decision, ModelVersion
from drivetrain.evaluate.metrics.answers import comparable
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.keys import check_signed
from drivetrain.loop.model import Model
from drivetrain.loop.node import Node, Outputs
from drivetrain.loop.refs import resolve
from drivetrain.registry.aliases import champion, point
from drivetrain.store.bundle import Store


def release_node(project: Definitions, model: Model, at: Micros | None) -> Node:
    """Points an alias at what was judged, or says why not.

    Args:
        project: Whose model it is.
        model: Which one.
        at: The moment to decide as of; the present by default.
    """
    judged = f"judge:{model.name}"

    def action(inputs: Mapping[str, Outputs], progress: Progress) -> Outputs:
        version = resolve(project, ModelVersion, inputs[judged]["version"])
        words = release(project, model, version, now() if at is None else at)
        progress.finish(f"release {model.name}", words)
        return {"released": version.ref}

    return Node(
        name=f"release:{model.name}",
        group="model",
        words="make the version champion, or put it into the champion's shadow, if its gates passed",
        code="",
        parameters="",
        needs=(judged,),
        action=action,
    )


def release(project: Definitions, model: Model, version: ModelVersion, at: Micros) -> str:
    """Decides what a freshly judged version may do; returns it in words."""
    store = project.store
    if not version.gates.passed:
        held = _waits if version.gates.waits else _refused
        return held(store, version, " ".join(version.gates.refusals), at)
    try:
        check_signed(project, version)
    except SignatureRefused as error:  # no server here would answer with it
        return _refused(store, version, str(error), at)
    return _placed(project, model, version, at)


def _placed(project: Definitions, model: Model, version: ModelVersion, at: Micros) -> str:
    """Where a version that may answer does: in the champion's place, or first in its shadow."""
    store, name = project.store, f"v{version.version}"
    standing = champion(store, model.name)
    reasons = " ".join(outcome.reason for outcome in version.gates.outcomes)
    if standing is None:
        because = f"{name} is the first version to pass its gates. {reasons}"
        point(store, model.name, "champion", version.version, because=because, actor="loop", at=at)
        return f"{name} is champion"
    if standing.version == version.version:
        return f"{name} is champion already"
    if standing.run_id == version.run_id:
        because = f"{name} is v{standing.version} judged by the rules as they are now. {reasons}"
        point(store, model.name, "champion", version.version, because=because, actor="loop", at=at)
        return f"{name} is champion: v{standing.version} judged anew"
    if not _shadows(project, model) or not comparable(version.task, standing.task):
        point(store, model.name, "champion", version.version, because=reasons, actor="loop", at=at)
        return f"{name} is champion, after v{standing.version}"
    because = f"{name} passed its gates and now answers in the shadow of v{standing.version}. {reasons}"
    point(store, model.name, "shadow", version.version, because=because, actor="loop", at=at)
    return f"{name} is in the shadow of v{standing.version}"


def _refused(store: Store, version: ModelVersion, why: str, at: Micros) -> str:
    because = f"v{version.version} was refused. {why}"
    store.catalog.commit(
        Decision(id=new_id(), at=at, about=version.model, what="refuse", because=because, version=version.version)
    )
    return f"v{version.version} refused"


def _waits(store: Store, version: ModelVersion, why: str, at: Micros) -> str:
    because = f"v{version.version} met every gate that figures answer. {why}"
    store.catalog.commit(
        Decision(id=new_id(), at=at, about=version.model, what="wait", because=because, version=version.version)
    )
    return f"v{version.version} waits for approval"


def _shadows(project: Definitions, model: Model) -> bool:
    watched = [
        project.monitors.get(endpoint.name) for endpoint in project.endpoints.values() if endpoint.model is model
    ]
    return any(monitor is not None and monitor.retrain is not None and monitor.retrain.shadow_us for monitor in watched)
