"""What inputs that are worse would cost, in sentences."""

from __future__ import annotations

from drivetrain.core.records import RobustnessReport, Strain
from drivetrain.evaluate.metrics import METRICS
from drivetrain.evaluate.wording import figure, figures, percent

MOST = 4
"""Features that are told of, of each kind."""
_WORDS = {
    "missing": "without {of}",
    "view missing": "without the whole view {of}",
    "stale": "with {of} as it stood a day or more before",
    "noise": "when {of}",
    "shift": "if {of}",
    "shuffled": "with the values of {of} shuffled among the rows",
}


def costs(report: RobustnessReport) -> list[str]:
    """What costs most, of each kind; falls that luck explains are told as that."""
    title = METRICS[report.metric].title
    told = [f"As they are, {report.rows:,} rows give {title} {figures(report.whole)}."]
    told += [_sentence(each, title) for each in leans_on(report)[:MOST] if sure(each)]
    for kind in ("view missing", "stale", "missing", "noise", "shift"):
        found = sorted((each for each in report.strains if each.what == kind), key=lambda each: -each.fall.value)
        told += [_sentence(each, title) for each in found[:MOST] if sure(each) or kind not in {"missing", "stale"}]
        if found and kind == "missing" and not any(map(sure, found)):
            told.append(f"No single feature of the {len(found)} tried is missed beyond what luck explains.")
    if report.untried:
        told.append(f"{len(report.untried)} more could not be tried, the first for this: {report.untried[0]}")
    return told


def leans_on(report: RobustnessReport) -> list[Strain]:
    """Features by what shuffling them costs, the most first (permutation importance: Breiman, 2001)."""
    shuffled = [each for each in report.strains if each.what == "shuffled"]
    return sorted(shuffled, key=lambda each: -each.fall.value)


def sure(strain: Strain) -> bool:
    """Whether luck does not explain a fall."""
    return strain.fall.low is not None and strain.fall.low > 0.0


def _sentence(strain: Strain, title: str) -> str:
    words = _WORDS[strain.what].format(of=strain.of)
    words = f"{words[:1].upper()}{words[1:]}"
    by = figure(strain.fall.value)
    if strain.fall.low is not None and strain.fall.high is not None:
        by += f", between {figure(strain.fall.low)} and {figure(strain.fall.high)}"
    more = ""
    if strain.what == "shift":
        more = f" The weighted rows are worth {percent(strain.changed)} of as many."
    elif strain.what == "stale":
        more = f" {percent(strain.changed)} of the rows would read another value."
    if sure(strain):
        return f"{words}, {title} gets worse by {by}.{more}"
    return f"{words}, {title} gets no worse than luck explains: by {by}.{more}"
