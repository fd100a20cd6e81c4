"""What a check says before anybody has decided what it means for the fit."""

from __future__ import annotations

from typing import NamedTuple

from drivetrain.core.records import Measure


class Found(NamedTuple):
    """Something that leaks, or may.

    Attributes:
        check: Which check found it; one of :data:`~drivetrain.train.leakage.leakage.CHECKS`.
        feature: Which feature, by full name; empty where it is the rows.
        evidence: A sentence with the figures it rests on.
        figure: The figure that was held against a bound, with its interval.
        certain: Whether there is no honest reading.
    """

    check: str
    feature: str
    evidence: str
    figure: Measure | None = None
    certain: bool = False
