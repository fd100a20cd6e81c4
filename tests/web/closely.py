"""What the monitor of the flights endpoint saw more closely: groups, segments, worth, reasons and a canary."""

from __future__ import annotations

from typing import Any

from drivetrain.core.records import (
    ArmSeen,
    AttributionSeen,
    Disparity,
    ExperimentSeen,
    FairnessGroup,
    FeatureShare,
    GroupsSeen,
    Measure,
    SegmentSeen,
    WorthSeen,
)
from web import declared


def closely(week: int) -> dict[str, Any]:
    """The parts of a report; a part of them is not known in the last week but one."""
    if week < 20:
        return {}
    gap = Measure(0.11, 0.05, 0.17, 5_400, 0.99)
    names = list(declared.FEATURES)
    return {
        "groups": GroupsSeen(
            threshold=0.31,
            groups=tuple(
                FairnessGroup(
                    attributes={"flight.origin": name},
                    rows=rows,
                    positives=rows // 4,
                    selected=int(rows * rate),
                    rates={
                        "selection_rate": Measure(rate, rate - 0.02, rate + 0.02, rows),
                        "true_positive_rate": Measure(rate + 0.3, rate + 0.25, rate + 0.35, rows // 4),
                    },
                )
                for name, rows, rate in (("EWR", 2_400, 0.27), ("JFK", 1_900, 0.19), ("LGA", 1_700, 0.16))
            ),
            disparities=(
                Disparity(
                    metric="demographic_parity_difference",
                    attributes=("flight.origin",),
                    rate="selection_rate",
                    value=gap,
                    low_group="LGA",
                    high_group="EWR",
                    groups=3,
                ),
                Disparity(
                    metric="equalized_odds_difference",
                    attributes=("flight.origin",),
                    rate="true_positive_rate",
                    value=Measure(0.09, None, None, 1_200, 0.99),
                    low_group="LGA",
                    high_group="EWR",
                    groups=3,
                ),
            ),
            then={"demographic_parity_difference by flight.origin": Measure(0.08, 0.06, 0.1, 20_000)},
            limits={"demographic_parity_difference by flight.origin": 0.15},
            few=40,
            least=100,
            origins={"flight.origin": "the logged feature"},
            known={"flight.origin": 0.97},
            unknown={"passenger.sex": "no table or request holds its values"},
            labelled=5_400,
        ),
        "segments": tuple(
            SegmentSeen(
                column="flight.carrier",
                value=name,
                metric="average_precision",
                count=count,
                now=Measure(now, now - 0.05, now + 0.05, count) if now else None,
                then=Measure(0.46, 0.43, 0.49, 900),
            )
            for name, count, now in (("EV", 1_100, 0.49), ("UA", 900, 0.41), ("B6", 850, 0.44), ("OO", 12, None))
        ),
        "worth": WorthSeen(
            name="saved",
            unit="EUR",
            per=1_000,
            now=Measure(4_210.0, 3_600.0, 4_820.0, 5_400) if week != 24 else None,
            then=Measure(4_900.0, 4_700.0, 5_100.0, 20_000),
            note="" if week != 24 else "no label has come",
        ),
        "attribution": AttributionSeen(
            value=0.18,
            threshold=0.1,
            chance=0.07,
            drifted=True,
            agreement=0.93,
            rows=300,
            days=7,
            features=tuple(
                FeatureShare(
                    feature=name,
                    now=0.3 / (place + 1) ** 1.3,
                    then=0.22 / (place + 1),
                    rank=place + 1,
                    rank_then=max(1, place),
                )
                for place, name in enumerate(names[:14])
            ),
        )
        if week != 24
        else AttributionSeen(note="the log does not keep passenger.age"),
        "experiments": (
            ExperimentSeen(
                experiment="canary-v3@2013-12-20",
                mode="canary",
                guardrails=("at most 1 % left to others", "at most 5 % slower than 50ms"),
                arms=(
                    ArmSeen(
                        name="canary",
                        version=3,
                        answers=310,
                        failed=0.003,
                        latency_p99_us=1_900.0,
                        labelled=290,
                        label=Measure(0.22, 0.18, 0.26, 290),
                    ),
                    ArmSeen(
                        name="champion",
                        version=0,
                        answers=5_900,
                        failed=0.0,
                        latency_p99_us=1_700.0,
                        labelled=5_100,
                        label=Measure(0.23, 0.22, 0.24, 5_100),
                    ),
                ),
            ),
        )
        if week == 25
        else (),
    }
