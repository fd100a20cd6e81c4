"""Rates of protected groups in a window: what was said at once, what was right once labels are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from drivetrain.core.records import Disparity, FairnessGroup, FairnessReport, GroupsSeen, Measure
from drivetrain.evaluate.bias.groups import Grouping, Hiding, Protected, groupings
from drivetrain.evaluate.bootstrap import Bootstrap
from drivetrain.evaluate.fairness.apart import apart
from drivetrain.evaluate.fairness.luck import Luck
from drivetrain.evaluate.fairness.rates import Counted
from drivetrain.evaluate.parity import DISPARITIES, MEAN_PREDICTION, SELECTION
from drivetrain.evaluate.ranking import Floats
from drivetrain.monitor.groups.spec import Fairness

_UNLABELLED = (SELECTION, MEAN_PREDICTION)
_LEVEL = 0.95


@dataclass(frozen=True, eq=False, kw_only=True)
class Told:
    """What rows are told apart by, as far as it is known.

    Attributes:
        columns: Attribute → its value in each of n rows; null where there is none.
        known: The same → whether the row's value is known, shape (n,): what is null is known to be missing.
        origins: The same → where the values come from, in words.
        unknown: Attribute that is not among them → why.
    """

    columns: pl.DataFrame
    known: Mapping[str, npt.NDArray[np.bool_]]
    origins: Mapping[str, str]
    unknown: Mapping[str, str]


@dataclass(frozen=True, eq=False, kw_only=True)
class Said:
    """Answers of a window.

    Attributes:
        predictions: Probabilities of a yes, shape (n,).
        labels: 0 or 1, NaN where none has come, shape (n,).
        ats: Moment of each prediction, microseconds UTC, shape (n,).
        threshold: A prediction at or above it is acted on.
    """

    predictions: Floats
    labels: Floats
    ats: npt.NDArray[np.int64]
    threshold: float

    def among(self, mask: npt.NDArray[np.bool_]) -> Said:
        """Those of some rows."""
        return Said(
            predictions=self.predictions[mask],
            labels=self.labels[mask],
            ats=self.ats[mask],
            threshold=self.threshold,
        )


def measure_groups(
    said: Said,
    told: Told,
    protected: Sequence[Protected],
    asked: Fairness,
    *,
    then: FairnessReport | None = None,
    gates: Mapping[str, float] | None = None,
) -> GroupsSeen:
    """Rates by group and how far groups lie apart.

    Selection rate and mean prediction are those of all answers; whatever needs to know what came is of labelled ones.
    Intervals are those of the evaluation (days share their luck), wide enough to hold together over all measures and
    ways of telling rows apart.

    Args:
        said: The answers.
        told: What they are told apart by.
        protected: By which of it.
        asked: What is watched.
        then: The version's report, if it has one.
        gates: Measure, or measure and attributes (``… by sex``) → the limit of the model's gates.
    """
    usable = [each for each in protected if each.name in told.columns.columns]
    known = np.logical_and.reduce([np.ones(len(said.ats), np.bool_), *(told.known[each.name] for each in usable)])
    groups: list[FairnessGroup] = []
    disparities: list[Disparity] = []
    few = 0
    ours = said.among(known)
    if usable and len(ours.ats):
        every = np.ones(len(ours.ats), np.bool_)
        hiding = Hiding(frozenset(each.name for each in usable), every, asked.least)
        ways = groupings(told.columns.filter(pl.Series(known)), usable, hiding)
        level = 1.0 - (1.0 - _LEVEL) / max(1, len(ways) * len(asked.measures))
        for way in ways:
            shown, apart_, left = _of(ours, way, asked, level)
            groups += shown
            disparities += apart_
            few += left if len(way.attributes) == 1 else 0
    columns = [each.column for each in disparities]
    return GroupsSeen(
        threshold=said.threshold,
        groups=tuple(groups),
        disparities=tuple(disparities),
        then={
            f"{each.metric} by {each.column}": each.value
            for each in (then.disparities if then else ())
            if each.metric in asked.measures and each.column in columns
        },
        limits={
            f"{each.metric} by {each.column}": limit
            for each in disparities
            if (limit := _limit(asked, gates or {}, each)) is not None
        },
        few=few,
        least=asked.least,
        origins=dict(told.origins),
        known={each.name: float(told.known[each.name].mean()) for each in usable if len(said.ats)},
        unknown=dict(told.unknown),
        labelled=int(np.isfinite(ours.labels).sum()),
    )


def _limit(asked: Fairness, gates: Mapping[str, float], found: Disparity) -> float | None:
    if found.metric in asked.limits:
        return asked.limits[found.metric]
    return gates.get(f"{found.metric} by {found.column}", gates.get(found.metric))


def _of(said: Said, way: Grouping, asked: Fairness, level: float) -> tuple[list[FairnessGroup], list[Disparity], int]:
    """Groups large enough to show, how far they lie apart, and how many answers are of no such group."""
    came = np.isfinite(said.labels)
    at_once = _counted(said, way, np.zeros(len(said.labels)), level)
    later = _counted(said.among(came), _part(way, came), said.labels[came], level) if came.any() else None
    rows = at_once.counts["rows"]
    first = at_once.measures()
    second: list[dict[str, Measure]] = [{} for _ in rows] if later is None else later.measures()
    shown = [at for at in range(len(rows)) if rows[at] >= asked.least]
    groups = [
        FairnessGroup(
            attributes=way.named(at),
            rows=int(rows[at]),
            positives=0 if later is None else int(later.counts["yes"][at]),
            selected=int(at_once.counts["acted"][at]),
            rates={name: value for name, value in first[at].items() if name in _UNLABELLED}
            | {name: value for name, value in second[at].items() if name not in _UNLABELLED},
        )
        for at in shown
    ]
    found = [each for each in apart(at_once) if set(DISPARITIES[each.metric].rates) <= set(_UNLABELLED)]
    found += (
        []
        if later is None
        else [each for each in apart(later) if not set(DISPARITIES[each.metric].rates) & set(_UNLABELLED)]
    )
    return groups, [each for each in found if each.metric in asked.measures], int(rows.sum() - rows[shown].sum())


def _counted(said: Said, way: Grouping, labels: Floats, level: float) -> Counted:
    acted = said.predictions >= said.threshold
    return Counted(labels, said.predictions, acted, way, Luck(said.ats, Bootstrap(level=level)))


def _part(way: Grouping, mask: npt.NDArray[np.bool_]) -> Grouping:
    return Grouping(way.attributes, way.values, way.codes[mask])
