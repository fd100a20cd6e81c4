"""What the monitor of the flights endpoint told beyond the labels that had come."""

from __future__ import annotations

from typing import Any

from drivetrain.core.clock import DAY, HOUR
from drivetrain.core.records import (
    Concept,
    Contribution,
    ErrorRise,
    Estimation,
    JointDrift,
    Maturity,
    Measure,
    Ripe,
    Segment,
    Why,
)
from drivetrain.monitor.estimate.window import ASSUMES


def foreseen(week: int, quality: float, end: int, predictions: int) -> dict[str, Any]:
    """The parts of a report: the estimate sees half of the fall of autumn."""
    guess = 0.47 - 0.5 * (0.47 - quality)
    gap = Measure(guess - quality, guess - quality - 0.04, guess - quality + 0.04, predictions, 0.99)
    return {
        "estimated": {
            "average_precision": Measure(guess, guess - 0.03, guess + 0.03, predictions),
            "roc_auc": Measure(0.27 + guess, 0.25 + guess, 0.29 + guess, predictions),
            "recall": Measure(0.41, 0.38, 0.44, predictions),
        },
        "estimation": Estimation(
            method="cbpe",
            assumes=ASSUMES["cbpe"],
            shift=0.71 if week in range(9, 15) else 0.56,
            effective=812.0,
            plain={"average_precision": Measure(0.46)} if week in range(9, 15) else {},
            gaps={"average_precision": gap},
        ),
        "maturity": Maturity(
            seen=end,
            curve=tuple(
                Ripe(
                    age=age, share=share, low=share - 0.01, high=min(share + 0.01, 1.0), count=int(share * predictions),
                    metrics={"average_precision": quality + 0.02 * (1 - share)},
                )
                for age, share in ((HOUR, 0.04), (6 * HOUR, 0.61), (DAY, 0.95), (3 * DAY, 0.97))
            ),
            due=2 * DAY,
            overdue=170,
            contradicted=2,
        ),
        "concept": _errors(week, quality, end),
        "joint": _together(week, predictions),
        "why": _why(quality) if week == 14 else None,
    }  # fmt: skip


def _errors(week: int, quality: float, end: int) -> Concept:
    rate = Measure(0.16, 0.15, 0.17, 9_210)
    later = Measure(0.16 + 0.47 - quality, 0.15 + 0.47 - quality, 0.17 + 0.47 - quality, 3_114)
    rise = ErrorRise(found=end - 4 * DAY, began=end - 6 * DAY, before=rate, after=later, labels=9_400)
    return Concept(
        detector="adwin",
        loss="the squared error of the probability",
        labels=400 * (week + 1),
        error=later if week >= 14 else rate,
        rise=rise if week >= 14 else None,
    )


def _together(week: int, predictions: int) -> tuple[JointDrift, ...]:
    apart = week >= 14
    shares = {"weather.visib": 0.44, "carrier_history.share_late_7d": 0.41, "calendar.hour": 0.15}
    return (
        JointDrift(name="classifier", value=0.71 if apart else 0.53, effect=0.6, p_value=0.0005 if apart else 0.3,
                   drifted=apart, importance=shares, rows=2_000, count=predictions, null="blocks of 24 hours"),
        JointDrift(name="reconstruction", value=0.12 if apart else 0.01, effect=0.05, p_value=0.002 if apart else 0.6,
                   drifted=apart, importance=shares, rows=2_000, count=predictions, null="blocks of 24 hours"),
    )  # fmt: skip


def _why(quality: float) -> Why:
    fall = 0.47 - quality
    return Why(
        metric="average_precision",
        worse=Measure(fall, fall - 0.03, fall + 0.03, 6_000),
        inputs=Measure(0.05, 0.03, 0.07, 2_000),
        concept=Measure(fall - 0.05, 0.02, 0.1, 6_000),
        features=(
            Contribution("carrier_history.share_late_7d", 0.036),
            Contribution("weather.visib", 0.018),
            Contribution("calendar.hour", -0.004),
        ),
        segments=(
            Segment(
                where="calendar.carrier is EV", share=0.16, count=980, now=0.61, then=0.44,
                worse=Measure(0.17, 0.08, 0.26, 980),
            ),
        ),
        effective=812.0,
        words=f"Of {fall:.3f} by which average precision is worse, +0.050 [+0.030, +0.070] comes from inputs that are "
        "unlike the evaluation's, above all carrier_history.share_late_7d (+0.036), weather.visib (+0.018), and the "
        "rest from labels that follow like inputs otherwise than they did (concept). Moved most: where "
        "calendar.carrier is EV (16 % of rows), mean loss 0.610, 0.440 then.",
        upstream=(
            "weather.visib comes from table weather: the contract refused 310 of 1,002 rows that weather@88 brought "
            "(2013-10-03T00:00:00Z; 31 %, 0.4 % is usual), most for visib out of range",
        ),
    )  # fmt: skip
