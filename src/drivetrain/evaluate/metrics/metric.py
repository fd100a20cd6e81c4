"""A figure that describes predictions against labels: what it is called, which way is better, where it lives."""

from __future__ import annotations

import math
from typing import Literal

import msgspec

BINS = 10
"""Groups of equal size by prediction over which calibration error is summed."""


class Metric(msgspec.Struct, frozen=True):
    """A figure that describes predictions against labels."""

    name: str
    title: str
    better: Literal["greater", "lower", "zero", "neither"]
    scale: Literal["share", "positive", "line"]
    """Where values live: between 0 and 1, above 0, or anywhere; intervals respect it."""
    meaning: str

    def gain(self, ours: float, theirs: float) -> float:
        """How much better ``ours`` is than ``theirs``; negative if worse."""
        if self.better == "greater":
            return ours - theirs
        return abs(theirs) - abs(ours) if self.better == "zero" else theirs - ours

    def at(self, point: float) -> Metric:
        """The same at a level or a depth: ``pinball`` at .9 is ``pinball@0.9``."""
        return msgspec.structs.replace(self, name=f"{self.name}@{point:g}", title=f"{self.title} at {point:g}")


def defined(value: float) -> bool:
    """Whether a figure says anything: records hold no NaN and no infinity."""
    return math.isfinite(value)
