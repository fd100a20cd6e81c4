"""Compares two versions of a model; nothing is changed but profiles that were not made yet."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from msgspec.structs import replace

from drivetrain.core.clock import iso
from drivetrain.core.errors import DrivetrainError, UnknownName, UsageError
from drivetrain.core.protocols import Engine
from drivetrain.core.records import Evaluation, ModelVersion, Run, TableVersion
from drivetrain.core.records.making import Making
from drivetrain.features.exact import Floats
from drivetrain.loop.data import figures
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.diff.predictions import predictions_of
from drivetrain.loop.diff.rows import Shared, shared_rows
from drivetrain.loop.diff.said import Code, Data, Predictions, TableChange, VersionDiff
from drivetrain.loop.diff.scores import metrics_of
from drivetrain.loop.keys import verify_path
from drivetrain.loop.making import LABEL, Change, definition_changes, text_changes
from drivetrain.loop.versions import version_named
from drivetrain.registry.lineage import upward
from drivetrain.registry.load import load_engine
from drivetrain.train.predict import predict_rows

_UNKNOWN = "What {} was made with was not noted: it is older than the note."


def diff(project: Definitions, before: str | int, after: str | int, model: str | None) -> VersionDiff:
    """See :meth:`Project.diff`."""
    # Where only one name says which model it is of, it says so for both.
    named = next((str(name).rpartition("@")[0] for name in (before, after) if "@" in str(name)), "") or model
    first, second = version_named(project, before, _of(before, named)), version_named(project, after, _of(after, named))
    if first.model != second.model:
        raise UsageError("versions of two models are not compared", found=f"{first.key} and {second.key}")
    runs = _runs(project, first), _runs(project, second)
    made = [run.making or Making() for run in runs]
    shared = shared_rows(project, first, second)
    engines, said, note = _answers(project, first, second, shared)
    shared = shared._replace(note=" ".join(filter(None, [shared.note, note])))
    evaluations = tuple(project.store.catalog.get(Evaluation, run.run_id) for run in runs)
    return VersionDiff(
        model=second.model,
        before=first.version,
        after=second.version,
        made=(iso(first.at), iso(second.at)),
        data=_data(project, (first, second), runs),
        features=(*_features(first, second, made), *_chosen(runs)),
        code=_code(runs),
        configuration=tuple(text_changes(made[0].configuration, made[1].configuration)),
        parameters=tuple(text_changes(_texts(runs[0].parameters), _texts(runs[1].parameters))),
        environment=tuple(_environment(runs)),
        metrics=metrics_of((evaluations[0], evaluations[1]), shared, said),
        predictions=predictions_of(project, (first, second), engines, shared, said)
        if said is not None
        else Predictions(of="none", note=shared.note or "They could not be asked about the same rows."),
    )


def _of(name: str | int, model: str | None) -> str | None:
    return None if "@" in str(name) else model


def _runs(project: Definitions, version: ModelVersion) -> Run:
    run = project.store.catalog.get(Run, version.run_id)
    if run is None:
        raise UnknownName(f"the run of {version.key} is not on record", do="Was the catalog restored from a copy?")
    return run


def _answers(
    project: Definitions, first: ModelVersion, second: ModelVersion, shared: Shared
) -> tuple[tuple[Engine, ...], tuple[Floats, Floats] | None, str]:
    """Both engines, what they say of the rows, and why they say nothing."""
    if shared.of == "none":
        return (), None, ""
    try:
        engines = tuple(load_engine(project.store, each, verify=verify_path(project)) for each in (first, second))
        before = predict_rows(engines[0], first.input_schema, shared.before)
        after = predict_rows(engines[1], second.input_schema, shared.after)
    except DrivetrainError as error:
        return (), None, str(error)
    return engines, (np.asarray(before, np.float64), np.asarray(after, np.float64)), ""


def _data(project: Definitions, versions: tuple[ModelVersion, ModelVersion], runs: tuple[Run, Run]) -> Data:
    behind = [_tables(project, version) for version in versions]
    names = dict.fromkeys((*behind[1], *behind[0]))
    return Data(
        tables=tuple(_table(project, name, behind[0].get(name), behind[1].get(name)) for name in names),
        rows=(runs[0].train_rows, runs[1].train_rows),
        window=(
            (iso(runs[0].train_since), iso(runs[0].train_until)),
            (iso(runs[1].train_since), iso(runs[1].train_until)),
        ),
    )


def _tables(project: Definitions, version: ModelVersion) -> dict[str, TableVersion]:
    """Table → its version behind a model's version: the training set, then what that was made of."""
    catalog = project.store.catalog
    refs = [version.training_set, *(step.link.source for step in upward(catalog, version.training_set))]
    prefix = f"{TableVersion.kind}:"
    known = (catalog.get(TableVersion, ref.removeprefix(prefix)) for ref in refs if ref.startswith(prefix))
    found: dict[str, TableVersion] = {}
    for record in known:
        if record is not None:
            found.setdefault(record.table, record)
    return found


