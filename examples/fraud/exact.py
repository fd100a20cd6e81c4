"""The project's features beside the handbook's: the same numbers, or the run says that they are not.

A project's features rest on its tables; here they are built by the same definitions straight from the files of
``raw/``, so that tests, benchmarks and worlds of other seeds need no project on disk.
"""

from __future__ import annotations

import dataclasses
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
from handbook import FEATURES, WINDOWS, handbook_features

from drivetrain.data.arrival import with_sequence, with_times
from drivetrain.data.source import Source
from drivetrain.features.label import LABEL, labels_of
from drivetrain.features.training_set import build
from drivetrain.loop.model import Model

HANDBOOKS = {
    **{f"payment.{name}": name for name in ("amount", "weekend", "night")},
    **{f"spending.count_{days}d": f"customer_count_{days}d" for days in WINDOWS},
    **{f"spending.mean_amount_{days}d": f"customer_amount_{days}d" for days in WINDOWS},
    **{f"risk.count_{days}d": f"terminal_count_{days}d" for days in WINDOWS},
    **{f"risk.share_fraud_{days}d": f"terminal_risk_{days}d" for days in WINDOWS},
}
"""Each of the project's first fifteen features → the handbook's."""
CLOSE = 1e-12
"""How far a mean may be from the handbook's, relatively: the two divide in another order. Counts may not differ."""


def feature_frame(
    folder: Path, model: Model, *, since: datetime | None = None, until: datetime | None = None, itself: bool = False
) -> pl.DataFrame:
    """Payments with a model's features, straight from the files that :func:`world.lay_out` wrote.

    Args:
        folder: The folder with ``raw/`` in it.
        model: Whose features.
        since: Only payments from this moment on; their features rest on all that came before.
        until: Only payments before this moment.
        itself: Whether features are those of the payment's own moment, as the handbook has them: the payment itself
            counts, and others of the same second. Else they are of the moment before, as the model asks.

    Returns:
        What :meth:`drivetrain.Project.training_set` returns, and ``fraud``.
    """
    sources = {view.source.name: view.source for view in model.views} | {model.label.source.name: model.label.source}
    tables = {name: _rows(folder, source) for name, source in sources.items() if isinstance(source, Source)}
    label = dataclasses.replace(model.label, at=None) if itself else model.label
    rows = tables[model.label.source.name]
    if since is not None:
        rows = rows.filter(pl.col("time") >= since)
    if until is not None:
        rows = rows.filter(pl.col("time") < until)
    labels = labels_of(rows, label, model.request_columns)
    made = build(labels, model.views, model.requests, tables.__getitem__, model.derived)
    return made.select(*labels.columns, *model.feature_names(), fraud=pl.col(LABEL) == 1)


def differing(made: pl.DataFrame, *, before: int) -> dict[str, int]:
    """How many values of each of the fifteen features are not the handbook's; nothing where all are.

    Args:
        made: Payments with ``time``, ``customer_id``, ``terminal_id``, ``amount``, ``fraud`` and the project's
            features, whole: a customer's payments that are missing would be missing in the handbook's windows.
        before: Microseconds from the moment the features are of to the payment.
    """
    expected = handbook_features(made, before=before)
    wrong = {}
    for ours, theirs in HANDBOOKS.items():
        values = made[ours].cast(pl.Float64)
        if "share" in ours:
            values = values.fill_null(0.0)  # the handbook's share of no outcomes; the project's is not known
        found, right = values.fill_null(np.nan).to_numpy(), expected[theirs].to_numpy()
        near = np.abs(found - right) <= (CLOSE * np.abs(right) if "mean" in ours or "share" in ours else 0.0)
        if many := int((~(near | (np.isnan(found) & np.isnan(right)))).sum()):
            wrong[ours] = many
    return wrong


def _rows(folder: Path, source: Source) -> pl.LazyFrame:
    """A source's rows as its table would have them, all of them: here nothing is set aside."""
    rows = pl.concat([batch.rows for batch in source.reader.read(folder, "")])
    rows = rows.cast({name: column.dtype for name, column in source.contract.columns.items() if name in rows.columns})
    if source.prepare is not None:
        rows = source.prepare(rows, **{used.name: _rows(folder, used).collect() for used in source.uses})
    return with_sequence(with_times(rows, source), 0).lazy()


assert set(HANDBOOKS.values()) == set(FEATURES)
