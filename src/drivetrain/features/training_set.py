"""Training sets: every label row with the features as they were known at its moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl

from drivetrain.core.errors import FeatureError
from drivetrain.features.events import keys_of, moments_of
from drivetrain.features.label import AT
from drivetrain.features.point_in_time import features_at
from drivetrain.features.request import RequestFeatures
from drivetrain.features.view import FeatureView


def build(
    labels: pl.DataFrame,
    views: Sequence[FeatureView],
    requests: Sequence[RequestFeatures],
    tables: Callable[[str], pl.LazyFrame],
) -> pl.DataFrame:
    """Joins features to label rows.

    Args:
        labels: Rows with ``_at`` (any datetime; nanoseconds are cut, times without a zone are UTC), the entities' keys
            and the request fields.
        views: Features of entities.
        requests: Features of the request.
        tables: Table name → its rows; each is read at the version the training set is to be made of.

    Returns:
        The label rows, all of them, in their order and untouched, then the features by full name, views first. Memory
        grows with the rows of the largest table and a few of its columns.

    Raises:
        FeatureError: A column is missing or of the wrong type, or a label has no moment.
    """
    if AT not in labels.columns:
        raise FeatureError("label rows have no moment of prediction", found=labels.columns, expected=AT)
    at = moments_of(labels.get_column(AT), up=False)
    if at.null_count():
        raise FeatureError(
            f"{at.null_count()} label rows have no moment of prediction", do="Leave them out, or mend them"
        )
    moment = at.to_numpy()
    made = []
    for view in views:
        keys = keys_of(labels, view.entity.keys, view.entity.keys, "the label rows")
        made.append(features_at(view, tables(view.source.name), keys, moment))
    made.extend(group.evaluate(labels) for group in requests)
    return pl.concat([labels, *made], how="horizontal")
