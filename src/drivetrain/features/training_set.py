"""Training sets: every label row with the features as they were known at its moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl

from drivetrain.core.errors import FeatureError
from drivetrain.features.derived import DerivedView, Group, read_by
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
    derived: Sequence[DerivedView] = (),
) -> pl.DataFrame:
    """Joins features to label rows.

    Args:
        labels: Rows with ``_at`` (any datetime; nanoseconds are cut, times without a zone are UTC), the entities' keys
            and the request fields.
        views: Features of entities.
        requests: Features of the request.
        tables: Table name → its rows; each is read at the version the training set is to be made of.
        derived: Features made from other features; what they read is computed too, and left out if it is not asked for.

    Returns:
        The label rows, all of them, in their order and untouched, then the features by full name: views, then features
        of the request, then derived ones. Memory grows with the rows of the largest table and a few of its columns.

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
    made: dict[Group, pl.DataFrame] = {}
    for group in read_by([*views, *requests, *derived]):
        if isinstance(group, FeatureView):
            keys = keys_of(labels, group.entity.keys, group.entity.keys, "the label rows")
            made[group] = features_at(group, tables(group.source.name), keys, moment)
        elif isinstance(group, RequestFeatures):
            made[group] = group.evaluate(labels)
        else:
            behind = [made[parent] for parent in group.parents]
            made[group] = group.evaluate(pl.concat([labels, *behind], how="horizontal"))
    wanted: Sequence[Group] = (*views, *requests, *derived)
    return pl.concat([labels, *(made[group] for group in wanted)], how="horizontal")