def _table(project: Definitions, name: str, before: TableVersion | None, after: TableVersion | None) -> TableChange:
    change = TableChange(
        table=name,
        before=before.version if before else None,
        after=after.version if after else None,
        rows_before=before.rows if before else None,
        rows_after=after.rows if after else None,
    )
    if before is None or after is None or change.same:
        return change
    try:
        moved = figures(project, name, version=after.version, against=before.version).moved
    except DrivetrainError as error:
        return replace(change, note=str(error))
    return replace(change, moved=tuple(one for one in moved if one.moved))


def _features(first: ModelVersion, second: ModelVersion, made: list[Making]) -> list[Change]:
    """Columns of either that are not the other's, or mean something else."""
    if made[0].definitions and made[1].definitions:
        return [change for change in definition_changes(made[0], made[1]) if change.name != LABEL]
    names = [dict.fromkeys(version.input_schema.names, "there") for version in (first, second)]
    changed = {
        name: Change(name, f"digest {digest}", f"digest {second.features[name]}")
        for name, digest in first.features.items()
        if second.features.get(name, digest) != digest
    }
    return [*text_changes(*names), *changed.values()]


def _chosen(runs: tuple[Run, Run]) -> list[Change]:
    """Features that one reads and the other could have, but left out."""
    told: list[dict[str, str]] = [{}, {}]
    for said, run in zip(told, runs, strict=True):
        for one in run.selection.features if run.selection else ():
            said[one.feature] = "read" if one.kept else f"left out: {one.why}"
        said.update(dict.fromkeys(run.input_schema.names if run.input_schema else (), "read"))
    both = [{name: said for name, said in each.items() if name in told[0] and name in told[1]} for each in told]
    left = [{name: said.partition(":")[0] for name, said in each.items()} for each in both]
    return [Change(one.name, both[0][one.name], both[1][one.name]) for one in text_changes(*left)]


def _code(runs: tuple[Run, Run]) -> Code:
    before, after = (run.making for run in runs)
    silent = [f"run {run.run_id}" for run in runs if run.making is None]
    definitions = definition_changes(before, after) if before and after else []
    return Code(
        commit=(before.commit or None if before else None, after.commit or None if after else None),
        dirty=(bool(before and before.changes), bool(after and after.changes)),
        definitions=tuple(definitions),
        note=_UNKNOWN.format(" and ".join(silent)) if silent else "",
    )


def _environment(runs: tuple[Run, Run]) -> list[Change]:
    """Packages, and the machine."""
    changes = text_changes(runs[0].packages, runs[1].packages)
    machines = [_texts(_machine(run)) for run in runs]
    return changes + (text_changes(*machines) if all(machines) else [])


def _machine(run: Run) -> dict[str, object]:
    machine = run.making.machine if run.making else None
    if machine is None or not machine.cores:
        return {}
    told = {name: getattr(machine, name) for name in ("cpu", "cores", "memory", "blas", "threads")}
    return {**told, "simd": " ".join(machine.simd), **machine.limits}


def _texts(values: Mapping[str, object]) -> dict[str, str]:
    return {name: value if isinstance(value, str) else repr(value) for name, value in values.items()}
