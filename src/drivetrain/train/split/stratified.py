"""The same share of every label in every part: for data without time in which some labels are rare."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from drivetrain.core.clock import Micros
from drivetrain.core.notebook import shown
from drivetrain.train.split.cut import Split
from drivetrain.train.split.hashed import check_shares, draws, named
from drivetrain.train.split.holdout import ROW, untimed

_BANDS = 10
_MOST_LABELS = 20


@dataclass(frozen=True)
class StratifiedSplit:
    """As :class:`Holdout`, with the labels' shares kept: of each label, ``test`` of the rows judge, to the row.

    More than twenty different labels count as numbers, and are kept by tenths of their order. To keep shares exact,
    where a row falls depends on how many others its label has: as rows come, a few near the border change parts.

    Args:
        test: Share of each label's rows that judge.
        valid: Share of each label's rows that choose; ``None`` for none.
        seed: Another seed, other rows.

    Example:
        >>> StratifiedSplit(test=0.2, valid=0.1).valid
        0.1
    """

    test: float = 0.2
    valid: float | None = 0.2
    seed: int = 0

    _repr_html_ = shown

    def __post_init__(self) -> None:
        """Checks the shares at the door."""
        check_shares("a StratifiedSplit", self.test, self.valid)

    @property
    def groups(self) -> tuple[str, ...]:
        """None."""
        return ()

    def cut(self, frame: pl.DataFrame, as_of: Micros) -> Split:
        """Cuts a training set; see :meth:`Splitter.cut`. Rows of one entity and moment fall together."""
        named(frame, ("_label",))
        rows = frame.select(label=_strata(frame["_label"]), draw=draws(frame, ROW, self.seed))
        # The place of a row among those of its label, from 0; rows of one draw have the first one's.
        place = pl.col("draw").rank("min").over("label") - 1
        many = pl.len().over("label")
        last = (pl.lit(self.test) * many).round()
        next_last = (pl.lit(self.test + (self.valid or 0.0)) * many).round()
        masks = rows.select(test=place < last, valid=(place >= last) & (place < next_last))
        return untimed(frame, masks["test"], masks["valid"], as_of)


def _strata(labels: pl.Series) -> pl.Series:
    """Labels as they are, several of a row together, or numbers by tenths of their order."""
    if isinstance(labels.dtype, pl.List):
        return labels.cast(pl.List(pl.String)).list.sort().list.join("|")
    if not labels.dtype.is_numeric() or labels.drop_nulls().n_unique() <= _MOST_LABELS:
        return labels
    rank = labels.rank("min").cast(pl.Float64)
    return ((rank - 1) * _BANDS / labels.len()).floor()
