"""The name callers use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import polars as pl

from drivetrain.core.clock import Micros
from drivetrain.core.notebook import shown
from drivetrain.loop.model import Model
from drivetrain.serve.plan import Fallback, FeaturesAway

Requests: TypeAlias = Callable[[Micros, Micros], pl.DataFrame]
Deliver: TypeAlias = Callable[[Micros, Micros], None]


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """The world outside an endpoint, as a replay plays it.

    Attributes:
        requests: ``(since, until)`` → the requests made in that time: ``at`` and the request's fields.
        deliver: ``(since, until)`` → makes the raw rows that became known in that time arrive at the sources. Doing it
            twice must leave what doing it once leaves.
    """

    requests: Requests
    deliver: Deliver


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Which model answers under which name; its champion answers, its shadow is only scored.

    Attributes:
        name: The name callers use.
        model: Whose champion answers.
        traffic: The world that a replay plays.
        features_away: What happens while the online store can't be read: ``refuse`` answers 503; ``null`` predicts as
            if nothing were known of any entity, and the answer names the views under ``features_away``.
        deadline: How long a request may take, microseconds, until whoever has not answered is given up; none waits.
        fallback: What answers where the champion fails or is too slow: ``"previous"``, the champion before it, or a
            number.
        keep_sensitive: Whether the prediction log keeps what is classed ``sensitive``.
        description: For people.
    """

    name: str
    model: Model
    traffic: Traffic | None = None
    features_away: FeaturesAway = "refuse"
    deadline: Micros | None = None
    fallback: Fallback = None
    keep_sensitive: bool = False
    description: str = ""

    _repr_html_ = shown
