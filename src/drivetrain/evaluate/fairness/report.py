"""The report on a model's answers for protected groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from drivetrain.core import clock
from drivetrain.core.clock import Micros
from drivetrain.core.errors import UsageError
from drivetrain.core.records import FairnessGroup, FairnessReport
from drivetrain.evaluate.bias.groups import Grouping, Hiding, Protected, groupings
from drivetrain.evaluate.bootstrap import Bootstrap
from drivetrain.evaluate.fairness.apart import apart
from drivetrain.evaluate.fairness.luck import Luck
from drivetrain.evaluate.fairness.rates import LEAST, LEAST_OF, Counted
from drivetrain.evaluate.operating import threshold_at
from drivetrain.evaluate.ranking import Floats
from drivetrain.evaluate.report import Subject


@dataclass(frozen=True, eq=False, kw_only=True)
class Answers:
    """A model's answers to labelled rows.

    Attributes:
        predictions: Probabilities of a yes, shape (n,).
        labels: 0 or 1, shape (n,).
        ats: Moment of each prediction, microseconds UTC, shape (n,).
        entities: Whom each row is of; rows of one share their luck. None where no entity repeats.
        threshold: A prediction at or above it is acted on; by default as many are as there are positives.
    """

    predictions: Floats
    labels: Floats
    ats: npt.NDArray[np.int64]
    entities: pl.Series | None = None
    threshold: float | None = None

    @property
    def acts_from(self) -> float:
        """The threshold, declared or by default."""
        if self.threshold is not None:
            return self.threshold
        return threshold_at(self.predictions, float(self.labels.mean()))

    @property
    def chosen(self) -> str:
        """How the threshold came about."""
        if self.threshold is not None:
            return "is the one that the model declares"
        return "is where as many rows are acted on as were positive, as the model declares none"

    @property
    def entity_codes(self) -> npt.NDArray[np.intp] | None:
        """Whom each row is of as a whole number from 0, shape (n,); none where that is not known."""
        if self.entities is None:
            return None
        ranks = self.entities.cast(pl.String).fill_null("").rank("dense")
        return np.asarray(ranks.cast(pl.Int64).to_numpy() - 1, np.intp)

    def luck(self, bootstrap: Bootstrap) -> Luck:
        """Draws over the rows, by day and by entity."""
        return Luck(self.ats, bootstrap, self.entity_codes)


def fairness_report(
    answers: Answers,
    attributes: pl.DataFrame,
    protected: Sequence[Protected],
    *,
    subject: Subject,
    personal: frozenset[str] = frozenset(),
    bootstrap: Bootstrap = Bootstrap(),
    now: Micros | None = None,
) -> FairnessReport:
    """Rates by group, alone and together, and how far groups lie apart.

    Args:
        answers: The model's answers, with both outcomes among the labels.
        attributes: The protected attributes, n rows.
        protected: Which, in order.
        subject: What is looked at, and on what.
        personal: The attributes whose values are personal: groups of few rows are told among the others.
        bootstrap: How intervals are made.
        now: The record's moment; the present by default.

    Raises:
        UsageError: The attributes have another number of rows.
    """
    if attributes.height != len(answers.labels):
        raise UsageError(
            "protected attributes do not match the rows",
            found=f"{attributes.height} rows",
            expected=len(answers.labels),
        )
    luck = answers.luck(bootstrap)
    threshold = answers.acts_from
    acted = answers.predictions >= threshold
    hiding = Hiding(personal, np.ones(attributes.height, np.bool_), LEAST)
    counted = [
        Counted(answers.labels, answers.predictions, acted, grouping, luck)
        for grouping in groupings(attributes, protected, hiding)
    ]
    return FairnessReport(
        at=clock.now() if now is None else now,
        run_id=subject.run_id,
        model=subject.model,
        data=subject.data,
        since=int(answers.ats.min()) if subject.since is None else subject.since,
        until=int(answers.ats.max()) + 1 if subject.until is None else subject.until,
        rows=len(answers.labels),
        positives=int(answers.labels.sum()),
        protected=tuple(each.name for each in protected),
        threshold=threshold,
        chosen=answers.chosen,
        block=luck.words,
        least=LEAST,
        least_of=LEAST_OF,
        level=bootstrap.level,
        groups=tuple(group for each in counted for group in _groups(each.grouping, each)),
        disparities=tuple(found for each in counted for found in apart(each)),
    )


def _groups(grouping: Grouping, counted: Counted) -> list[FairnessGroup]:
    return [
        FairnessGroup(
            attributes=grouping.named(at),
            rows=int(counted.counts["rows"][at]),
            positives=int(counted.counts["yes"][at]),
            selected=int(counted.counts["acted"][at]),
            rates=rates,
        )
        for at, rates in enumerate(counted.measures())
    ]
