"""Labels that arrived, joined to the predictions they belong to."""

from __future__ import annotations

import polars as pl

LABEL = "_label"
NAMES = "_names"


def join_labels(predictions: pl.DataFrame, feedback: pl.DataFrame, *, endpoint: str) -> pl.DataFrame:
    """Gives each prediction its label, where one has arrived.

    A label names its prediction by request and row, or by entity; the former wins. The label logged last wins over
    earlier ones. One that was known before the moment of its prediction belongs to another and is left out, as is one
    that is neither a number nor names.

    Args:
        predictions: Rows of the prediction log.
        feedback: Rows of the feedback log.
        endpoint: Whose feedback.

    Returns:
        The predictions, all and in order, with columns ``_label``, and ``_names`` where classes or labels are told by
        name (both null where none has arrived).
    """
    named = feedback if "names" in feedback.columns else feedback.with_columns(names=pl.lit(None, pl.List(pl.String())))
    told = (
        named.lazy()
        .filter(pl.col("endpoint") == endpoint, pl.col("label").is_finite() | pl.col("names").is_not_null())
        .with_columns(
            _micros("at").alias("_known"), pl.struct(pl.col("label").cast(pl.Float64), "names").alias("label")
        )
        .sort("logged_at", maintain_order=True)
    )
    by_request = (
        told.filter(pl.col("request_id") != "")
        .select("request_id", pl.col("row").cast(pl.Int64), pl.col("label").alias("_by_request"), "_known")
        .unique(["request_id", "row"], keep="last", maintain_order=True)
        .rename({"_known": "_known_request"})
    )
    by_entity = (
        told.filter(pl.col("entity") != "")
        .select("entity", pl.col("label").alias("_by_entity"), "_known")
        .unique("entity", keep="last", maintain_order=True)
        .rename({"_known": "_known_entity"})
    )
    made = _micros("at")
    return (
        predictions.lazy()
        .with_columns(pl.col("row").cast(pl.Int64))
        .join(by_request, on=["request_id", "row"], how="left", maintain_order="left")
        .join(by_entity, on="entity", how="left", maintain_order="left")
        .with_columns(
            pl.coalesce(
                pl.when(pl.col("_known_request") >= made).then(pl.col("_by_request")),
                pl.when(pl.col("_known_entity") >= made).then(pl.col("_by_entity")),
            ).alias(LABEL)
        )
        .with_columns(
            pl.col(LABEL).struct.field("label").fill_nan(None).alias(LABEL),
            pl.col(LABEL).struct.field("names").alias(NAMES),
        )
        .drop("_by_request", "_by_entity", "_known_request", "_known_entity")
        .collect()
    )


def arrived() -> pl.Expr:
    """Whether a joined row has its label."""
    return pl.col(LABEL).is_not_null() | pl.col(NAMES).is_not_null()


def _micros(name: str) -> pl.Expr:
    """A moment as microseconds, whether the log keeps it as such or as a datetime."""
    return pl.col(name).cast(pl.Int64)
