"""Folds in time of which each is judged by all the others, less what shares its labels (López de Prado, 2018)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from drivetrain.core.clock import Micros, duration
from drivetrain.core.errors import UsageError
from drivetrain.core.notebook import shown
from drivetrain.train.split.cut import Fold, Split
from drivetrain.train.split.rolling_origin import moment_name
from drivetrain.train.split.time_split import check_windows, first_of, past


@dataclass(frozen=True)
class PurgedSplit:
    """``folds`` stretches of time before the test window, each judged by what was learned from all the others.

    A label spans the time from the moment of prediction until it was known, or ``horizon`` if that is longer. A row
    whose label's span meets that of any row of a fold does not teach for it (purging), nor does one within ``embargo``
    after them. So every row before the test window judges once, and none is judged by its own outcome; but a fold is
    also judged by what came after it, as no served model ever is: the figures compare, they do not promise.

    Parameters are chosen on the last fold, by what came before it. The test window and the final fit are those of
    :class:`TimeSplit`. Source: M. López de Prado, Advances in Financial Machine Learning (2018), chapter 7.

    Args:
        folds: How many stretches, of as equal numbers of rows as their moments allow.
        test: Length of the test window, which no fold touches.
        horizon: How far past its moment of prediction a label looks, where it is known earlier than that.
        embargo: Gap left after each fold, and before the test window.
        start: Rows before this moment are left out.

    Example:
        >>> PurgedSplit(folds=6, test="30d", embargo="2d").folds
        6
    """

    folds: int = 5
    test: str = "30d"
    horizon: str = "0s"
    embargo: str = "0s"
    start: str | None = None

    _repr_html_ = shown

    def __post_init__(self) -> None:
        """Checks the figures at the door."""
        check_windows("a PurgedSplit", self.test, self.start, self.embargo)
        duration(self.horizon)
        if self.folds < 2:
            raise UsageError("a PurgedSplit needs two folds", found=self.folds, expected="2 or more")

    @property
    def groups(self) -> tuple[str, ...]:
        """None."""
        return ()

    def cut(self, frame: pl.DataFrame, as_of: Micros) -> Split:
        """Cuts a training set; see :meth:`Splitter.cut`. ``train`` and ``valid`` are those of the last fold."""
        test_since = as_of - duration(self.test)
        gap = duration(self.embargo)
        parts = past(frame, as_of, test_since, self.start, gap)
        at = frame["_at"].dt.epoch("us").to_numpy()
        ends = np.maximum(frame["_label_at"].dt.epoch("us").to_numpy(), at + duration(self.horizon))
        refit = parts["refit"].to_numpy() & (ends <= test_since)
        folds = self._folds(at, ends, refit, gap)
        return Split(
            train=folds[-1].train,
            valid=folds[-1].valid,
            test=parts["test"],
            refit=pl.Series("refit", refit),
            since=first_of(frame, pl.Series(refit), self.start),
            valid_since=folds[-1].valid_since,
            test_since=test_since,
            until=as_of,
            late=int((parts["before"].to_numpy() & ~refit).sum()),
            before=parts["before"],
            folds=folds,
        )

    def _folds(self, at: np.ndarray, ends: np.ndarray, refit: np.ndarray, gap: Micros) -> tuple[Fold, ...]:
        """Folds begin at the moments that stand at equal places in the order of time; equal moments stay together."""
        moments = np.sort(at[refit])
        places = (np.arange(self.folds) * len(moments)) // self.folds
        begins = moments[places] if len(moments) else np.zeros(self.folds, dtype=np.int64)
        found = []
        for place, since in enumerate(begins.tolist()):
            until = int(begins[place + 1]) if place + 1 < self.folds else int(moments[-1]) + 1 if len(moments) else 0
            valid = refit & (at >= since) & (at < until)
            last = int(ends[valid].max()) if valid.any() else until
            train = refit & ~valid & (((at < since) & (ends <= since)) | ((at >= until) & (at >= last + gap)))
            found.append(Fold(moment_name(since), pl.Series("train", train), pl.Series("valid", valid), since, until))
        return tuple(found)
