"""When the reasons behind answers count as others than they were."""

from __future__ import annotations

import msgspec

from drivetrain.core.errors import ProjectError


class Attribution(msgspec.Struct, frozen=True, kw_only=True):
    """When what moves the answers counts as drifted.

    Each feature's share of what moved the answers to a window is held against its share on the version's evaluation:
    the sum of all differences, halved, is the total variation between the two.

    Attributes:
        rows: Answers of a window that are explained, spaced evenly over its time: two milliseconds of one core each,
            for boosted trees of the usual size; three times as many of the evaluation, once a version.
        effect: Smallest total variation worth a word, however surely it is there.
        false_alarm: Share of windows without change in which a word is said.
    """

    rows: int = 300
    effect: float = 0.1
    false_alarm: float = 0.05

    def __post_init__(self) -> None:
        if self.rows < 50:
            raise ProjectError("reasons of so few answers say little", found=self.rows, expected="rows=50 or more")
        if not 0 < self.false_alarm < 1 or not 0 <= self.effect < 1:
            raise ProjectError(
                "an attribution's effect and false_alarm are shares", found=f"{self.effect}, {self.false_alarm}"
            )
