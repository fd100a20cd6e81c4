"""Views that say their rows are known earlier than the table has them: what a training set then knew too early."""

from __future__ import annotations

import polars as pl

from drivetrain.core.clock import show_duration
from drivetrain.features.view import AVAILABLE_AT, FeatureView
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.model import Model


def early_claims(project: Definitions, model: Model) -> dict[str, str]:
    """View → a sentence, for the views of a model with an availability of their own that is earlier than their table's.

    It may be true: a column can be known before its row is complete. So it is told, and the project decides.
    """
    told = {}
    for view in model.views:
        said = _earlier(project, view) if view.available is not None or view.delay is not None else None
        if said is not None:
            told[view.name] = said
    return told


def _earlier(project: Definitions, view: FeatureView) -> str | None:
    ahead = pl.col(AVAILABLE_AT) - pl.max_horizontal(view.available_at(), view.event_time())
    micros = ahead.dt.total_microseconds()
    found = project.store.tables.scan(view.source.name).select(
        rows=pl.len(), early=(micros > 0).sum(), middle=micros.filter(micros > 0).median()
    )
    rows, early, middle = found.collect().row(0)
    if not early:
        return None
    whole = "" if view.available is None else f" at {view.available}"
    return (
        f"view {view.name} reads rows of {view.source.name} as known{whole} before the table says so, in {early:,} of "
        f"{rows:,} rows, by {show_duration(int(middle) // 1_000_000 * 1_000_000)} in the middle of them"
    )
