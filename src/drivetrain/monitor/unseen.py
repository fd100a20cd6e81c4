"""Categories that training never saw: encoded they look like nulls, so the requests themselves are asked."""

from __future__ import annotations

import numpy as np
import polars as pl

from drivetrain.evaluate.ranking import Floats
from drivetrain.monitor.reference import Reference
from drivetrain.monitor.requested import requested


def unseen_shares(requests: pl.Series, values: Floats, reference: Reference) -> dict[str, float]:
    """Share of rows whose request names a category that the model has no code for.

    A category that is a field of the request goes by the last part of the feature's name (``calendar.carrier`` is
    ``carrier``); that it is the same is checked on every row with a common category. Categories from elsewhere are
    left out: nothing in the log tells their unseen values from nulls.

    Args:
        requests: The instances as they came, JSON text.
        values: Encoded rows, in the reference's order.
        reference: What the categories are.
    """
    shares: dict[str, float] = {}
    for at, column in enumerate(reference.columns):
        if column.type != "category" or requests.dtype != pl.String:
            continue
        told = requested(requests, column.name)
        encoded = np.ascontiguousarray(values[:, at])
        place = column.place(encoded)
        common = place < len(column.names) - 1
        names = np.asarray(column.names, dtype=np.object_)[place[common]]
        if not common.any() or told.filter(pl.Series(common)).to_list() != names.tolist():
            continue
        shares[column.name] = float((~np.isfinite(encoded) & told.is_not_null().to_numpy()).mean())
    return shares
