"""A training set becomes a run."""

from __future__ import annotations

import os
from collections.abc import Mapping

from drivetrain.core.clock import DAY, Micros
from drivetrain.core.hashing import digest
from drivetrain.core.progress import Progress
from drivetrain.core.records import TableVersion
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.model import Model
from drivetrain.loop.node import Node, Outputs
from drivetrain.loop.refs import table_version
from drivetrain.train.fit import fit


def train_node(project: Definitions, model: Model) -> Node:
    """Tunes, fits and records; everything after the training set's last whole day is left alone."""
    training_set = f"training_set:{model.name}"

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
            as_of=moment_of_training(table),
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
        parameters="",
        needs=(training_set,),
        action=action,
    )


def moment_of_training(training_set: TableVersion) -> Micros:
    """The midnight after the last moment a label stands for: where the test window ends."""
    last = training_set.last_event or 0
    return -(-(last + 1) // DAY) * DAY
