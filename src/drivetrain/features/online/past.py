"""Features at moments before an entity's newest events were known, from its history."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from drivetrain.core.clock import SECOND, Micros
from drivetrain.features.asked import Asked
from drivetrain.features.exact import Floats
from drivetrain.features.lookup import Lookup
from drivetrain.features.online.history import Head, History
from drivetrain.features.online.layout import Layout
from drivetrain.features.online.pack import moments_from, typed
from drivetrain.features.online.row import Values
from drivetrain.features.timeline import Timeline
from drivetrain.features.view import Feature


@dataclass(frozen=True, eq=False)
class Past:
    """One entity's history, to be asked about moments at which part of it was not known yet.

    A window that reaches trimmed events is null, and so is a whole history at a moment when a trimmed event was not
    known yet, and a lookup that only a trimmed event could answer.

    Attributes:
        layout: How rows lie in bytes.
        head: The entity's head.
        history: Its events.
    """

    layout: Layout
    head: Head
    history: History

    def read(self, at: Micros) -> tuple[Values, float]:
        """Features, and the age of the newest known event in seconds (NaN if there is none)."""
        asked = Asked(np.zeros(1, np.int64), np.zeros(1, np.int64), np.array([at]), pl.DataFrame(), 1)
        many = self.head.events
        history = self.history
        timeline = Timeline.of(np.zeros(many, np.int64), history.event, history.available, history.sequence, 1)
        lookup = Lookup(self.layout.view, timeline, asked)
        values = [self._value(feature, lookup, at) for feature in self.layout.view.columns]
        place = int(timeline.newest_known(asked.entity, asked.moment)[0])
        return values, (at - int(timeline.event[place])) / SECOND if place >= 0 else np.nan

    def _value(self, feature: Feature, lookup: Lookup, at: Micros) -> float | bool | str | None:
        layout, position = self.layout, feature.input
        stored = layout.stored.index(position) if position in layout.stored else None
        numbers = None if stored is None else self.history.values[stored]
        if feature.kind == "last":
            return self._last(lookup, position, numbers)
        moments = lookup.moments(numbers, {feature.window: {feature.kind}})[feature.window]
        trimmed_event, trimmed_known = self.head.trimmed
        if feature.window is None:
            moments = moments.plus(moments_from(self.head.base[layout.bases.index(position)][None]))
            sure = at >= trimmed_known
        else:
            sure = at - feature.window >= trimmed_event
        return float(moments.finish(feature.kind)[0]) if sure else np.nan

    def _last(self, lookup: Lookup, position: int, numbers: Floats | None) -> float | bool | str | None:
        layout, history = self.layout, self.history
        members = None
        if position in layout.members:
            members = history.values[len(layout.stored) + layout.members.index(position)] > 0
        row = int(lookup.newest(members)[0])
        kind = "n" if numbers is None else history.kinds[layout.stored.index(position)]
        number = np.nan if row < 0 else 1.0 if numbers is None else numbers[row]
        return typed(np.array([number]), kind, history.texts)[0]
