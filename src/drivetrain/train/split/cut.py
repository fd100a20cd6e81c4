"""What a split comes to: masks over the rows of a training set, and the moments they were cut at."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from drivetrain.core.clock import Micros, iso


@dataclass(frozen=True)
class Fold:
    """One of several pairs of parts: rows that teach, and rows that judge what was learned from them."""

    name: str
    """When the judging window opens, such as ``2013-10-04``."""
    train: pl.Series
    valid: pl.Series
    valid_since: Micros
    valid_until: Micros


@dataclass(frozen=True)
class Split:
    """Masks over the rows of a training set, and the moments they were cut at.

    A row is in at most one of ``train``, ``valid`` and ``test``. ``refit`` holds every row that the final model learns
    from; of a split in time, those whose label was known when the test window opened.
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
    before: pl.Series
    """Rows that would teach, were their label known in time: ``refit``, and those that are late or have no label."""
    folds: tuple[Fold, ...] = ()
    """Pairs that the model is judged by before it is fitted; none where ``train`` and ``valid`` are the only one."""
    timed: bool = True
    """Whether what judges comes after what teaches."""

    @property
    def taught_until(self) -> Micros:
        """What teaches lies before this moment."""
        return self.test_since if self.timed else self.until

    def __str__(self) -> str:
        train, valid, test = (int(part.sum()) for part in (self.train, self.valid, self.test))
        if not self.timed:
            return f"train {train} rows, valid {valid}, test {test}"
        return (
            f"train {train} rows before {iso(self.valid_since)}, "
            f"valid {valid} before {iso(self.test_since)}, "
            f"test {test} before {iso(self.until)}"
        )
