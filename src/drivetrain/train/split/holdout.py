"""A share of the rows by chance: for data in which nothing comes before anything else."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from drivetrain.core.clock import Micros
from drivetrain.core.notebook import shown
from drivetrain.train.split.cut import Split
from drivetrain.train.split.hashed import check_shares, draws
from drivetrain.train.split.time_split import first_of

ROW = ("_entity", "_at")
"""What names a row."""


@dataclass(frozen=True)
class Holdout:
    """A share of the rows judges, a share chooses, the others teach, by chance.

    A row's part depends on its entity, its moment and the seed alone, so it stays the same as rows come. It says how
    well rows of the same time are told from one another: where rows have times, use :class:`TimeSplit`; where several
    rows are about one subject, :class:`GroupSplit`.

    Args:
        test: Share of the rows that judge.
        valid: Share of the rows that choose; ``None`` for none.
        seed: Another seed, other rows.

    Example:
        >>> Holdout(test=0.25, valid=None).test
        0.25
    """

    test: float = 0.2
    valid: float | None = 0.2
    seed: int = 0

    _repr_html_ = shown

    def __post_init__(self) -> None:
        """Checks the shares at the door."""
        check_shares("a Holdout", self.test, self.valid)

    @property
    def groups(self) -> tuple[str, ...]:
        """None."""
        return ()

    def cut(self, frame: pl.DataFrame, as_of: Micros) -> Split:
        """Cuts a training set; see :meth:`Splitter.cut`."""
        return by_draw(frame, draws(frame, ROW, self.seed), self.test, self.valid, as_of)


def by_draw(frame: pl.DataFrame, draw: pl.Series, test: float, valid: float | None, as_of: Micros) -> Split:
    """Parts by a draw in [0, 1): the least of it judges, what comes next chooses."""
    return untimed(frame, draw < test, (draw >= test) & (draw < test + (valid or 0.0)), as_of)


def untimed(frame: pl.DataFrame, test: pl.Series, valid: pl.Series, as_of: Micros) -> Split:
    """A split that asks of no moment which part a row is in."""
    refit = ~test
    return Split(
        train=refit & ~valid,
        valid=valid,
        test=test,
        refit=refit,
        since=first_of(frame, refit),
        valid_since=first_of(frame, valid),
        test_since=first_of(frame, test),
        until=as_of,
        late=0,
        before=refit,
        timed=False,
    )
