"""The split in time: the end of the road judges, what lies before it teaches."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from drivetrain.core.clock import Micros, duration, micros_of
from drivetrain.core.errors import UsageError
from drivetrain.core.notebook import shown
from drivetrain.train.split.cut import Split
from drivetrain.train.split.hashed import named


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
        check_windows("a TimeSplit", self.test, self.start, self.embargo)
        if self.valid is not None and duration(self.valid) <= 0:
            raise UsageError("a validation window can't be empty", found=repr(self.valid), expected="a length, or None")

    @property
    def groups(self) -> tuple[str, ...]:
        """None."""
        return ()

    def cut(self, frame: pl.DataFrame, as_of: Micros) -> Split:
        """Cuts a training set; see :meth:`Splitter.cut`."""
        test_since = as_of - duration(self.test)
        valid_since = test_since - (duration(self.valid) if self.valid is not None else 0)
        gap = duration(self.embargo)
        at, known = micros("_at"), micros("_label_at")
        parts = past(frame, as_of, test_since, self.start, gap)
        masks = frame.select(
            train=(at < valid_since - gap) & (known <= valid_since),
            valid=(at >= valid_since) & pl.lit(self.valid is not None),
        )
        return Split(
            train=masks["train"] & parts["refit"],
            valid=masks["valid"] & parts["refit"],
            test=parts["test"],
            refit=parts["refit"],
            since=first_of(frame, parts["refit"], self.start),
            valid_since=valid_since,
            test_since=test_since,
            until=as_of,
            late=int((parts["before"] & ~parts["refit"]).sum()),
            before=parts["before"],
        )


def past(frame: pl.DataFrame, as_of: Micros, test_since: Micros, start: str | None, gap: Micros) -> pl.DataFrame:
    """Masks that every split in time has: ``before`` and ``test`` by moment, ``refit`` by when labels were known.

    Raises:
        TrainingError: A column is missing.
    """
    named(frame, ("_at", "_label_at"))
    at, known = micros("_at"), micros("_label_at")
    begun = at >= micros_of(start) if start is not None else pl.lit(value=True)
    before = begun & (at < test_since - gap)
    return frame.select(
        before=before,
        refit=before & (known <= test_since),
        test=begun & (at >= test_since) & (at < as_of),
    )


def first_of(frame: pl.DataFrame, mask: pl.Series, start: str | None = None) -> Micros:
    """The first moment of prediction of some rows; of none, where they would have begun."""
    first = frame.filter(mask).select(micros("_at").min()).item() if mask.any() else None
    return int(first) if first is not None else micros_of(start) if start is not None else 0


def check_windows(noun: str, test: str, start: str | None, embargo: str) -> None:
    """Checks at the door what every split in time has.

    Raises:
        UsageError: A text is no duration or moment, or the test window is empty.
    """
    if duration(test) <= 0:
        raise UsageError(f"{noun} needs a test window", found=repr(test), expected="a length such as '30d'")
    duration(embargo)
    if start is not None:
        micros_of(start)


def micros(column: str) -> pl.Expr:
    """A column of moments as microseconds."""
    return pl.col(column).dt.epoch("us")
