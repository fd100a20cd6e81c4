"""Features as they were known at given moments: the offline side of a view."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import polars as pl

from drivetrain.features.aggregate import ADDED_UP, Kind
from drivetrain.features.asked import Asked, entity_of
from drivetrain.features.bounds import Bounds
from drivetrain.features.coded import Coded
from drivetrain.features.events import Times, check_type, feature_dtype, inputs_of, numbers
from drivetrain.features.exact import Floats, Places
from drivetrain.features.expression import expression_digest
from drivetrain.features.lookup import Lookup
from drivetrain.features.moments import LARGEST
from drivetrain.features.timeline import Placed, Timeline
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
    newest = _NewestOf(view, lookup, asked)
    for position, values, members in inputs_of(view, rows, list(by_input)):
        features = by_input[position]
        for feature in features.values():
            check_type(values.dtype, feature.kind, feature.name)
        given = view.inputs[position]
        added = {at: feature for at, feature in features.items() if feature.kind in ADDED_UP}
        if added:
            counted = given.value is None and given.where is None
            made.update(_added_up(added, lookup, None if counted else numbers(values), asked))
        looked_up = {at: feature for at, feature in features.items() if feature.looked_up}
        for at, feature in looked_up.items():
            made[at] = newest.feature(feature, values, members)
        ordered = {at: features[at] for at in features.keys() - added.keys() - looked_up.keys()}
        if ordered:
            made.update(_ordered(ordered, lookup, values, asked))
        # Before the next are read, or there would be twice as many.
        del values, members
    return pl.DataFrame([made[at].alias(name) for at, name in enumerate(view.feature_names)])


def _timeline(view: FeatureView, rows: pl.LazyFrame, asked: Asked) -> Timeline:
    """Events that some request may see, in order."""
    times = Times(view, rows)
    entity = entity_of(times.keys(), asked.keys)
    event = times.event()
    if len(asked.moment):
        entity[event > asked.moment.max()] = -1
        if all(not feature.looked_up and feature.window is not None for feature in view.columns):
            entity[event <= asked.moment.min() - view.horizon] = -1
    available = times.available()
    if len(asked.moment):
        entity[available > asked.moment.max()] = -1
    placed = Placed.of(entity, event, available, len(asked.keys))
    # Sorting is when most is held at once: what is told already goes first.
    del entity, event, available
    return Timeline.sorted(placed, times.sequence)


def _added_up(
    features: dict[int, Feature], lookup: Lookup, values: Floats | None, asked: Asked
) -> dict[int, pl.Series]:
    kinds: dict[Bounds, set[Kind]] = defaultdict(set)
    for feature in features.values():
        kinds[Bounds.of(feature)].add(feature.kind)
    moments = lookup.moments(values, kinds)
    return {at: _numbers(moments[Bounds.of(feature)].finish(feature.kind), asked) for at, feature in features.items()}


def _ordered(features: dict[int, Feature], lookup: Lookup, values: pl.Series, asked: Asked) -> dict[int, pl.Series]:
    coded = Coded.of(values)
    made = {}
    for at, found in lookup.ordered(coded, features).items():
        if features[at].kind == "top":
            dtype = feature_dtype(values.dtype, features[at].name)
            made[at] = coded.values.gather(_numbers(found, asked).cast(pl.Int64)).cast(dtype)
        else:
            made[at] = _numbers(found, asked)
    return made


class _NewestOf:
    """Features looked up in the newest rows; these are searched for once for every condition."""

    def __init__(self, view: FeatureView, lookup: Lookup, asked: Asked) -> None:
        self._view = view
        self._lookup = lookup
        self._asked = asked
        self._asked_for: dict[str, set[tuple[str, int]]] = defaultdict(set)
        for feature in view.columns:
            if feature.looked_up:
                self._asked_for[self._condition(feature)].add((feature.kind, int(feature.argument or 0)))
        self._found: dict[tuple[str, str, int], pl.Series] = {}

    def feature(self, feature: Feature, values: pl.Series, members: pl.Series | None) -> pl.Series:
        """One feature of all requests, from the values of its input and the rows that its condition lets through."""
        condition, kind, rank = self._condition(feature), feature.kind, int(feature.argument or 0)
        if (condition, kind, rank) not in self._found:
            wanted = sorted(self._asked_for[condition])
            newest = self._lookup.newest(None if members is None else members.to_numpy(), [rank for _, rank in wanted])
            for (one, which), seen in zip(wanted, newest, strict=True):
                found = _numbers(seen.age, self._asked) if one == "since" else _rows(seen.row, self._asked)
                self._found[condition, one, which] = found
        found = self._found[condition, kind, rank]
        return found if kind == "since" else _gathered(values, found, feature.name)

    def _condition(self, feature: Feature) -> str:
        return expression_digest(self._view.inputs[feature.input].where)


def _numbers(found: Floats, asked: Asked) -> pl.Series:
    """Numbers by request, put where the requests' rows are; null for NaN."""
    result = np.full(asked.rows, np.nan)
    result[asked.row] = found
    return pl.Series(result, nan_to_null=True)


def _rows(found: Places, asked: Asked) -> pl.Series:
    """Rows of events by request, put where the requests' rows are; null for -1."""
    rows = np.full(asked.rows, -1)
    rows[asked.row] = found
    return pl.Series(rows).set(pl.Series(rows < 0), None)


def _gathered(values: pl.Series, rows: pl.Series, name: str) -> pl.Series:
    dtype = feature_dtype(values.dtype, name)
    found = values.gather(rows).cast(dtype)
    return found.set(~(found.abs() < LARGEST), None) if dtype == pl.Float64 else found
