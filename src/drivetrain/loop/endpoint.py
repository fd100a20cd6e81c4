"""The name callers use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import polars as pl

from drivetrain.core.clock import Micros
from drivetrain.loop.model import Model

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
    """Which model answers under which name; its champion answers, its shadow is only scored."""

    name: str
    model: Model
    traffic: Traffic | None = None
    description: str = ""
