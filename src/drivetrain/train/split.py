"""Which rows teach, which choose, which judge: cut by time, and by when a label was known."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from drivetrain.core.clock import Micros, duration, iso, micros_of
from drivetrain.core.errors import TrainingError, UsageError
from drivetrain.core.notebook import shown


@dataclass(frozen=True)
class Split:
    """Masks over the rows of a training set, and the moments they were cut at.

    A row is in at most one of ``train``, ``valid`` and ``test``. ``refit`` holds every row whose label was known when
    the test window opened: what the final model learns from.
    """

    train: pl.Series
    valid: pl.Series
    test: pl.Series
    refit: pl.Series
    since: Micros
    """First moment of prediction used."""
    valid_since: Micros
    test_since: Micros
    until: Micros
    """The test window ends before this moment."""
    late: int
    """Rows before the test window whose label was not yet known when it opened; they teach nothing."""

    def __str__(self) -> str:
        return (
            f"train {int(self.train.sum())} rows before {iso(self.valid_since)}, "
            f"valid {int(self.valid.sum())} before {iso(self.test_since)}, "
            f"test {int(self.test.sum())} before {iso(self.until)}"
        )


@dataclass(frozen=True)
class TimeSplit:
    """The last ``test`` before the moment of training judges, ``valid`` before that chooses, the rest teaches.

    A row takes part only if its label had arrived when its part was used: a row that teaches must have been known
    when the validation window opened, one that chooses when the test window opened. So no fit ever learns from an
    outcome that lay in its future. Where labels take a week, the week before the test window teaches nothing.

    Args:
        test: Length of the test window.
        valid: Length of the validation window; ``None`` for none, and then nothing can be tuned or stopped early.
        start: Rows before this moment are left out.
        embargo: Gap left before the validation and the test window, for labels that echo over time.

    Example:
        >>> TimeSplit(test="30d", valid="14d").valid
        '14d'
    """

    test: str = "30d"
    valid: str | None = "14d"
    start: str | None = None
    embargo: str = "0s"

    _repr_html_ = shown

    def __post_init__(self) -> None:
        """Checks the durations at the door."""
        if duration(self.test) <= 0:
            raise UsageError(
                "a TimeSplit needs a test window", found=repr(self.test), expected="a length such as '30d'"
            )
        if self.valid is not None and duration(self.valid) <= 0:
            raise UsageError("a validation window can't be empty", found=repr(self.valid), expected="a length, or None")
        duration(self.embargo)
        if self.start is not None:
            micros_of(self.start)

    def cut(self, frame: pl.DataFrame, as_of: Micros) -> Split:
        """Cuts a training set.

        Args:
            frame: Rows with ``_at`` (moment of prediction) and ``_label_at`` (when the label was known); labels that
                are not known yet at the moment of training are not among them.
            as_of: Where the test window ends. Labels of its rows may have become known later.

        Raises:
            TrainingError: A column is missing.
        """
        for column in ("_at", "_label_at"):
            if column not in frame.columns:
                raise TrainingError(f"the training set has no column {column}", found=", ".join(frame.columns))
        gap = duration(self.embargo)
        test_since = as_of - duration(self.test)
        valid_since = test_since - (duration(self.valid) if self.valid is not None else 0)
        start = micros_of(self.start) if self.start is not None else None
        at, known = _micros("_at"), _micros("_label_at")
        begun = at >= start if start is not None else pl.lit(value=True)
        before_test = begun & (at < test_since - gap)
        masks = frame.select(
            train=begun & (at < valid_since - gap) & (known <= valid_since),
            valid=before_test & (at >= valid_since) & (known <= test_since),
            test=begun & (at >= test_since) & (at < as_of),
            refit=before_test & (known <= test_since),
            late=before_test & (known > test_since),
        )
        first = frame.filter(masks["refit"]).select(_micros("_at").min()).item() if masks["refit"].any() else None
        return Split(
            train=masks["train"],
            valid=masks["valid"] if self.valid is not None else masks["train"] & False,
            test=masks["test"],
            refit=masks["refit"],
            since=first if first is not None else start or 0,
            valid_since=valid_since,
            test_since=test_since,
            until=as_of,
            late=int(masks["late"].sum()),
        )


def _micros(column: str) -> pl.Expr:
    return pl.col(column).dt.epoch("us")
