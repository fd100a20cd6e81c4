"""Features at moments before an entity's newest events were known, from its history."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from drivetrain.core.clock import SECOND, Micros
from drivetrain.features.exact import Floats, Pair, two_product
from drivetrain.features.moments import Moments
from drivetrain.features.online.history import Head, History
from drivetrain.features.online.layout import Layout
from drivetrain.features.online.pack import moments_from, typed
from drivetrain.features.online.row import Values
from drivetrain.features.view import Feature


@dataclass(frozen=True, eq=False)
class Past:
    """One entity's history, to be asked about moments at which part of it was not known yet.

    A window that reaches trimmed events is null, and so is a whole history at a moment when a trimmed event was not
    known yet, and a lookup that only a trimmed event could answer.

    Attributes:
        layout: How rows lie in bytes.
        head: The entity's head.
        history: Its events, by event time and sequence.
    """

    layout: Layout
    head: Head
    history: History

    def read(self, at: Micros) -> tuple[Values, float]:
        """Features, and the age of the newest known event in seconds (NaN if there is none)."""
        until = int(np.searchsorted(self.history.event, at, side="right"))
        known = self.history.available[:until] <= at
        values: Values = [
            self._last(feature, known, at) if feature.kind == "last" else self._aggregate(feature, known, at)
            for feature in self.layout.view.columns
        ]
        seen = np.flatnonzero(known)
        return values, (at - int(self.history.event[seen[-1]])) / SECOND if len(seen) else math.nan

    def _aggregate(self, feature: Feature, known: npt.NDArray[np.bool_], at: Micros) -> float:
        layout = self.layout
        trimmed_event, trimmed_known = self.head.trimmed
        begin = 0
        if feature.window is not None:
            begin = int(np.searchsorted(self.history.event, at - feature.window, side="right"))
        if (at < trimmed_known) if feature.window is None else (at - feature.window < trimmed_event):
            return math.nan
        moments = self._moments(feature, known[begin:], begin)
        if feature.window is None:
            moments = moments.plus(moments_from(self.head.base[layout.bases.index(feature.input)][None]))
        return float(moments.finish(feature.kind)[0])

    def _moments(self, feature: Feature, known: npt.NDArray[np.bool_], begin: int) -> Moments:
        """Moments of the known events from a place on."""
        if feature.input not in self.layout.stored:
            return Moments(np.array([np.count_nonzero(known)], dtype=np.float64))
        column = self.history.values[self.layout.stored.index(feature.input)]
        values = column[begin : begin + len(known)][known]
        values = values[~np.isnan(values)]
        count = np.array([len(values)], dtype=np.float64)
        if feature.kind in ("sum", "mean", "share", "std"):
            squares = _total(*two_product(values, values)) if feature.kind == "std" else None
            return Moments(count, _total(values), squares)
        if feature.kind == "min":
            return Moments(count, smallest=np.array([values.min(initial=np.inf)]))
        if feature.kind == "max":
            return Moments(count, largest=np.array([values.max(initial=-np.inf)]))
        return Moments(count)

    def _last(self, feature: Feature, known: npt.NDArray[np.bool_], at: Micros) -> float | bool | str | None:
        layout, history, position = self.layout, self.history, feature.input
        if position in layout.members:
            members = history.values[len(layout.stored) + layout.members.index(position)]
            known = known & (members[: len(known)] > 0)
        seen = np.flatnonzero(known)
        ttl = layout.view.ttl
        found = len(seen) > 0 and (ttl is None or int(history.event[seen[-1]]) > at - ttl)
        if position not in layout.stored:
            return 1.0 if found else math.nan
        stored = layout.stored.index(position)
        number = history.values[stored][seen[-1]] if found else math.nan
        return typed(np.array([number]), history.kinds[stored], history.texts)[0]


def _total(values: Floats, more: Floats | None = None) -> Pair:
    """The exact sum as a pair."""
    parts: list[float] = values.tolist() + ([] if more is None else more.tolist())
    high = math.fsum(parts)
    return np.array([high]), np.array([math.fsum([*parts, -high])])
