"""A model asked again, with some of its columns changed: what is computed from them is computed anew."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from drivetrain.core.errors import UsageError
from drivetrain.core.records import Run
from drivetrain.evaluate.dependence.moved import moved
from drivetrain.evaluate.ranking import Floats
from drivetrain.features.encoding import encode
from drivetrain.features.request import RequestFeatures
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.model import Model
from drivetrain.train.artifacts import open_engine
from drivetrain.train.predict import predict_rows


class Asking:
    """A run's model, open.

    Args:
        project: Whose store has its artifact.
        model: What it was declared as.
        run: The run.
    """

    def __init__(self, project: Definitions, model: Model, run: Run) -> None:
        assert run.input_schema is not None, "a finished run has its schema"
        self._schema = run.input_schema
        trusted = run.model in project.store.pickles
        self._engine = open_engine(project.store.blobs, run.artifacts, run.input_schema, trusted=trusted)
        self._model = model

    def __call__(self, rows: pl.DataFrame, changes: Mapping[str, pl.Series]) -> Floats:
        """Predictions for rows some of whose columns are changed.

        Request features and derived views that read a changed column are computed again; a view looks up nothing again,
        whatever becomes of its key.

        Args:
            rows: Rows of the training set.
            changes: Column → its values.

        Raises:
            UsageError: A derived view reads a feature that the training set does not hold.
        """
        frame = rows.with_columns(*(values.alias(name) for name, values in changes.items()))
        changed = set(changes)
        for group in self._model.computed:
            reads = group.inputs if isinstance(group, RequestFeatures) else group.reads
            if not changed.intersection(reads):
                continue
            missing = sorted(set(reads) - set(frame.columns))
            if missing:
                raise UsageError(
                    f"{', '.join(sorted(changes))} can't be changed: {group.name!r} would have to be computed again",
                    found=f"a training set without {', '.join(missing)}",
                    do="Read these features in the model too",
                )
            made = group.evaluate(frame)
            frame = frame.with_columns(made.select(name for name in made.columns if name not in changes))
            changed |= set(made.columns)
        return np.asarray(predict_rows(self._engine, self._schema, frame), np.float64)

    def explain(self, rows: pl.DataFrame) -> dict[str, float]:
        """Feature → share of what moved the answers to rows; nothing where the model does not tell exactly."""
        contributions = self._engine.explain(encode(rows, self._schema))
        return {} if contributions is None else moved(np.asarray(contributions, np.float64), self._schema.names)
