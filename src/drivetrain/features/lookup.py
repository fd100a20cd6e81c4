"""Where requests fall among a view's events, and what they see there; shared by all inputs of the view."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import numpy.typing as npt

from drivetrain.core.clock import Micros
from drivetrain.features.aggregate import Kind
from drivetrain.features.asked import Asked
from drivetrain.features.exact import Floats, Places
from drivetrain.features.extremes import Sight
from drivetrain.features.moments import Moments, Span, Tally
from drivetrain.features.timeline import Timeline
from drivetrain.features.view import FeatureView


class Lookup:
    """Requests placed among events, window by window.

    Args:
        view: The view.
        timeline: Its events.
        asked: The requests.
    """

    def __init__(self, view: FeatureView, timeline: Timeline, asked: Asked) -> None:
        self._ttl = view.ttl
        self._timeline = timeline
        self._asked = asked
        self._spans = self._make_spans(view)

    def moments(self, values: Floats | None, kinds: dict[Micros | None, set[Kind]]) -> dict[Micros | None, Moments]:
        """Moments of one input in windows.

        Args:
            values: The input's values, in the order of the rows that the events came from, NaN for null; none where
                only rows are counted.
            kinds: Windows, and what will be asked of each.

        Returns:
            By window, one entry a request.
        """
        made: dict[Micros | None, Moments] = {}
        timelines = {id(self._spans[window].timeline): self._spans[window].timeline for window in kinds}
        for which, timeline in timelines.items():
            here = [window for window in kinds if id(self._spans[window].timeline) == which]
            wanted: Collection[Kind] = {kind for window in here for kind in kinds[window]}
            tally = Tally(timeline, None if values is None else values[timeline.rows], wanted)
            made.update({window: tally.moments(self._spans[window]) for window in here})
        return made

    def newest(self, members: npt.NDArray[np.bool_] | None) -> Places:
        """Row of the newest event each request sees; -1 where there is none, or it is past its time to live.

        Args:
            members: Which rows may be looked at; all if none.
        """
        timeline, asked = self._timeline, self._asked
        if members is not None:
            timeline = timeline.only(members[timeline.rows])
        if not len(timeline):
            return np.full(len(asked.moment), -1)
        place = timeline.newest_known(asked.entity, asked.moment)
        found = place >= 0
        if self._ttl is not None:
            found &= timeline.event_at(place) > asked.moment - self._ttl
        return np.where(found, timeline.rows[place], -1)

    def _make_spans(self, view: FeatureView) -> dict[Micros | None, Span]:
        """Window → its span; windows that no row is too late for share a timeline."""
        timelines: dict[int, Timeline] = {len(self._timeline): self._timeline}
        spans: dict[Micros | None, Span] = {}
        for window in dict.fromkeys(feature.window for feature in view.columns if not feature.looked_up):
            part = self._timeline if window is None else self._timeline.within(window)
            part = timelines.setdefault(len(part), part)
            spans[window] = Span.of(part, Sight(self._asked.entity, self._asked.moment, window))
        return spans
