"""Where requests fall among a view's events, and what they see there; shared by all inputs of the view."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from drivetrain.core.clock import SECOND, Micros
from drivetrain.features.aggregate import Kind
from drivetrain.features.asked import Asked
from drivetrain.features.block import blocks
from drivetrain.features.bounds import Bounds
from drivetrain.features.coded import Coded
from drivetrain.features.exact import Floats, Places
from drivetrain.features.extremes import Sight
from drivetrain.features.moments import Moments, Span, Tally
from drivetrain.features.ordered import ordered
from drivetrain.features.timeline import Timeline
from drivetrain.features.view import Feature, FeatureView


@dataclass(frozen=True, eq=False)
class Newest:
    """The newest event that each request sees, or the one before it, and so on.

    Attributes:
        timeline: The events.
        place: Place of each event in the timeline; -1 where there is none.
        moment: The requests' moments, microseconds.
        ttl: How old an event may be, microseconds.
    """

    timeline: Timeline
    place: Places
    moment: Places
    ttl: Micros | None

    @property
    def row(self) -> Places:
        """Row of each event in the table the events came from; -1 where there is none, or it is past its ``ttl``."""
        return np.where(self._there, self.timeline.rows[self.place], -1) if len(self.timeline) else self.place

    @property
    def age(self) -> Floats:
        """Seconds from each event to the request; NaN where there is none."""
        if not len(self.timeline):
            return np.full(len(self.place), np.nan)
        age = (self.moment - self.timeline.event_at(self.place)) / SECOND
        return np.where(self._there, age, np.nan)

    @property
    def _there(self) -> npt.NDArray[np.bool_]:
        there: npt.NDArray[np.bool_] = self.place >= 0
        return there if self.ttl is None else there & (self.timeline.event_at(self.place) > self.moment - self.ttl)


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

    def moments(self, values: Floats | None, kinds: Mapping[Bounds, set[Kind]]) -> dict[Bounds, Moments]:
        """Moments of one input in windows.

        Args:
            values: The input's values, in the order of the rows that the events came from, NaN for null; none where
                only rows are counted.
            kinds: Windows, and what will be asked of each.

        Returns:
            By window, one entry a request.
        """
        made: dict[Bounds, Moments] = {}
        for windows in self._by_timeline(kinds):
            timeline = self._spans[windows[0]].timeline
            wanted: Collection[Kind] = {kind for window in windows for kind in kinds[window]}
            tally = Tally(timeline, None if values is None else values[timeline.rows], wanted)
            made.update({window: tally.moments(self._spans[window]) for window in windows})
        return made

    def ordered(self, values: Coded, features: Mapping[int, Feature]) -> dict[int, Floats]:
        """Features of one input that don't follow from moments.

        Args:
            values: The input's values, in the order of the rows that the events came from.
            features: Features of the kinds ``distinct``, ``quantile`` and ``top``, by any number.

        Returns:
            By that number, one entry a request; of ``top`` the values' codes; NaN for null.
        """
        made = {at: np.full(len(self._asked.moment), np.nan) for at in features}
        for windows in self._by_timeline([Bounds.of(feature) for feature in features.values()]):
            here = {at: one for at, one in features.items() if Bounds.of(one) in windows}
            spans = [self._spans[window] for window in windows]
            for block in blocks(self._asked.entity, spans, values.codes):
                for at, found in ordered(block, values, here, windows).items():
                    made[at][block.requests] = found
        return made

    def newest(self, members: npt.NDArray[np.bool_] | None, ranks: Sequence[int]) -> list[Newest]:
        """The newest events each request sees.

        Args:
            members: Which rows may be looked at; all if none.
            ranks: Which of the newest: 0 is the newest, 1 the one before it.
        """
        timeline, asked = self._timeline, self._asked
        if members is not None:
            timeline = timeline.only(members[timeline.rows])
        places = timeline.newest_known(asked.entity, asked.moment, ranks)
        return [Newest(timeline, place, asked.moment, self._ttl) for place in places]

    def _by_timeline(self, windows: Iterable[Bounds]) -> list[list[Bounds]]:
        """Windows, each once, in groups that share a timeline."""
        groups: dict[int, list[Bounds]] = defaultdict(list)
        for window in dict.fromkeys(windows):
            groups[id(self._spans[window].timeline)].append(window)
        return list(groups.values())

    def _make_spans(self, view: FeatureView) -> dict[Bounds, Span]:
        """Window → its span; windows of which no row is known too late share a timeline."""
        ends: dict[Micros, Timeline] = {}
        shared: dict[object, tuple[Timeline, Places]] = {}
        spans: dict[Bounds, Span] = {}
        entity, moment = self._asked.entity, self._asked.moment
        for window in dict.fromkeys(Bounds.of(feature) for feature in view.columns if not feature.looked_up):
            whole = ends.setdefault(window.offset, self._timeline.after(window.offset))
            part = whole.within(window)
            # Without hops, what some windows' events are is told by their number: the events known soonest.
            which = (window.offset, len(part), window if window.hop is not None and len(part) < len(whole) else None)
            if which not in shared:
                shared[which] = part, part.known(entity, moment)
            part, known = shared[which]
            sight = Sight(entity, moment, window.begin(moment))
            spans[window] = Span(part, sight, sight.left(part), known)
        return spans
