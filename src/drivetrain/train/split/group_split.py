"""No group in two parts: a model is judged by whom it has never met."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from drivetrain.core.clock import Micros
from drivetrain.core.errors import UsageError
from drivetrain.core.notebook import shown
from drivetrain.train.split.cut import Split
from drivetrain.train.split.hashed import check_shares, draws
from drivetrain.train.split.holdout import by_draw
from drivetrain.train.split.time_split import TimeSplit


@dataclass(frozen=True)
class GroupSplit:
    """A share of the groups judges, a share chooses, the others teach; no group is in two parts.

    A group's part depends on its value and the seed alone, so it stays the same as rows and groups come: what judged
    once never teaches later. Shares are of groups; of rows they are as near as the groups' sizes allow. Null is a
    group of its own.

    Args:
        by: What makes the groups, several columns together: features of the model by full name, fields of the request,
            columns of the label's table, or ``_entity``.
        test: Share of the groups that judge.
        valid: Share of the groups that choose; ``None`` for none.
        seed: Another seed, other groups.
        within: A split in time, where what judges must be later than what teaches too: then each part is what both
            splits give to it.

    Example:
        >>> GroupSplit("patient", test=0.2, valid=0.1).groups
        ('patient',)
    """

    by: str | Sequence[str]
    test: float = 0.2
    valid: float | None = 0.2
    seed: int = 0
    within: TimeSplit | None = None

    _repr_html_ = shown

    def __post_init__(self) -> None:
        """Checks the shares at the door."""
        object.__setattr__(self, "by", (self.by,) if isinstance(self.by, str) else tuple(self.by))
        if not self.by:
            raise UsageError("a GroupSplit needs a column that makes the groups", do='For example: by="patient"')
        check_shares("a GroupSplit", self.test, self.valid)

    @property
    def groups(self) -> tuple[str, ...]:
        """The columns that make the groups."""
        return tuple(self.by)

    def cut(self, frame: pl.DataFrame, as_of: Micros) -> Split:
        """Cuts a training set; see :meth:`Splitter.cut`."""
        alone = by_draw(frame, draws(frame, self.groups, self.seed), self.test, self.valid, as_of)
        if self.within is None:
            return alone
        timed = self.within.cut(frame, as_of)
        refit = timed.refit & ~alone.test
        before = timed.before & ~alone.test
        return Split(
            train=timed.train & alone.train,
            valid=timed.valid & alone.valid,
            test=timed.test & alone.test,
            refit=refit,
            since=timed.since,
            valid_since=timed.valid_since,
            test_since=timed.test_since,
            until=as_of,
            late=int((before & ~refit).sum()),
            before=before,
        )
