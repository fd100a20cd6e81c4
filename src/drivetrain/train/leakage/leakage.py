"""What a project wants done about leaks: :class:`Leakage`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from drivetrain.core.errors import UsageError
from drivetrain.core.notebook import shown

On: TypeAlias = Literal["certain", "refuse", "warn"]

CHECKS = (
    "target",
    "known with the label",
    "target encoding",
    "nulls tell",
    "too good alone",
    "tells when the label comes",
    "relation breaks",
    "missing when recent",
    "read too early",
    "id-like",
    "duplicates",
    "near duplicates",
    "fitted on test rows",
    "train after test",
    "in two parts",
)
"""Every check, by the name that findings carry."""


@dataclass(frozen=True)
class Leakage:
    """What is done about leaks that are found in a training set before anything is fitted to it.

    What leaves no honest reading is refused by default: a feature that is the label, or known only with it, rows that
    teach later than rows that judge, statistics learned from rows that judge. Anything else warns. All of it is in the
    run, on the card and on the model's page.

    Args:
        on: ``certain`` refuses what is certain and warns of the rest; ``refuse`` refuses everything found; ``warn``
            refuses nothing.
        allow: Features, views, or checks by name, whose findings are accepted; they are recorded as allowed.
        rows: Most rows that features are looked at on: as many of each label as there are, or their even share. Rows
            that are the same are looked for among all.
        level: Probability that no honest feature is called too good, over all features together.
        auc: What a feature alone may reach in telling labels apart, out of time (ROC AUC, 1 is perfect).
        precision: The same for average precision.
        r2: The same for labels that are numbers (R² of ranks).

    Example:
        >>> Leakage(on="refuse", allow=["loan.term"]).allow
        ('loan.term',)
    """

    on: On = "certain"
    allow: Sequence[str] = ()
    rows: int = 40_000
    level: float = 0.99
    auc: float = 0.9
    precision: float = 0.9
    r2: float = 0.9

    _repr_html_ = shown

    def __post_init__(self) -> None:
        """Checks the settings at the door."""
        if self.on not in get_args(On):
            raise UsageError(
                "no such way to treat leaks", found=repr(self.on), expected=" or ".join(map(repr, get_args(On)))
            )
        if isinstance(self.allow, str):
            raise UsageError(
                "Leakage needs a list of what is allowed", found=repr(self.allow), expected=f"[{self.allow!r}]"
            )
        object.__setattr__(self, "allow", tuple(self.allow))
        if self.rows < 1_000:
            raise UsageError("too few rows to look for leaks on", found=self.rows, expected="1000 or more")
        for name in ("level", "auc", "precision", "r2"):
            if not 0.5 <= getattr(self, name) < 1:
                raise UsageError(f"{name} is out of its range", found=getattr(self, name), expected="0.5 to under 1")

    @property
    def meaning(self) -> list[str]:
        """What it is, as text; nothing where it is as by default."""
        return [] if self == Leakage() else [repr(self)]
