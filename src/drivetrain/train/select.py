"""How a model's features are chosen: declared on the model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from drivetrain.core.errors import UsageError
from drivetrain.core.notebook import shown
from drivetrain.core.records.selection import Chooser

LEVELS: dict[Chooser, float] = {"null_importance": 0.05, "permutation": 0.05, "stability": 1.0}
ROUNDS: dict[Chooser, int] = {"null_importance": 40, "permutation": 5, "stability": 50}


@dataclass(frozen=True)
class Select:
    """Which of the declared features a model reads, found out before it is tuned and fitted.

    Three ways to judge, each by the model's own trainer, with as many rounds as the validation rows bear:

    - ``null_importance`` (Altmann et al., 2010): a feature's importance among real labels is set beside what it is
      among labels that were dealt out anew. Kept is what exceeds the largest that chance gives to any of them
      (Westfall and Young, 1993): the chance that a feature without a say is kept is at most ``level``.
    - ``permutation`` (Breiman, 2001; Fisher, Rudin and Dominici, 2019): one model is fitted, and asked about validation
      rows in which one feature after the other is shuffled. Kept is what makes its loss worse for sure, by blocks of
      days and for all features at once. For trainers that tell no importance. Of two features that say the same,
      neither is missed.
    - ``stability`` (Meinshausen and Bühlmann, 2010; Shah and Samworth, 2013): models are fitted on pairs of halves of
      the rows, and each names its strongest features. Kept is what at least ``share`` of them name; ``level`` is how
      many features that are named more rarely than by luck are kept, on average, at most.

    Args:
        by: Which of these.
        keep: At most so many, the strongest; as many as pass by default.
        level: What may go wrong, see above; .05 by default, of ``stability`` 1 feature.
        rounds: Labels dealt out (40), shuffles of a feature (5), or halves (50, an even number).
        rows: Rows that judge or that a fit learns from, at most, taken evenly over time.
        share: Of ``stability``: in how many of the halves a feature must be named.
        always: Features by full name, or views and request features, that are read whatever is found.

    Raises:
        UsageError: It can't be as asked.

    Example:
        >>> Select(keep=10).by
        'null_importance'
    """

    by: Chooser = "null_importance"
    keep: int | None = None
    level: float | None = None
    rounds: int | None = None
    rows: int = 20_000
    share: float = 0.9
    always: Sequence[str] = ()

    _repr_html_ = shown

    def __post_init__(self) -> None:
        """Checks the figures at the door."""
        if self.by not in get_args(Chooser):
            raise UsageError("Select knows no such way", found=repr(self.by), expected=", ".join(get_args(Chooser)))
        if self.keep is not None and self.keep < 1:
            raise UsageError("Select would keep no feature", found=f"keep={self.keep}", expected="1 or more")
        if isinstance(self.always, str):
            raise UsageError("Select needs a list of features", found=f"always={self.always!r}")
        object.__setattr__(self, "always", tuple(self.always))
        if self.rows < 100:
            raise UsageError("Select can't judge by so few rows", found=f"rows={self.rows}", expected="100 or more")
        if not 0.5 < self.share <= 1:
            raise UsageError("a share of halves is more than one half", found=f"share={self.share}", expected=".5 to 1")
        self._check_level()

    def _check_level(self) -> None:
        if self.by == "stability":
            if not 0 < self.risk < math.inf:
                raise UsageError("stability keeps some wrong features on average", found=f"level={self.level}",
                                 expected="how many are allowed, above 0")  # fmt: skip
            if self.times < 10 or self.times % 2:
                raise UsageError("stability looks at pairs of halves", found=f"rounds={self.times}",
                                 expected="an even number, 10 or more")  # fmt: skip
            return
        if not 0 < self.risk < 1:
            raise UsageError("a level is a chance", found=f"level={self.level}", expected="above 0, below 1")
        least = math.ceil(1 / self.risk) - 1 if self.by == "null_importance" else 2
        if self.times < least:
            raise UsageError(
                f"so few rounds can't tell a chance of {self.risk:g}", found=f"rounds={self.times}",
                expected=f"{least} or more",
            )  # fmt: skip

    @property
    def risk(self) -> float:
        """The level, or the method's own."""
        return LEVELS[self.by] if self.level is None else self.level

    @property
    def times(self) -> int:
        """The rounds, or the method's own."""
        return ROUNDS[self.by] if self.rounds is None else self.rounds
