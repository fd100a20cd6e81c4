"""Skew: where the values an endpoint logged differ from the ones computed offline for the same moment."""

from __future__ import annotations

import msgspec
import numpy as np
import polars as pl

from drivetrain.core.clock import Micros
from drivetrain.core.errors import FeatureError
from drivetrain.core.records import InputSchema
from drivetrain.features.encoding import encode

_TOLERANCE = 1e-9


class Mismatch(msgspec.Struct, frozen=True):
    """One value that differs; both as the model reads them, NaN for null."""

    entity: str
    at: Micros
    logged: float
    offline: float


class FeatureSkew(msgspec.Struct, frozen=True):
    """What became of one feature in the comparison."""

    feature: str
    compared: int
    mismatches: int
    examples: tuple[Mismatch, ...] = ()


def compare(
    logged: pl.DataFrame,
    offline: pl.DataFrame,
    schema: InputSchema,
    *,
    tolerance: float = _TOLERANCE,
    examples: int = 3,
) -> list[FeatureSkew]:
    """Compares logged feature values with recomputed ones.

    Args:
        logged: ``entity`` (text), ``at`` (datetime or microseconds) and ``values`` (list of float64 in the schema's
            order, NaN or null for null), one row a prediction.
        offline: The training-set rows for the same predictions, in the same order.
        schema: The model's input.
        tolerance: Relative difference up to which values agree; standard deviations of values that are no whole
            multiples of a common unit may differ in their last bits.
        examples: How many mismatches to keep for each feature.

    Returns:
        One record a feature, in the schema's order.

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
    there = flat.fill_null(float("nan")).to_numpy().reshape(len(logged), width)
    here = encode(offline, schema)
    gap = np.abs(there - here)
    agree = (gap <= tolerance * np.maximum(np.abs(there), np.abs(here))) | (np.isnan(there) & np.isnan(here))
    agree |= there == here
    at = logged.get_column("at")
    moments = (at.dt.epoch("us") if isinstance(at.dtype, pl.Datetime) else at).to_list()
    entities = logged.get_column("entity").to_list()
    result = []
    for column, name in enumerate(schema.names):
        apart = np.flatnonzero(~agree[:, column])
        shown = tuple(
            Mismatch(entities[row], moments[row], float(there[row, column]), float(here[row, column]))
            for row in apart[:examples].tolist()
        )
        result.append(FeatureSkew(name, len(logged), len(apart), shown))
    return result
