"""Blocks of a timeline: consecutive entities with their events and requests, so many that memory stays small."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from drivetrain.features.coded import Codes
from drivetrain.features.exact import Places
from drivetrain.features.moments import Span

_SIZE = 1 << 18


@dataclass(frozen=True, eq=False)
class Block:
    """Consecutive entities: those of their events that have a value, and where their requests fall among these.

    Attributes:
        codes: Codes of the values, by place.
        order: Places in the order events become known; none if that is their order already.
        starts: Place of each entity's first event, and past the last entity the number of events.
        start: Place of the first event of each request's entity.
        known: By request, place after the last known event in order of availability.
        left: By request, place after the last event that left the window; for every window asked about.
        requests: Which of all requests these are.
    """

    codes: Codes
    order: Places | None
    starts: Places
    start: Places
    known: Places
    left: Sequence[Places]
    requests: slice

    def seen(self, left: Places) -> tuple[Places, Places, Places]:
        """Codes of the events that some request sees in its window, and the first and past the last that does.

        Requests are in order of their moments, so it is every request between.
        """
        many = len(self.codes)
        # The number of requests at which events up to here were not known yet, or had left already.
        since = np.cumsum(np.bincount(self.known, minlength=many + 1))[:many]
        until = np.cumsum(np.bincount(left, minlength=many + 1))[:many]
        if self.order is not None:
            first = np.empty(many, dtype=np.int64)
            first[self.order] = since
            since = first
        seen = since < until
        return self.codes[seen].astype(np.int64), since[seen], until[seen]


def blocks(entity: Places, spans: Sequence[Span], codes: Codes) -> Iterator[Block]:
    """Cuts a timeline into blocks.

    Args:
        entity: Entities of the requests, which are in order of entity and moment.
        spans: What requests see of the timeline, in several windows.
        codes: Codes of the values, by row; -1 for events that count for nothing.
    """
    timeline = spans[0].timeline
    asked = np.searchsorted(entity, np.arange(len(timeline.starts)))
    weight = timeline.starts + asked
    first = 0
    while first < len(weight) - 1:
        last = max(int(np.searchsorted(weight, weight[first] + _SIZE, side="right")) - 1, first + 1)
        requests = slice(int(asked[first]), int(asked[last]))
        yield _block(timeline.starts[first : last + 1], entity[requests] - first, spans, codes, requests)
        first = last


def _block(starts: Places, entity: Places, spans: Sequence[Span], codes: Codes, requests: slice) -> Block:
    timeline = spans[0].timeline
    begin, end = int(starts[0]), int(starts[-1])
    here = codes[timeline.rows[begin:end]]
    valid = here >= 0
    # Places counted over the events that have a value, in either order.
    among = among_known = np.concatenate([[0], np.cumsum(valid)])
    order = None
    if timeline.available_order is not None:
        order = timeline.available_order[begin:end] - begin
        among_known = np.concatenate([[0], np.cumsum(valid[order])])
        order = among[order[valid[order]]]
    starts = among[starts - begin]
    return Block(
        here[valid],
        order,
        starts,
        starts[entity],
        among_known[spans[0].known[requests] - begin],
        [among[span.left[requests] - begin] for span in spans],
        requests,
    )
