"""What the monitor of the flights endpoint saw: 26 weeks, and its alerts."""

from __future__ import annotations

import math
import random

from drivetrain.core.clock import WEEK, micros_of
from drivetrain.core.records import Alert, FeatureDrift, Measure, MonitorReport
from web import declared
from web.closely import closely
from web.foreseen import foreseen
from web.learned import AP, measure, metrics

REPORTS_FROM = micros_of("2013-07-01")
_QUALITY = (
    0.481, 0.470, 0.492, 0.455, 0.463, 0.449, 0.437, 0.441, 0.421, 0.402, 0.381, 0.362, 0.344, 0.339, 0.351,
    0.421, 0.432, 0.440, 0.418, 0.429, 0.437, 0.462, 0.471, 0.455, 0.483, 0.441,
)  # fmt: skip


def reports() -> list[MonitorReport]:
    chance = random.Random(3)
    made = []
    for week, quality in enumerate(_QUALITY):
        number = 1 if week < 15 else 2
        since = REPORTS_FROM + week * WEEK
        predictions = 6_100 + chance.randint(-400, 500) - (900 if week == 25 else 0)
        share = 0.974 - 0.002 * (week % 5) if week < 25 else 0.931
        labelled = int(predictions * share)
        half = 0.031 + 0.01 * chance.random()
        shadow: dict[str, dict[str, Measure]] = {}
        if week == 14:
            shadow = {"shadow v2": {"average_precision": measure(0.398, 0.033, labelled)}}
        if week in {20, 21, 22}:
            shadow = {"shadow v3": {"average_precision": measure(quality - 0.006, 0.034, labelled)}}
        performance = {
            "average_precision": measure(quality, half, labelled),
            "roc_auc": measure(0.27 + quality, 0.02, labelled),
            "log_loss": measure(0.95 - quality, 0.03, labelled),
        }
        made.append(
            MonitorReport(
                at=since + WEEK, endpoint="late", model="late", version=number, since=since, until=since + WEEK,
                predictions=predictions, drift=tuple(_drift(name, week, chance) for name in declared.FEATURES),
                output=FeatureDrift("prediction", "psi", 0.08 + 0.01 * (week % 4), 0.25, False, 0.0, 0.0, predictions),
                labelled=labelled, label_share=share, performance=performance, reference=metrics(number), shadow=shadow,
                latency_p50_us=410 + chance.randint(-30, 60), latency_p99_us=1_450 + chance.randint(-200, 500),
                median_ages={name: 900.0 * (place + 1) ** 2 for place, name in enumerate(declared.VIEWS)},
                **foreseen(week, quality, since + WEEK, predictions),
                **closely(week),
            )
        )  # fmt: skip
    return made


def _drift(name: str, week: int, chance: random.Random) -> FeatureDrift:
    season = 0.5 - 0.5 * math.cos(math.pi * week / 13)
    value, threshold = abs(chance.gauss(0.07, 0.04)), 0.25
    if name in {"weather.temp", "calendar.month"}:
        value, threshold = 0.2 + 0.5 * abs(week - 13) / 13 * chance.uniform(0.7, 1.1), 0.62
    if name == "carrier_history.share_late_7d" and 9 <= week <= 14:
        value = 0.28 + 0.06 * (week - 9)
    if name == "weather.visib" and week >= 24:
        value, threshold = 0.31 + 0.3 * (week - 24), 0.34
    nulls = 0.02 + (0.05 * season if name.startswith("plane") else 0.0)
    return FeatureDrift(
        feature=name,
        statistic="js" if name == "calendar.carrier" else "psi",
        value=round(value, 4),
        threshold=threshold,
        drifted=value > threshold,
        null_share=round(nulls, 4),
        reference_null_share=0.02,
        count=6_100,
        unseen_share=0.004 if name == "calendar.carrier" and week > 20 else 0.0,
        p_value=0.01 if value > threshold else 0.4,
    )


def alerts() -> list[Alert]:
    first, last = REPORTS_FROM + 13 * WEEK, REPORTS_FROM + 26 * WEEK
    return [
        Alert(
            at=first,
            id="0192-alert-1",
            endpoint="late",
            rule="performance.average_precision",
            severity="critical",
            state="resolved",
            message="Average precision fell to 0.344 (0.312 to 0.377) in the week of 23 September, against "
            f"{AP[1]} when tested. The fall is larger than luck explains.",
            evidence=declared.evidence({"value": 0.344, "reference": AP[1], "labelled": 5_921}),
            report=f"monitor:late@{REPORTS_FROM + 12 * WEEK}-{first}",
            resolved=REPORTS_FROM + 16 * WEEK,
        ),
        Alert(
            at=last,
            id="0192-alert-2",
            endpoint="late",
            rule="drift.weather.visib",
            severity="warning",
            message="weather.visib is spread differently than in training: PSI 0.61 in the week of 23 December, and "
            "training weeks reach 0.34 by chance and season. Snow and fog were rare from January to May.",
            evidence=declared.evidence({"statistic": "psi", "value": 0.61, "threshold": 0.34}),
            report=f"monitor:late@{REPORTS_FROM + 25 * WEEK}-{last}",
            since=last - WEEK,
            window=WEEK,
            peak="warning",
            meaning="For “Warn passengers before departure”: what is asked is unlike what the version learned from.",
            cause="table weather stood still: age of the newest row: found 26 h, expected at most 3 h.",
            runbook="https://runbooks.example.org/drift",
            commands=("drivetrain report late --since 2013-12-23 --until 2013-12-30", "drivetrain trace 0192-p-1"),
        ),
    ]
