"""Skew: where the values an endpoint logged differ from the ones computed offline for the same moment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from drivetrain.core.errors import FeatureError
from drivetrain.core.records import InputSchema
from drivetrain.features.encoding import encode
from drivetrain.features.exact import Floats

TOLERANCE = 1e-9
"""Relative difference up to which values agree: standard deviations of values that are no whole multiples of a common
unit may differ in their last bits."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """Logged values beside recomputed ones, both as the model reads them, NaN for null; shape (predictions, fields).

    Attributes:
        schema: The fields compared.
        served: What the endpoint logged.
        offline: What was computed for the same moments.
        apart: Where the two differ.
    """

    schema: InputSchema
    served: Floats
    offline: Floats
    apart: npt.NDArray[np.bool_]

    def count(self, feature: str) -> int:
        """How many values of a feature differ."""
        return int(self.apart[:, self.schema.names.index(feature)].sum())


def compare(logged: pl.DataFrame, offline: pl.DataFrame, schema: InputSchema) -> Comparison:
    """Compares logged feature values with recomputed ones.

    Args:
        logged: ``values`` (list of float64 in the schema's order, NaN or null for null), one row a prediction.
        offline: The training-set rows for the same predictions, in the same order; fields it lacks are left out.
        schema: The model's input.

    Raises:
        FeatureError: The frames differ in length, or values in number.
    """
    if len(logged) != len(offline):
        raise FeatureError("logged and offline rows don't pair up", found=len(offline), expected=len(logged))
    width = len(schema.fields)
    wrong = logged.filter(pl.col("values").list.len() != width)
    if len(wrong):
        raise FeatureError(
            f"{len(wrong)} logged rows have other features than the schema",
            found=wrong.get_column("values").list.len()[0],
            expected=width,
            do="Compare predictions of one model version at a time",
        )
    flat = logged.get_column("values").list.explode(keep_nulls=True, empty_as_null=False).cast(pl.Float64)
    kept = [at for at, name in enumerate(schema.names) if name in offline.columns]
    fields = InputSchema(tuple(schema.fields[at] for at in kept))
    served = flat.fill_null(float("nan")).to_numpy().reshape(len(logged), width)[:, kept]
    computed = encode(offline, fields)
    return Comparison(fields, served, computed, ~agreeing(served, computed))


def agreeing(one: Floats, other: Floats) -> npt.NDArray[np.bool_]:
    """Which values are the same, up to :data:`TOLERANCE`; NaN is the same as NaN.

    Example:
        >>> agreeing(np.array([1.0, np.nan, 2.0]), np.array([1.0 + 1e-12, np.nan, 2.1])).tolist()
        [True, True, False]
    """
    with np.errstate(invalid="ignore", over="ignore"):
        near = np.abs(one - other) <= TOLERANCE * np.minimum(np.abs(one), np.abs(other))
    same: npt.NDArray[np.bool_] = near | (one == other) | (np.isnan(one) & np.isnan(other))
    return same
