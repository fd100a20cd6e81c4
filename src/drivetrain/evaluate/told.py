"""What was looked at beside the evaluation, as the card tells it."""

from __future__ import annotations

from itertools import groupby
from typing import NamedTuple

from markupsafe import Markup

from drivetrain.core.records import FairnessReport, Measure, RobustnessReport, Run
from drivetrain.evaluate.charts import ends, strip
from drivetrain.evaluate.dependence.wording import goes_with
from drivetrain.evaluate.discovery.wording import discoveries, how_found
from drivetrain.evaluate.fairness.wording import how_sure, threshold_words, worse_for
from drivetrain.evaluate.parity import RATES, TRUE_POSITIVE
from drivetrain.evaluate.probes import Probes
from drivetrain.evaluate.robustness.wording import costs, leans_on
from drivetrain.train.tuning.choosing import told_value

_SHUFFLED = 10


class Strip(NamedTuple):
    """A figure of a group, drawn."""

    name: str
    measure: Measure
    strip: Markup
    rows: int


def told_of(probes: Probes) -> dict[str, object]:
    """Everything that the card's templates read of them."""
    fairness = probes.fairness
    return {
        "fairness": fairness,
        "worse_for": [] if fairness is None else worse_for(fairness),
        "fairness_words": [] if fairness is None else [threshold_words(fairness), how_sure(fairness)],
        "caught": {} if fairness is None else caught(fairness),
        "rates": RATES,
        "behaviours": probes.behaviours,
        "robustness": probes.robustness,
        "costs": [] if probes.robustness is None else costs(probes.robustness),
        "goes_with": [] if probes.dependence is None else goes_with(probes.dependence),
        "shuffled": [] if probes.robustness is None else _shuffled(probes.robustness),
        "discovery": probes.discovery,
        "discovered": [] if probes.discovery is None else discoveries(probes.discovery),
        "how_found": "" if probes.discovery is None or probes.discovery.unable else how_found(probes.discovery),
    }


def tuning_told(run: Run | None) -> dict[str, object]:
    """What the card's templates read of a search for parameters, beside the run."""
    tried = () if run is None or run.tuning is None else run.trials
    on_front = () if run is None or run.tuning is None else run.tuning.front
    return {
        "front": [trial for trial in tried if trial.number in on_front],
        "failed": [trial for trial in tried if trial.state == "failed"],
        "told_value": told_value,
    }


def caught(report: FairnessReport) -> dict[str, list[Strip]]:
    """By attribute, the share of each group's positives that is acted on, the lowest first."""
    whole = _share(report)
    told = {}
    for attributes, found in groupby(report.groups, key=lambda group: tuple(group.attributes)):
        known = [(group, group.rates[TRUE_POSITIVE]) for group in found if TRUE_POSITIVE in group.rates]
        if len(attributes) == 1 and known:
            low, high = ends([measure for _, measure in known])
            told[attributes[0]] = [
                Strip(group.name, measure, strip(measure, low, high, guide=whole), group.rows)
                for group, measure in sorted(known, key=lambda item: item[1].value)
            ]
    return told


def _shuffled(report: RobustnessReport) -> list[Strip]:
    """What shuffling the features costs that it costs most of."""
    found = leans_on(report)[:_SHUFFLED]
    low, high = ends([each.fall for each in found])
    return [Strip(each.of, each.fall, strip(each.fall, low, high, guide=0.0), report.rows) for each in found]


def _share(report: FairnessReport) -> float | None:
    """Of all positives, how many are acted on; none where a group of the first attribute does not tell."""
    groups = [group for group in report.groups if list(group.attributes) == [report.protected[0]]]
    if any(TRUE_POSITIVE not in group.rates and group.positives for group in groups) or not report.positives:
        return None
    right = sum(group.rates[TRUE_POSITIVE].value * group.positives for group in groups if group.positives)
    return right / report.positives
