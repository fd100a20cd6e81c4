"""A training set becomes a run."""

from __future__ import annotations

import os
from collections.abc import Mapping

from drivetrain.core.clock import DAY, Micros, iso
from drivetrain.core.hashing import digest
from drivetrain.core.progress import Progress
from drivetrain.core.records import TableVersion
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.model import Model
from drivetrain.loop.node import Node, Outputs
from drivetrain.loop.refs import table_version
from drivetrain.train.fit import fit


def train_node(project: Definitions, model: Model, at: Micros | None) -> Node:
    """Tunes, fits and records, as of the end of the training set's last day, or of ``at`` if that is earlier."""
    training_set = f"training_set:{model.name}"
    bound = binding(project, model, at)

    def action(inputs: Mapping[str, Outputs], progress: Progress) -> Outputs:
        table = table_version(project, inputs[training_set]["table"])
        run = fit(
            project.store,
            model=model.name,
            frame=project.store.tables.read(table.table, table.version),
            features=model.feature_names(),
            trainer=model.trainer,
            split=model.split,
            tune=model.tune,
            baselines=model.baselines,
            as_of=moment_of_training(table, bound),
            training_set=table.ref,
            code=digest([model.data_digest(), model.fit_digest()]),
            seed=model.seed,
            threads=project.settings.compute.threads or os.cpu_count() or 1,
            progress=progress,
        )
        return {"run": run.ref}

    tuning = f"tune over {model.tune.trials} trials, then " if model.tune else ""
    return Node(
        name=f"train:{model.name}",
        group="model",
        words=f"{tuning}fit {model.trainer.name} and {len(model.baselines)} baselines",
        code=model.fit_digest(),
        parameters="" if bound is None else iso(bound),
        needs=(training_set,),
        action=action,
    )


def binding(project: Definitions, model: Model, at: Micros | None) -> Micros | None:
    """``at``, if rows have been taken in that lie beyond it; none if training as of now comes to the same."""
    newest = next(iter(project.store.catalog.find(TableVersion, model.label.source.name, limit=1)), None)
    beyond = newest is not None and newest.last_event is not None and at is not None and newest.last_event >= at
    return at if beyond else None


def moment_of_training(training_set: TableVersion, at: Micros | None) -> Micros:
    """Where the test window ends: the midnight after the last label's moment, or ``at`` if that is earlier."""
    last = training_set.last_event or 0
    midnight = -(-(last + 1) // DAY) * DAY
    return midnight if at is None else min(midnight, at)
