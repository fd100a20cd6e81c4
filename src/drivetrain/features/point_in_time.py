"""Features as they were known at given moments: the offline side of a view."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import polars as pl

from drivetrain.core.clock import Micros
from drivetrain.features.aggregate import Kind
from drivetrain.features.asked import Asked, entity_of
from drivetrain.features.events import check_type, feature_dtype, inputs_of, numbers, times_of
from drivetrain.features.exact import Floats, Places
from drivetrain.features.expression import expression_digest
from drivetrain.features.lookup import Lookup
from drivetrain.features.moments import LARGEST
from drivetrain.features.timeline import Timeline
from drivetrain.features.view import Feature, FeatureView


def features_at(view: FeatureView, rows: pl.LazyFrame, keys: pl.DataFrame, moment: Places) -> pl.DataFrame:
    """Features of entities as they were known at given moments.

    Args:
        view: The view.
        rows: Rows of its table.
        keys: Entity keys, one row a request, as :func:`events.keys_of` gives them.
        moment: The requests' moments, microseconds.

    Returns:
        One row a request, in order; the view's features by full name. Numbers are float64.

    Raises:
        FeatureError: The view can't be computed from the table, or the keys' types differ.
    """
    asked = Asked.of(keys, moment)
    lookup = Lookup(view, _timeline(view, rows, asked), asked)
    by_input: dict[int, dict[int, Feature]] = defaultdict(dict)
    for at, feature in enumerate(view.columns):
        by_input[feature.input][at] = feature
    made: dict[int, pl.Series] = {}
    newest: dict[str, pl.Series] = {}
    for position, values, members in inputs_of(view, rows, list(by_input)):
        features = by_input[position]
        for feature in features.values():
            check_type(values.dtype, feature.kind, feature.name)
        given = view.inputs[position]
        windowed = {at: feature for at, feature in features.items() if not feature.looked_up}
        if windowed:
            floats = None if given.value is None and given.where is None else numbers(values)
            made.update(_windowed(windowed, lookup, floats, asked))
        for at in features.keys() - windowed.keys():
            condition = expression_digest(given.where)
            if condition not in newest:
                newest[condition] = _rows(lookup.newest(None if members is None else members.to_numpy()), asked)
            made[at] = _gathered(values, newest[condition], features[at].name)
    return pl.DataFrame([made[at].alias(name) for at, name in enumerate(view.feature_names)])


def _timeline(view: FeatureView, rows: pl.LazyFrame, asked: Asked) -> Timeline:
    """Events that some request may see, in order."""
    keys, event, available, sequence = times_of(view, rows)
    entity = entity_of(keys, asked.keys)
    if len(asked.moment):
        entity[event > asked.moment.max()] = -1
        entity[available > asked.moment.max()] = -1
        if all(not feature.looked_up and feature.window is not None for feature in view.columns):
            entity[event <= asked.moment.min() - view.horizon] = -1
    return Timeline.of(entity, event, available, sequence, len(asked.keys))


def _windowed(
    features: dict[int, Feature], lookup: Lookup, values: Floats | None, asked: Asked
) -> dict[int, pl.Series]:
    kinds: dict[Micros | None, set[Kind]] = defaultdict(set)
    for feature in features.values():
        kinds[feature.window].add(feature.kind)
    moments = lookup.moments(values, kinds)
    made = {}
    for at, feature in features.items():
        result = np.full(asked.rows, np.nan)
        result[asked.row] = moments[feature.window].finish(feature.kind)
        made[at] = pl.Series(result, nan_to_null=True)
    return made


def _rows(newest: Places, asked: Asked) -> pl.Series:
    """Rows of the newest events, put where the requests' rows are; null where there is none."""
    rows = np.full(asked.rows, -1)
    rows[asked.row] = newest
    return pl.Series(rows).set(pl.Series(rows < 0), None)


def _gathered(values: pl.Series, rows: pl.Series, name: str) -> pl.Series:
    dtype = feature_dtype(values.dtype, name)
    found = values.gather(rows).cast(dtype)
    return found.set(~(found.abs() < LARGEST), None) if dtype == pl.Float64 else found
