"""Several origins: the past is asked again and again how well its future would have been told."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from drivetrain.core.clock import DAY, Micros, duration, iso
from drivetrain.core.errors import UsageError
from drivetrain.core.notebook import shown
from drivetrain.train.split.cut import Fold, Split
from drivetrain.train.split.time_split import check_windows, first_of, micros, past


@dataclass(frozen=True)
class RollingOrigin:
    """As :class:`TimeSplit`, with several validation windows one after the other, each judged by what came before it.

    The last window ends where the test window begins, every other ``step`` earlier than the next. What teaches for a
    window was known when it opened (Tashman, 2000: rolling-origin evaluation). Parameters are chosen on the last
    window; the model so chosen is then fitted and judged once for each, and the run has the figure of each, of all
    their rows together, and the spread.

    Args:
        folds: How many windows.
        test: Length of the test window, which no fold touches.
        valid: Length of a validation window.
        step: From one window to the next; ``valid`` by default. It is no shorter than that: a row is judged once.
        start: Rows before this moment are left out.
        embargo: Gap left before every window.

    Example:
        >>> RollingOrigin(folds=4, test="30d", valid="14d").step
        '14d'
    """

    folds: int = 3
    test: str = "30d"
    valid: str = "14d"
    step: str = ""
    start: str | None = None
    embargo: str = "0s"

    _repr_html_ = shown

    def __post_init__(self) -> None:
        """Checks the windows at the door."""
        check_windows("a RollingOrigin", self.test, self.start, self.embargo)
        if self.folds < 1:
            raise UsageError("a RollingOrigin needs a fold", found=self.folds, expected="1 or more")
        if duration(self.valid) <= 0:
            raise UsageError("a validation window can't be empty", found=repr(self.valid), expected="a length")
        if not self.step:
            object.__setattr__(self, "step", self.valid)
        if duration(self.step) < duration(self.valid):
            raise UsageError(
                "validation windows may not overlap: figures of all of them together would count rows twice",
                found=f"step={self.step!r}", expected=f"valid={self.valid!r} or longer",
            )  # fmt: skip

    @property
    def groups(self) -> tuple[str, ...]:
        """None."""
        return ()

    def cut(self, frame: pl.DataFrame, as_of: Micros) -> Split:
        """Cuts a training set; see :meth:`Splitter.cut`. ``train`` and ``valid`` are those of the last window."""
        test_since = as_of - duration(self.test)
        gap = duration(self.embargo)
        parts = past(frame, as_of, test_since, self.start, gap)
        opened = [
            test_since - duration(self.valid) - duration(self.step) * behind for behind in reversed(range(self.folds))
        ]
        folds = tuple(self._fold(frame, parts["refit"], since, gap) for since in opened)
        return Split(
            train=folds[-1].train,
            valid=folds[-1].valid,
            test=parts["test"],
            refit=parts["refit"],
            since=first_of(frame, parts["refit"], self.start),
            valid_since=opened[-1],
            test_since=test_since,
            until=as_of,
            late=int((parts["before"] & ~parts["refit"]).sum()),
            before=parts["before"],
            folds=folds,
        )

    def _fold(self, frame: pl.DataFrame, refit: pl.Series, since: Micros, gap: Micros) -> Fold:
        until = since + duration(self.valid)
        at, known = micros("_at"), micros("_label_at")
        masks = frame.select(
            train=(at < since - gap) & (known <= since),
            valid=(at >= since) & (at < until),
        )
        return Fold(moment_name(since), masks["train"] & refit, masks["valid"] & refit, since, until)


def moment_name(moment: Micros) -> str:
    """A moment as the name of a fold: the day alone where it is a midnight.

    Example:
        >>> moment_name(0), moment_name(3_600_000_000)
        ('1970-01-01', '1970-01-01T01:00:00Z')
    """
    return iso(moment) if moment % DAY else iso(moment)[:10]
