"""From a score to a decision: what is learned to read answers by, how it was learned, and what came of it.

:class:`Decider` is what serves: it is kept as an artifact beside the model, so that its digest, signature and archive
are the model's. :class:`Decided` says how it was learned and is part of the run; the rest is part of an evaluation.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from drivetrain.core.clock import Micros
from drivetrain.core.records.measure import Measure

CalibrationMethod: TypeAlias = Literal["sigmoid", "isotonic", "temperature"]


class Sigmoid(msgspec.Struct, frozen=True, tag="sigmoid"):
    """A probability p becomes that with log-odds of ``slope`` times its own plus ``intercept`` (Platt, 1999)."""

    slope: float
    intercept: float


class Steps(msgspec.Struct, frozen=True, tag="isotonic"):
    """A probability becomes what lies on the line through points, and the first or last beyond them."""

    at: tuple[float, ...]
    """Probabilities as the model says them, ascending."""
    says: tuple[float, ...]
    """What they become, never falling."""


Curve: TypeAlias = Sigmoid | Steps


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a model's probabilities those that came true."""

    method: CalibrationMethod
    curves: tuple[Curve, ...] = ()
    """One of a yes or no; one a class, after which they are made to add to one; none of a temperature."""
    inverse: float = 1.0
    """Of a temperature: what log-probabilities are multiplied by before they are made to add to one (Guo et al.,
    2017)."""


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """What makes an answer an interval or a set that holds the outcome with a probability: split conformal."""

    method: Literal["residual", "quantile", "set"]
    """A number plus and minus (Lei et al., 2018); two quantiles moved apart (Romano et al., 2019); classes that are
    likely enough (Sadinle et al., 2019)."""
    coverage: float
    reach: float = 0.0
    """Of numbers: how far from the answer, or from the two quantiles, outwards."""
    between: tuple[int, int] = (0, 0)
    """Of quantiles: positions of the two."""
    floors: tuple[float, ...] = ()
    """Of classes: the probability from which each is in the set."""
    classes: tuple[str, ...] = ()
    """Of classes: their names, in the order of the floors."""


class Decider(msgspec.Struct, frozen=True, kw_only=True):
    """How a version's answers are read."""

    calibration: Calibration | None = None
    threshold: float | None = None
    """A probability at or above it is acted on."""
    reach: Reach | None = None


class CalibrationTrial(msgspec.Struct, frozen=True, kw_only=True):
    """A way to calibrate, as it did on rows that neither the model nor it had learned from."""

    method: CalibrationMethod
    log_loss: float
    brier: float
    gain: Measure
    """How much lower the log loss is than of the answers as they were; its interval by blocks of time."""
    chosen: bool = False


class CalibrationChoice(msgspec.Struct, frozen=True, kw_only=True):
    """How it was decided whether, and how, to calibrate."""

    log_loss: float
    """Of the answers as they were."""
    brier: float
    block: str
    """What rows share their luck in."""
    trials: tuple[CalibrationTrial, ...]

    @property
    def chosen(self) -> CalibrationTrial | None:
        """What is done; none where the answers are left as they are."""
        return next((trial for trial in self.trials if trial.chosen), None)


class ThresholdChoice(msgspec.Struct, frozen=True, kw_only=True):
    """How a threshold was chosen."""

    value: float
    costs: dict[str, float]
    """Of a row, by what became of it (``true_positive``, ``false_positive`` …); a benefit is a cost below zero."""
    at_most: float | None = None
    """Share of the rows that may be acted on."""
    cost: float
    """Mean cost of a row, on the rows it was chosen on."""
    share: float
    """Of those rows, how many it acts on."""
    exact: float
    """What the threshold would be were the probabilities exact and no share asked for (Elkan, 2001)."""


class ReachChoice(msgspec.Struct, frozen=True, kw_only=True):
    """How an interval or a set was learned."""

    coverage: float
    rows: dict[str, int]
    """Rows that it was learned from, by class where each class has its own; else under an empty name."""


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """How a version's answers came to be read as they are."""

    rows: int
    """Rows that it was learned from: none of them had taught the model that answered them."""
    of: str
    """Which rows they are: ``the validation rows`` or ``the rows of 3 folds``."""
    since: Micros
    until: Micros
    calibration: CalibrationChoice | None = None
    threshold: ThresholdChoice | None = None
    reach: ReachChoice | None = None


class Alternative(msgspec.Struct, frozen=True, kw_only=True):
    """Another way to act, on the same rows."""

    name: str
    """``never``, ``always``, ``from 0.5``."""
    cost: Measure
    saved: Measure
    """How much less a row costs as it is acted on; paired."""


class Acting(msgspec.Struct, frozen=True, kw_only=True):
    """What acting from the threshold costs, on rows that chose nothing."""

    threshold: float
    costs: dict[str, float]
    at_most: float | None = None
    share: Measure
    """Of the rows acted on."""
    precision: Measure | None
    """Of those, how many were positive; none where none is acted on."""
    recall: Measure | None
    """Of the positives, how many are acted on."""
    cost: Measure
    """Mean cost of a row."""
    alternatives: tuple[Alternative, ...] = ()


class CoveredPart(msgspec.Struct, frozen=True, kw_only=True):
    """How often the outcome lay inside, among some of the rows."""

    column: str
    """``month``, ``class`` or a slice's column."""
    value: str
    covered: Measure
    size: float
    """Mean width of an interval, or number of classes in a set."""


class Covering(msgspec.Struct, frozen=True, kw_only=True):
    """How often the outcome lay inside interval or set, on rows that taught nothing: what was promised, measured."""

    method: Literal["residual", "quantile", "set"]
    coverage: float
    each_class: bool = False
    """Whether the coverage was asked for within each class."""
    covered: Measure
    size: Measure
    parts: tuple[CoveredPart, ...] = ()
