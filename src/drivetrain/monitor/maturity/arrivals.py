"""When each prediction's label came, and what is odd about the labels told."""

from __future__ import annotations

import msgspec
import numpy as np
import polars as pl

from drivetrain.evaluate.ranking import Floats


class Arrivals(msgspec.Struct, frozen=True):
    """Labels of a window's predictions, as they were told.

    Attributes:
        ages: Microseconds from each prediction to the first label that counts; NaN where none came.
        repeated: Labels told again with a value that was told already.
        contradicted: Predictions that were told more than one value.
        early: Predictions with a label known before the moment predicted for: it belongs to another.
        strange: Labels that are neither a number nor names.
    """

    ages: Floats
    repeated: int
    contradicted: int
    early: int
    strange: int


def arrivals(predictions: pl.DataFrame, feedback: pl.DataFrame, *, endpoint: str) -> Arrivals:
    """Looks up when labels came.

    Args:
        predictions: Rows of the prediction log.
        feedback: Rows of the feedback log.
        endpoint: Whose feedback.
    """
    named = feedback if "names" in feedback.columns else feedback.with_columns(names=pl.lit(None, pl.List(pl.String())))
    mine = named.lazy().filter(pl.col("endpoint") == endpoint)
    told_by = pl.col("label").is_finite().fill_null(value=False) | pl.col("names").is_not_null()
    text = pl.coalesce(pl.col("names").list.join(" "), pl.col("label").cast(pl.String))
    valid = mine.filter(told_by).with_columns(
        pl.col("at").cast(pl.Int64).alias("_known"), pl.col("row").cast(pl.Int64), text.alias("label")
    )
    keys = predictions.lazy().select(
        "request_id", pl.col("row").cast(pl.Int64), "entity", pl.col("at").cast(pl.Int64).alias("_made")
    )
    keys = keys.with_row_index("_place")
    wanted = ["_place", "_made", "_known", "label"]
    by_request = keys.join(valid.filter(pl.col("request_id") != ""), on=["request_id", "row"]).select(wanted)
    about = keys.filter(pl.col("entity") != "").join(valid, on="entity").select(wanted)
    told = pl.concat([by_request, about]).collect()
    good = told.filter(pl.col("_known") >= pl.col("_made"))
    each = good.group_by("_place").agg(
        (pl.col("_known") - pl.col("_made")).min().alias("age"), pl.len().alias("times"), pl.col("label").n_unique()
    )
    ages: Floats = np.full(predictions.height, np.nan)
    ages[each["_place"].to_numpy()] = each["age"].to_numpy()
    return Arrivals(
        ages=ages,
        repeated=int((each["times"] - each["label"]).cast(pl.Int64).sum()),
        contradicted=int((each["label"] > 1).sum()),
        early=told.filter(pl.col("_known") < pl.col("_made"))["_place"].n_unique(),
        strange=int(mine.select((~told_by).sum()).collect().item()),
    )
