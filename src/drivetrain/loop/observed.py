"""What came true, and when it became known."""

from __future__ import annotations

import polars as pl

from drivetrain.core.clock import Micros, datetime_of
from drivetrain.features.label import ENTITY, LABEL, LABEL_AT, labels_of
from drivetrain.features.view import AVAILABLE_AT
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.model import Model


def observed_labels(project: Definitions, model: Model, since: Micros, until: Micros) -> pl.DataFrame:
    """Labels that became known in ``[since, until)``, as feedback tells them: ``entity``, ``label``, ``at``."""
    known = pl.col(AVAILABLE_AT)
    rows = project.store.tables.scan(model.label.source.name).filter(
        known >= datetime_of(since), known < datetime_of(until)
    )
    labels = labels_of(rows, model.label)
    return labels.filter(pl.col(LABEL).is_not_null()).select(
        pl.col(ENTITY).alias("entity"), pl.col(LABEL).alias("label"), pl.col(LABEL_AT).alias("at")
    )
