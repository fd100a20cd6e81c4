"""What a version is made of, looked up again: its rows by time travel, and how it was fitted."""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from drivetrain.core.clock import Micros, micros_of
from drivetrain.core.errors import DrivetrainError, RefusedError, StoreError
from drivetrain.core.records import ModelVersion, Run, TableVersion
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.making import Change, code_changes, declared
from drivetrain.loop.model import Model
from drivetrain.loop.refs import table_version
from drivetrain.loop.reproduce.said import Part
from drivetrain.loop.stages.training_set import training_frame

_TABLE = f"{TableVersion.kind}:"


class Material(NamedTuple):
    """Rows to fit on, and what is known of them.

    Attributes:
        rows: The training set.
        part: How it compares with the one that was kept.
        notes: What could not be done.
    """

    rows: pl.DataFrame
    part: Part
    notes: tuple[str, ...]


def changes_since(model: Model, version: ModelVersion, run: Run) -> list[Change]:
    """What a project declares otherwise than when a version was made; empty where a fit would do the same."""
    if run.making is not None and run.making.definitions:
        return code_changes(run.making, declared(model, run.making.known_by))
    now = model.definitions
    return [
        Change(name, f"digest {digest}", f"digest {now[name]}" if name in now else None)
        for name, digest in version.features.items()
        if now.get(name) != digest
    ]


def material(project: Definitions, model: Model, version: ModelVersion) -> Material:
    """The training set of a version, made from the table versions that it was made from.

    Raises:
        RefusedError: Neither these nor the training set are there any more.
    """
    kept, lost = _kept(project, version)
    refs = {
        link.role: link.source
        for link in project.store.catalog.links(target=version.training_set)
        if link.source.startswith(_TABLE)
    }
    try:
        if not refs:
            raise StoreError(f"the catalog does not say what {version.training_set} was made of")
        versions = {name: table_version(project, ref) for name, ref in refs.items()}
        made, _ = training_frame(project, model, versions, _as_of(project, version))
    except (DrivetrainError, KeyError) as error:
        if kept is None:
            raise RefusedError(
                f"{version.key} can't be made again: its rows are not there any more",
                found=f"{lost}; {error}",
                do="They were erased, or they are in the project where it was trained",
            ) from None
        told = f"The training set was read, not made again: {error}"
        return Material(kept, Part(name="training set", equal=True, then=_words(kept), now="as it was kept"), (told,))
    if kept is None:
        told = f"The training set that was kept is not there to compare with: {lost}"
        return Material(made, Part(name="training set", equal=True, now=_words(made)), (told,))
    same = kept.columns == made.columns
    typed = made.cast(dict(kept.schema)) if same else made  # type: ignore[arg-type]
    same = same and typed.equals(kept, null_equal=True)
    return Material(typed, Part(name="training set", equal=same, then=_words(kept), now=_words(made)), ())


def _kept(project: Definitions, version: ModelVersion) -> tuple[pl.DataFrame | None, str]:
    table, _, number = version.training_set.removeprefix(_TABLE).rpartition("@")
    try:
        return project.store.tables.read(table, int(number)), ""
    except (DrivetrainError, ValueError) as error:
        return None, str(error)


def _as_of(project: Definitions, version: ModelVersion) -> Micros | None:
    """The moment that the training set stands at, if it holds labels back."""
    table, _, number = version.training_set.removeprefix(_TABLE).rpartition("@")
    try:
        text = project.store.tables.note(table, int(number)).get("as of")
    except DrivetrainError:
        return None
    return micros_of(text) if text else None


def _words(frame: pl.DataFrame) -> str:
    return f"{frame.height:,} rows, {frame.width} columns"
