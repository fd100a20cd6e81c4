"""Makes a version again from its record, in a store of its own; aliases, tables and the catalog stay as they are."""

from __future__ import annotations

import os
import time

import polars as pl

from drivetrain.core.errors import DrivetrainError, RefusedError, UsageError
from drivetrain.core.hashing import digest
from drivetrain.core.progress import Progress, Silent
from drivetrain.core.records import ModelVersion, Run
from drivetrain.features.label import LABEL
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.making import Change, declared, text_changes
from drivetrain.loop.model import Model
from drivetrain.loop.refs import resolve
from drivetrain.loop.reproduce.comparing import furthest, parts_of
from drivetrain.loop.reproduce.material import Material, changes_since, material
from drivetrain.loop.reproduce.said import Reproduced, Verdict
from drivetrain.loop.reproduce.scratch import scratch_store
from drivetrain.loop.stages.train import rows_known
from drivetrain.loop.versions import version_named
from drivetrain.store.bundle import Store
from drivetrain.train.environment import packages
from drivetrain.train.fit import fit
from drivetrain.train.making import machine
from drivetrain.train.tuning.warm import again

TOLERANCE = 1e-6
"""Largest difference at which answers count as the same, of one or of the largest answer, whichever is more."""


def reproduce(
    project: Definitions,
    version: str | int,
    *,
    model: str | None,
    anyway: bool,
    tolerance: float,
    progress: Progress | None,
) -> Reproduced:
    """See :meth:`Project.reproduce`."""
    if not 0 <= tolerance < 1:
        raise UsageError("a tolerance is a difference of answers", found=tolerance, expected="0 or more, below 1")
    began = time.monotonic()
    found = version_named(project, version, model)
    declares = project.find_model(found.model)
    run = resolve(project, Run, f"run:{found.run_id}")
    changed = changes_since(declares, found, run)
    if changed and not anyway:
        raise _refused(found, run, changed)
    rows = material(project, declares, found)
    with scratch_store(project.folder, project.settings.store) as scratch:
        made = _fitted(project, scratch, declares, run, rows.rows, progress or Silent())
        parts = (rows.part, *parts_of(run, made))
        verdict, difference, count, notes = _judged(project, scratch, run, made, rows, tolerance)
    return Reproduced(
        model=found.model,
        version=found.version,
        verdict=verdict,
        parts=parts,
        code=tuple(changed),
        environment=tuple(_environment(run)),
        rows=count,
        difference=difference,
        tolerance=tolerance,
        notes=tuple(filter(None, (*rows.notes, *_unnoted(run), again(declares.tune, run)[1], *notes))),
        seconds=time.monotonic() - began,
    )


def _fitted(
    project: Definitions, scratch: Store, model: Model, run: Run, rows: pl.DataFrame, progress: Progress
) -> Run:
    making = run.making
    known, until = rows_known(rows, making.known_by if making else None)
    threads = making.machine.threads if making else 0
    return fit(
        scratch,
        model=model.name,
        frame=known,
        features=model.feature_names(),
        trainer=model.trainer,
        split=model.split,
        tune=again(model.tune, run)[0],
        baselines=model.baselines,
        as_of=making.as_of if making and making.as_of else until,
        training_set=run.inputs.get("training_set", ""),
        code=digest([model.data_digest(), model.fit_digest()]),
        seed=model.seed,
        threads=threads or project.settings.compute.threads or os.cpu_count() or 1,
        progress=progress,
        preparing=model.preparing,
        making=declared(model, making.known_by if making else None),
        leakage=model.leakage,
        target=model.label.target,
        deciding=model.deciding,
    )


def _judged(
    project: Definitions, scratch: Store, run: Run, made: Run, rows: Material, tolerance: float
) -> tuple[Verdict, float | None, int, tuple[str, ...]]:
    """The verdict; how far answers lie apart, on how many rows; and what stood in the way."""
    was, is_ = ({one.name: one.digest for one in each.artifacts} for each in (run, made))
    if was == is_ and run.input_schema == made.input_schema and rows.part.equal:
        return "bits", None, 0, ()
    try:
        asked = rows.rows.filter(pl.col(LABEL).is_not_null())
        apart, largest, count = furthest((project.store, run), (scratch, made), asked)
    except DrivetrainError as error:
        return "different", None, 0, (f"Answers could not be compared: {error}",)
    close = apart <= tolerance * max(1.0, largest) and rows.part.equal
    return ("predictions" if close else "different"), apart, count, ()


def _refused(version: ModelVersion, run: Run, changed: list[Change]) -> RefusedError:
    commit = run.making.commit if run.making else ""
    patch = run.making.changes if run.making else None
    back = f"Go back to it with: git checkout {commit}" if commit else "Bring the old definitions back"
    if commit and patch:
        back += f", then apply the patch that is kept as blob {patch}"
    return RefusedError(
        f"{version.key} can't be made again with the project as it is: what it was made by has changed",
        found="; ".join(
            f"{one.name}: was {one.before or 'not there'}, is {one.after or 'not there'}" for one in changed
        ),
        do=f"{back}; or see what comes of today's code with: --anyway",
    )


def _environment(run: Run) -> list[Change]:
    changes = text_changes(run.packages, packages())
    then = run.making.machine if run.making else None
    if then is None or not then.cores:
        return changes
    now = machine(then.threads)
    told = ("cpu", "cores", "blas")
    return changes + text_changes(
        {name: str(getattr(then, name)) for name in told}, {name: str(getattr(now, name)) for name in told}
    )


def _unnoted(run: Run) -> tuple[str, ...]:
    if run.making is not None:
        return ()
    return ("The run is older than the note of what it was made with: window, threads and code were guessed.",)
