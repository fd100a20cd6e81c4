"""The rows that a version was evaluated on, with its answers: read again from the training set."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from drivetrain.core.clock import datetime_of
from drivetrain.core.errors import DrivetrainError
from drivetrain.core.records import Evaluation, ModelVersion, TableVersion
from drivetrain.evaluate.ranking import Floats
from drivetrain.features.label import AT, LABEL
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.keys import verify_path
from drivetrain.registry.load import predict_version

MOST = 20_000
"""Rows read at most, spaced evenly over the evaluation's time."""


class Evaluated(NamedTuple):
    """Rows of an evaluation.

    Attributes:
        rows: Of the training set.
        predictions: The version's answers, shape (n,), or (n, outputs).
        ats: Moment of each, microseconds UTC, shape (n,).
    """

    rows: pl.DataFrame
    predictions: Floats
    ats: npt.NDArray[np.int64]


def evaluated_rows(
    project: Definitions, version: ModelVersion, evaluation: Evaluation, most: int = MOST
) -> Evaluated | str:
    """The rows a version was judged on.

    Args:
        project: Where tables are.
        version: Which version.
        evaluation: Its.
        most: How many rows at most.

    Returns:
        A sentence's part where they can't be had any more: the training set was erased, or the model can't be opened.
    """
    catalog, tables = project.store.catalog, project.store.tables
    table = catalog.get(TableVersion, evaluation.data.removeprefix("table:"))
    if table is None or not tables.has(table.table, table.version):
        return "the training set that it was evaluated on is gone"
    span = pl.col(AT).is_between(datetime_of(evaluation.since), datetime_of(evaluation.until), closed="left")
    try:
        found = tables.scan(table.table, table.version).filter(span, pl.col(LABEL).is_not_null()).collect()
        if not found.height:
            return "the training set that it was evaluated on holds none of its rows"
        found = found.sort(AT, maintain_order=True)
        picks = np.unique(np.linspace(0, found.height - 1, min(found.height, most)).round().astype(np.int64))
        rows = found[picks]
        said = predict_version(project.store, version, rows, verify=verify_path(project))
    except DrivetrainError as error:
        return f"the rows it was evaluated on can't be answered again: {error}"
    return Evaluated(rows, np.asarray(said, np.float64), rows[AT].dt.epoch("us").to_numpy())
