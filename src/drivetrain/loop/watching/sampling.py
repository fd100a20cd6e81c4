"""A view's features as of sampled pairs of entity and moment: what a request would have been answered."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl
from msgspec.structs import replace as replace_fields

from drivetrain.core.clock import DAY, SECOND, Micros, datetime_of
from drivetrain.core.hashing import digest
from drivetrain.core.records import DataReport, Usual
from drivetrain.data.column import PRIVATE
from drivetrain.data.veil import veil_of
from drivetrain.evaluate.ranking import Floats
from drivetrain.features.aggregate import since_last
from drivetrain.features.events import keys_of
from drivetrain.features.inherit import view_features
from drivetrain.features.point_in_time import features_at
from drivetrain.features.view import FeatureView
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.watching.rows import subjects_of
from drivetrain.monitor.tables.assess import HOUR_SECONDS, Material, alpha_of, middle
from drivetrain.monitor.tables.spans import Spans
from drivetrain.monitor.tables.spec import DataMonitor
from drivetrain.monitor.tables.usual import Bounds, usual

Mask: TypeAlias = npt.NDArray[np.bool_]

_EVENT, _KNOWN, _MOMENT = "\0event", "\0known", "\0moment"
_LEAST = 100
"""Pairs of each stretch of the reference, at least."""


class Sampled(NamedTuple):
    """Pairs of entity and moment, and what a view says of them.

    Attributes:
        material: The features, a row a pair.
        ages: Seconds from the newest event known then, NaN where none was; shape (pairs,).
    """

    material: Material
    ages: Floats


def sample(project: Definitions, monitor: DataMonitor, spans: Spans, version: int) -> Sampled:
    """Computes a view's features as of pairs drawn from the window and from each stretch of what it is held against.

    Entities are those with an event in a stretch, or in as much time before it as windows are held against; moments are
    even over the stretch. The same stretch draws the same pairs again, by whoever looks.

    Args:
        project: Whose.
        monitor: What is watched.
        spans: The window, and what it is held against.
        version: Version of the view's table.

    Raises:
        FeatureError: The view can't be computed from the table.
        StoreError: The table can't be read.
    """
    view = project.views[monitor.name]
    rows = project.store.tables.scan(monitor.table, version)
    events = _events(view, rows, spans, monitor.trailing_us)
    drawn: list[pl.DataFrame] = []
    counts: list[float] = []
    stretches = _stretches(spans)
    for since, until in stretches:
        many = monitor.sample if since == spans.since else max(monitor.sample // 2, _LEAST)
        pairs, active = _draw(view, events, (since, until), monitor.trailing_us, many)
        counts.append(float(active))
        drawn.append(pairs)
    pairs = pl.concat(drawn)
    moments = pairs[_MOMENT].to_numpy()
    keys = keys_of(pairs, view.key_columns, view.entity.keys, f"the table of view {view.name!r}")
    values = features_at(view, rows, keys, moments)
    aged = replace(view, features=[since_last()], ttl=None)
    ages = features_at(aged, rows, keys, moments).to_series().cast(pl.Float64).fill_null(float("nan")).to_numpy()
    wanted = list(monitor.columns) or values.columns
    before = [counts[at] for at, stretch in enumerate(stretches) if stretch in spans.before]
    material = Material(
        moments=moments,
        available=moments,
        schema={name: values.schema[name] for name in wanted if name in values.columns},
        column=values.get_column,
        masked=_masked(project, view),
        volumes=(before, counts[-1]),
    )
    return Sampled(material, ages)


def _masked(project: Definitions, view: FeatureView) -> frozenset[str]:
    """Features of which no value may be kept: their class says so, or the table's watch hides a column they read."""
    source = project.sources[view.source.name]
    veil, subjects = veil_of(source), subjects_of(project, source.name)
    return frozenset(
        info.name
        for info in view_features(view, source)
        if info.privacy in PRIVATE or any(veil.hides(name) or name in subjects for name in info.reads)
    )


def _stretches(spans: Spans) -> list[tuple[Micros, Micros]]:
    """The reference in pieces as long as a window, oldest first, and the window last."""
    low, high = spans.reference
    pieces = [(at, at + spans.length) for at in range(high - spans.length, low - 1, -spans.length)]
    return [*pieces[::-1], (spans.since, spans.until)]


def _events(view: FeatureView, rows: pl.LazyFrame, spans: Spans, back: Micros) -> pl.DataFrame:
    """Each entity's days with an event, from where the reference's own entities begin."""
    event = view.event_time()
    low, high = min(spans.reference[0], spans.since) - back, spans.until
    names = list(dict.fromkeys(view.key_columns))
    return (
        rows.filter(event >= datetime_of(low), event < datetime_of(high))
        .select(
            *names,
            (event.dt.epoch("us") // DAY * DAY).alias(_EVENT),
            pl.max_horizontal(event, view.available_at()).dt.epoch("us").alias(_KNOWN),
        )
        .drop_nulls()
        .group_by(*names, _EVENT)
        .agg(pl.col(_KNOWN).min())
        .collect()
        .sort(*names, _EVENT)
    )


def _draw(
    view: FeatureView, events: pl.DataFrame, stretch: tuple[Micros, Micros], back: Micros, many: int
) -> tuple[pl.DataFrame, int]:
    """Pairs of one stretch, and how many entities had events in it that were known by its end."""
    since, until = stretch
    names = list(dict.fromkeys(view.key_columns))
    known = events.filter(pl.col(_EVENT) >= since - back, pl.col(_EVENT) < until, pl.col(_KNOWN) <= until)
    entities = known.select(names).unique(maintain_order=True)
    active = known.filter(pl.col(_EVENT) >= since).select(names).n_unique()
    if entities.is_empty():
        return pl.DataFrame(schema={**{name: events.schema[name] for name in names}, _MOMENT: pl.Int64}), 0
    dice = np.random.default_rng(int(digest([view.name, since, until])[:12], 16))
    chosen = entities[dice.integers(0, entities.height, many)]
    return chosen.with_columns(pl.Series(_MOMENT, np.sort(dice.integers(since, until, many)))), active


def with_ages(
    report: DataReport, sampled: Sampled, spans: Spans, monitor: DataMonitor, ttl: Micros | None
) -> DataReport:
    """Adds how old values are, and how many are past the time to live or of entities that nothing is known of yet.

    Args:
        report: The window.
        sampled: Its pairs.
        spans: The window, and what it is held against.
        monitor: What is watched.
        ttl: The view's time to live, microseconds.
    """
    moments, ages = sampled.material.moments, sampled.ages
    now = moments >= spans.since
    if not now.any():
        return report
    alpha = alpha_of(monitor, len(sampled.material.schema))
    places = np.where(now, -1, spans.place(moments))
    never = np.isnan(ages)
    expired = ~never & (ages >= (np.inf if ttl is None else ttl / SECOND))
    pieces = [there for at in range(len(spans.before)) if (there := places == at).any()]
    shares = Bounds("share", monitor.nulls, alpha)

    def share(mask: Mask) -> Usual:
        before = [float(mask[there].mean()) for there in pieces]
        return usual(float(mask[now].mean()), before, float(now.sum()), shares)

    middles = [middle(ages[there]) for there in pieces]
    age = middle(ages[now])
    older = Bounds("time", 1.0, alpha, below=False, floor=HOUR_SECONDS)
    return replace_fields(
        report,
        never=share(never),
        expired=None if ttl is None else share(expired),
        age=None if age is None else usual(age, [one for one in middles if one is not None], 0, older),
    )
