"""When the answers to groups of rows count as too far apart, or too bad."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from drivetrain.core.errors import ProjectError
from drivetrain.evaluate.metrics import metric_of
from drivetrain.evaluate.parity import disparity_of


class Fairness(msgspec.Struct, frozen=True, kw_only=True):
    """When the answers to protected groups count as too far apart.

    Nothing is said before the whole interval of a gap lies beyond what is allowed; the intervals of all measures and
    attributes of a window hold together with probability 95 %.

    Attributes:
        of: Measures that are watched (names as ``dt.Gate.fairness`` has them).
        limits: Measure → what must surely be passed: from above by a difference, from below by a ratio. Where a
            measure has none, the limit of the model's own gate on it.
        wider: By how much a difference must surely exceed the one of the version's evaluation; none not to compare.
        least: Answers below which a group is told among nobody.
    """

    of: Sequence[str] = ("demographic_parity_difference", "equalized_odds_difference")
    limits: Mapping[str, float] = {}
    wider: float | None = 0.1
    least: int = 100

    def __post_init__(self) -> None:
        for name in self.measures:
            disparity_of(name)
        for name, limit in self.limits.items():
            if not 0 <= limit <= 1:
                raise ProjectError(f"the limit of {name} is no share", found=limit, expected="from 0 to 1")
        if self.wider is not None and not 0 <= self.wider <= 1:
            raise ProjectError("how much wider a gap may be is a share", found=self.wider, expected="from 0 to 1")
        if self.least < 1:
            raise ProjectError("a group has rows", found=self.least, expected="least= a number above 0")

    @property
    def measures(self) -> tuple[str, ...]:
        """All that are watched, each once."""
        return tuple(dict.fromkeys((*self.of, *self.limits)))


class Segments(msgspec.Struct, frozen=True, kw_only=True):
    """When the metric counts as fallen in a segment: among the rows that share a value of one of the model's slices.

    Attributes:
        metric: Which metric; that of the monitor's performance by default.
        drop: How much worse it must surely be than in the same segment of the version's evaluation for anybody to be
            told; none to show it only.
    """

    metric: str = ""
    drop: float | None = None

    def __post_init__(self) -> None:
        if self.metric:
            metric_of(self.metric)
