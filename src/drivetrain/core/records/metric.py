"""One value of a metric, where in training it stood, and when."""

from __future__ import annotations

import msgspec

from drivetrain.core.clock import Micros


class Metric(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One point of a metric's history.

    Attributes:
        key: The metric's name.
        value: May be NaN or infinite.
        step: Where in training; iterations, epochs, or whatever the run counts by.
        at: When.
        about: What else was said of it, as JSON text: the data it was measured on, the model, the run; or empty.
    """

    key: str
    value: float
    step: int = 0
    at: Micros = 0
    about: str = ""
