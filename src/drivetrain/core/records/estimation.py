"""Performance before labels come, while they come, and why it fell."""

from __future__ import annotations

from typing import Literal

import msgspec

from drivetrain.core.clock import Micros
from drivetrain.core.records.evaluation import Measure


class Estimation(msgspec.Struct, frozen=True, kw_only=True):
    """How a window's performance was estimated without its labels, and how far to trust that.

    Attributes:
        method: ``cbpe`` from what probabilities turned out to mean, ``dle`` from a model of the losses; empty where
            nothing was estimated.
        refused: Why nothing was estimated, or not all of it: a sentence.
        assumes: What must hold for the estimate to be right: a sentence.
        plain: Estimates from the evaluation's rows as they are, where those in the report are from weighted rows.
        shift: How well the window's inputs are told from the evaluation's: a domain classifier's ROC AUC on rows that
            it did not learn from; 0.5 is not at all.
        effective: How many of the evaluation's rows the weighted ones are worth (Kish, 1965).
        gaps: Metric → estimated minus real on the rows whose labels have arrived since, with its interval.
    """

    method: Literal["", "cbpe", "dle"] = ""
    refused: str = ""
    assumes: str = ""
    plain: dict[str, Measure] = {}
    shift: float | None = None
    effective: float | None = None
    gaps: dict[str, Measure] = {}


class Ripe(msgspec.Struct, frozen=True, kw_only=True):
    """What was known of a window's predictions at one age.

    Attributes:
        age: Microseconds from a prediction to its label.
        share: Share of labels that had come by that age, among predictions however young (Kaplan and Meier, 1958).
        low: Lower end of its interval.
        high: Upper end.
        count: Labels that had come by then, of predictions that have reached that age.
        metrics: Performance on those labels: what the window would have looked like at that age.
    """

    age: Micros
    share: float
    low: float
    high: float
    count: int = 0
    metrics: dict[str, float] = {}


class Maturity(msgspec.Struct, frozen=True, kw_only=True):
    """How complete a window's labels are, and what is odd about them.

    Attributes:
        seen: The moment they were counted.
        curve: By age, youngest first; ages that no prediction has reached are left out.
        due: Age by which nearly all labels that ever came had come; none while that is not known.
        overdue: Predictions older than ``due`` that have no label.
        repeated: Labels told again with the same value: they change nothing.
        contradicted: Predictions that were told two values: the last one is used.
        early: Labels known before their prediction was made for: they are not used.
        strange: Labels that are neither a number nor names: they are not used.
        sooner: Which labels come sooner than others, in a sentence; empty where none surely do.
        adjusted: Metric → its value with each label weighted by how rarely its like has arrived by that age.
    """

    seen: Micros
    curve: tuple[Ripe, ...] = ()
    due: Micros | None = None
    overdue: int = 0
    repeated: int = 0
    contradicted: int = 0
    early: int = 0
    strange: int = 0
    sooner: str = ""
    adjusted: dict[str, Measure] = {}


class Contribution(msgspec.Struct, frozen=True):
    """How much of a fall one feature's shift brings: a Shapley value, in the metric's units; positive is worse."""

    feature: str
    value: float


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """Rows alike in one feature, whose mean loss moved more than chance explains.

    Attributes:
        where: Which rows, in words.
        share: Their share of the window.
        count: How many of them have a label.
        now: Their mean loss.
        then: The same on the evaluation's rows.
        worse: How much it rose, with an interval corrected for the number of segments looked at.
    """

    where: str
    share: float
    count: int
    now: float
    then: float
    worse: Measure


class Why(msgspec.Struct, frozen=True, kw_only=True):
    """Where a change in performance comes from.

    Attributes:
        metric: Which one.
        worse: How much worse it is than on the evaluation's rows; with the labels that have come, else estimated.
        inputs: The part that other inputs bring: what the evaluation's own rows show when weighted like the window's.
        concept: The rest: labels follow inputs otherwise than they did; none while there are too few labels.
        features: Whose shift brings the first part, greatest first.
        segments: Which rows moved most, greatest effect first.
        effective: How many of the evaluation's rows the weighted ones are worth.
        words: The same for a person on call.
        upstream: What happened to the tables that the features come from, latest first: sentences.
        refused: Why the parts could not be told apart: a sentence.
    """

    metric: str
    worse: Measure
    inputs: Measure | None = None
    concept: Measure | None = None
    features: tuple[Contribution, ...] = ()
    segments: tuple[Segment, ...] = ()
    effective: float = 0.0
    words: str = ""
    upstream: tuple[str, ...] = ()
    refused: str = ""
