"""One prediction request that has been let in, and its answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from drivetrain.core.clock import Micros
from drivetrain.serve.instance import Row


class Call(msgspec.Struct, gc=False, eq=False):
    """A request whose every instance fits the endpoint's fields.

    Attributes:
        request_id: The caller's, or made here; sent again it is the same request.
        rows: Values of each instance in field order.
        raws: Each instance as it came, JSON.
        ats: The moment each instance is predicted for.
        started: The monotonic clock when the request came, in nanoseconds.
    """

    request_id: str
    rows: list[Row]
    raws: list[msgspec.Raw]
    ats: list[Micros]
    started: int


class Batch:
    """Calls that are scored together, as one list of rows.

    Attributes:
        calls: The calls.
        places: For each row its call and its position in it.
        rows: Every call's rows, one after the other.
        ats: The moment of each row.
    """

    __slots__ = ("ats", "calls", "places", "rows")

    def __init__(self, calls: Sequence[Call]) -> None:
        self.calls = calls
        self.places = [(call, at) for call in calls for at in range(len(call.rows))]
        self.rows = [row for call in calls for row in call.rows]
        self.ats = [at for call in calls for at in call.ats]


class Facts(NamedTuple):
    """What is known of a batch's rows, in their order.

    Attributes:
        vectors: Feature values in the order of :attr:`~drivetrain.serve.lookup.Lookup.names`; ``None`` for null.
        ages: Seconds from each view's value to the row's moment, in the order of the views; NaN where there was none.
        entities: What each row is about, as text; or empty.
    """

    vectors: Sequence[Sequence[Any]]
    ages: list[list[float]]
    entities: list[str]


class Answer(msgspec.Struct, frozen=True):
    """What a caller is told; its fields are the native protocol's."""

    predictions: list[float | list[float]]
    request_id: str
    model_version: int
    model_versions: list[int] | msgspec.UnsetType = msgspec.UNSET
    """Who answered each instance, where it was not one version for all; ``model_version`` is then the first's."""
    arms: list[str] | msgspec.UnsetType = msgspec.UNSET
    """The way that each instance went, where an experiment chose."""
    failed: list[int] | msgspec.UnsetType = msgspec.UNSET
    """Versions that should have answered and did not: another answered in their place."""
    features_away: list[str] | msgspec.UnsetType = msgspec.UNSET
    """Views that could not be read, and were taken as unknown because the endpoint says so."""
    decisions: list[bool | None] | msgspec.UnsetType = msgspec.UNSET
    """Whether each instance is to be acted on, where the version has a threshold by cost."""
    intervals: list[tuple[float, float] | None] | msgspec.UnsetType = msgspec.UNSET
    """Of each instance, between what the outcome lies as often as the model's declaration says."""
    sets: list[list[str] | None] | msgspec.UnsetType = msgspec.UNSET
    """Of each instance, the classes among which the outcome is as often as the model's declaration says."""
