"""What came true, and when it became known."""

from __future__ import annotations

import polars as pl

from drivetrain.core.clock import Micros, datetime_of
from drivetrain.features.label import ENTITY, LABEL, LABEL_AT, labels_of
from drivetrain.features.view import AVAILABLE_AT
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.model import Model


def observed_labels(project: Definitions, model: Model, since: Micros, until: Micros) -> pl.DataFrame:
    """Labels that became known in ``[since, until)``, as feedback names them: ``entity``, ``label``, ``at``.

    Feedback tells numbers: of classes and several labels there is none.
    """
    known = pl.col(AVAILABLE_AT)
    rows = project.store.tables.scan(model.label.source.name).filter(
        known >= datetime_of(since), known < datetime_of(until)
    )
    labels = labels_of(rows, model.label)
    if not labels.schema[LABEL].is_numeric():
        labels = labels.clear().with_columns(pl.lit(None, pl.Float64).alias(LABEL))
    return labels.filter(pl.col(LABEL).is_not_null()).select(
        pl.col(ENTITY).alias("entity"), pl.col(LABEL).alias("label"), pl.col(LABEL_AT).alias("at")
    )
