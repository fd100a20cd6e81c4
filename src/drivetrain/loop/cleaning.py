"""Old versions lose their artifacts: first what would go is told, then it goes."""

from __future__ import annotations

import msgspec
import polars as pl
from msgspec.structs import replace

from drivetrain.core.clock import now
from drivetrain.core.errors import UsageError
from drivetrain.core.records import ModelVersion, Policy, Prediction
from drivetrain.loop.definitions import Definitions
from drivetrain.registry.keep import Fate, Keep, fates, own_blobs, pinned, remove_artifacts
from drivetrain.serve.log.columns import predictions_table
from drivetrain.serve.log.read import in_segments


class Cleaned(msgspec.Struct, frozen=True, kw_only=True):
    """What goes, or went.

    Attributes:
        done: Whether it went; else it is a plan.
        versions: Every version that has its artifacts, by model, the newest first.
        bytes: What is freed.
    """

    done: bool
    versions: tuple[Fate, ...]
    bytes: int


def clean(project: Definitions, *, do: bool, logged: bool, because: str, actor: str) -> Cleaned:
    """See :meth:`Versions.clean`."""
    if do and not because.strip():
        raise UsageError("cleaning needs a reason", do="Say why in a sentence")
    store = project.store
    told: list[Fate] = []
    freed = 0
    for name, model in project.models.items():
        versions = store.catalog.find(ModelVersion, name)
        held = pinned(store, name, _policies(project, name))
        keep = model.keep or _declared(project)
        if not logged and keep.bounded:
            held = _named(project, name) | held
        for fate in fates(versions, keep, held, now()):
            version = next(one for one in versions if one.version == fate.version)
            size = sum(own_blobs(store, version).values()) if fate.goes else 0
            told.append(replace(fate, bytes=size))
            freed += size
        if do:
            for number in [one.version for one in versions if one.removed is not None]:
                remove_artifacts(store, name, number, because=because, actor=actor)  # what a killed one left
    if do:
        going = [fate for fate in told if fate.goes]
        freed = sum(
            remove_artifacts(store, fate.model, fate.version, because=f"{fate.because}; {because}", actor=actor)
            for fate in going
        )
    return Cleaned(done=do, versions=tuple(told), bytes=freed)


def _declared(project: Definitions) -> Keep:
    settings = project.settings.registry
    return Keep(versions=settings.keep.versions, days=settings.keep.days)


def _policies(project: Definitions, model: str) -> list[Policy]:
    names = [endpoint.name for endpoint in project.endpoints.values() if endpoint.model.name == model]
    found = (project.store.catalog.get(Policy, name) for name in names)
    return [policy for policy in found if policy is not None]


def _named(project: Definitions, model: str) -> dict[int, str]:
    """Versions that predictions in the logs name, in the tables and in segments that are not there yet."""
    held: dict[int, str] = {}
    for endpoint in project.endpoints.values():
        if endpoint.model.name != model:
            continue
        why = f"predictions in the log of {endpoint.name} name it"
        for entry in in_segments(project.log_folder / endpoint.name, [b""]):
            if isinstance(entry, Prediction) and entry.model == model:
                held[entry.version] = why
        table = predictions_table(endpoint.name)
        if project.store.tables.version(table) is None:
            continue
        rows = project.store.tables.scan(table).filter(pl.col("model") == model).select("version").unique().collect()
        for number in rows["version"]:
            held[int(number)] = why
    return held
