"""What a card tells of decisions."""

from __future__ import annotations

from itertools import groupby
from typing import NamedTuple

from markupsafe import Markup

from drivetrain.core.records import Covering, Evaluation, Measure, Run
from drivetrain.evaluate.charts import ends, strip
from drivetrain.evaluate.deciding.wording import acts, calibrates, covers, weighs


class CoveredLine(NamedTuple):
    """A part's coverage, drawn."""

    name: str
    measure: Measure
    strip: Markup
    note: str


class DecidingTold(NamedTuple):
    """What the card's template reads; empty where nothing is declared."""

    weighs: str
    calibrates: str
    acts: list[str]
    covers: list[str]
    covered: dict[str, list[CoveredLine]]


def deciding_told(evaluation: Evaluation, run: Run | None, rows: str) -> DecidingTold:
    """Everything there is to tell."""
    return DecidingTold(
        weighs=weighs(run),
        calibrates=calibrates(run),
        acts=[] if evaluation.acting is None else acts(evaluation.acting, rows),
        covers=[] if evaluation.covering is None else covers(evaluation.covering, rows),
        covered={} if evaluation.covering is None else _covered(evaluation.covering),
    )


def _covered(report: Covering) -> dict[str, list[CoveredLine]]:
    told = {}
    for column, parts in groupby(report.parts, key=lambda part: part.column):
        found = list(parts)
        low, high = ends([Measure(report.coverage), *(part.covered for part in found)])
        told[column] = [
            CoveredLine(
                part.value,
                part.covered,
                strip(part.covered, low, high, guide=report.coverage),
                f"{part.covered.count:,} rows, "
                + (f"{part.size:.2f} classes" if report.method == "set" else f"{part.size:.4g} wide"),
            )
            for part in found
        ]
    return told
