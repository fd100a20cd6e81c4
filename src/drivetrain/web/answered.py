"""What was looked at beside a version's evaluation, for its page."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from drivetrain.core.protocols import Catalog
from drivetrain.core.records import (
    BehaviourReport,
    DependenceReport,
    Discovery,
    Evaluation,
    FairnessReport,
    RobustnessReport,
    Run,
)
from drivetrain.evaluate.deciding.told import deciding_told
from drivetrain.evaluate.dependence.wording import goes_with
from drivetrain.evaluate.discovery.wording import discoveries, how_found
from drivetrain.evaluate.fairness.wording import how_sure, sure, threshold_words, worse_for
from drivetrain.evaluate.parity import FALSE_POSITIVE, PRECISION, RATES, SELECTION, TRUE_POSITIVE
from drivetrain.evaluate.robustness.wording import costs

_SHOWN = (TRUE_POSITIVE, FALSE_POSITIVE, PRECISION, SELECTION)


def answered(catalog: Catalog, run_id: str) -> dict[str, Any]:
    """Everything that the page's pieces read of it."""
    fairness, discovery = catalog.get(FairnessReport, run_id), catalog.get(Discovery, run_id)
    evaluation, run = catalog.get(Evaluation, run_id), catalog.get(Run, run_id)
    robust, dependence = catalog.get(RobustnessReport, run_id), catalog.get(DependenceReport, run_id)
    return {
        "deciding": None if evaluation is None else deciding_told(evaluation, run, "rows"),
        "behaviours": catalog.get(BehaviourReport, run_id),
        "robustness": robust,
        "dependence": dependence,
        "goes_with": [] if dependence is None else goes_with(dependence),
        "costs": [] if robust is None else costs(robust),
        "discovery": discovery,
        "discovered": [] if discovery is None else discoveries(discovery),
        "how_found": "" if discovery is None or discovery.unable else how_found(discovery),
        "fairness": fairness,
        "worse_for": [] if fairness is None else worse_for(fairness),
        "fairness_words": [] if fairness is None else [threshold_words(fairness), how_sure(fairness)],
        "fairness_tables": []
        if fairness is None
        else [
            (attributes, list(groups), [each for each in fairness.disparities if each.attributes == attributes])
            for attributes, groups in groupby(fairness.groups, key=lambda group: tuple(group.attributes))
        ],
        "rates": [RATES[name] for name in _SHOWN],
        "surely": sure,
    }
