"""A training set becomes a run."""

from __future__ import annotations

import os
from collections.abc import Mapping

import polars as pl

from drivetrain.core.clock import DAY, Micros, datetime_of, iso
from drivetrain.core.hashing import digest
from drivetrain.core.progress import Progress
from drivetrain.core.records import Run, TableVersion
from drivetrain.features.label import AT, LABEL, LABEL_AT
from drivetrain.features.target import kind_of
from drivetrain.loop.claims import early_claims
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.making import declared
from drivetrain.loop.model import Model
from drivetrain.loop.node import Node, Outputs
from drivetrain.loop.refs import table_version
from drivetrain.registry.aliases import champion
from drivetrain.train.fit import fit
from drivetrain.train.tuning.warm import warmed


def train_node(project: Definitions, model: Model, at: Micros | None) -> Node:
    """Tunes, fits and records, on labels known by ``at``; the end of the last day that has one ends the test."""
    training_set = f"training_set:{model.name}"
    bound = binding(project, model, at)

    def action(inputs: Mapping[str, Outputs], progress: Progress) -> Outputs:
        table = table_version(project, inputs[training_set]["table"])
        frame, until = rows_known(project.store.tables.read(table.table, table.version), bound)
        model.check_kind(kind_of(frame[LABEL], model.label.target))
        run = fit(
            project.store,
            model=model.name,
            frame=frame,
            features=model.feature_names(),
            trainer=model.trainer,
            split=model.split,
            tune=warmed(model.tune, champions_run(project, model)),
            baselines=model.baselines,
            as_of=until,
            training_set=table.ref,
            code=digest([model.data_digest(), model.fit_digest()]),
            seed=model.seed,
            threads=project.settings.compute.threads or os.cpu_count() or 1,
            progress=progress,
            preparing=model.preparing,
            making=declared(model, bound),
            leakage=model.leakage,
            claims=early_claims(project, model),
            target=model.label.target,
            deciding=model.deciding,
        )
        return {"run": run.ref}

    tuning = f"choose features by {model.select.by.replace('_', ' ')}, " if model.select else ""
    tuning += f"tune over {model.tune.trials} trials, then " if model.tune else ""
    return Node(
        name=f"train:{model.name}",
        group="model",
        words=f"{tuning}fit {model.trainer.name} and {len(model.baselines)} baselines",
        code=model.fit_digest(),
        parameters="" if bound is None else iso(bound),
        needs=(training_set,),
        action=action,
    )


def champions_run(project: Definitions, model: Model) -> Run | None:
    """The run of the model's champion, if there is one."""
    standing = champion(project.store, model.name)
    return None if standing is None else project.store.catalog.get(Run, standing.run_id)


def binding(project: Definitions, model: Model, at: Micros | None) -> Micros | None:
    """``at``, if rows have been taken in that lie beyond it; none if training as of now comes to the same."""
    newest = next(iter(project.store.catalog.find(TableVersion, model.label.source.name, limit=1)), None)
    beyond = newest is not None and newest.last_event is not None and at is not None and newest.last_event >= at
    return at if beyond else None


def rows_known(training_set: pl.DataFrame, at: Micros | None) -> tuple[pl.DataFrame, Micros]:
    """Rows whose label was known by a moment, and where the test window ends.

    Args:
        training_set: What the model may learn from, and be judged on.
        at: The moment; none where everything in the training set is known.

    Returns:
        The rows, and the midnight after the last of their moments of prediction, or ``at`` if that is earlier.
    """
    known = training_set
    if at is not None:
        known = training_set.filter(pl.max_horizontal(AT, LABEL_AT) <= datetime_of(at))
    last = known[AT].dt.epoch("us").max()
    midnight = -(-(last + 1) // DAY) * DAY if isinstance(last, int) else 0
    return known, midnight if at is None else min(midnight, at)
