"""Which features of a model were chosen by the machine, and why the others were left out."""

from __future__ import annotations

from typing import Literal

import msgspec

Chooser = Literal["null_importance", "permutation", "stability"]


class JudgedFeature(msgspec.Struct, frozen=True, kw_only=True):
    """A feature that a model might have read, and what became of it."""

    feature: str
    kept: bool
    value: float
    """How strong it is, in the measure of the method."""
    chance: float | None = None
    """How often chance alone gives as much to the strongest of all features; none where the method does not tell."""
    low: float | None = None
    """What the value surely exceeds, for all features at once; none where the method does not tell."""
    why: str
    """A sentence's end: ``stands out from chance``, ``no more than chance``."""


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """How the features of a model were chosen from those that are declared."""

    by: Chooser
    level: float
    """What was allowed to go wrong: the chance that any feature without a say is kept; of stability, how many are."""
    measure: str
    """What a value is, in words: ``standard deviations above chance``."""
    fits: int
    """Models that were fitted for it."""
    rows: int
    """Rows that they learned from at most; of permutation, rows that were judged."""
    features: tuple[JudgedFeature, ...]
    """All, in the model's order."""

    @property
    def kept(self) -> tuple[str, ...]:
        """Those that the model reads, in its order."""
        return tuple(one.feature for one in self.features if one.kept)

    @property
    def ranked(self) -> tuple[JudgedFeature, ...]:
        """Those that were kept, then the others, each the strongest first."""
        return tuple(sorted(self.features, key=lambda one: (not one.kept, -one.value)))

    @property
    def summary(self) -> str:
        """``12 of 38 features kept``."""
        return f"{len(self.kept)} of {len(self.features)} features kept"
