"""Models whose margin is a sum of one term a feature: linear ones, and whatever else adds up that way."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

ADDITIVE = "drivetrain.additive"
"""Name under which an ONNX graph carries the terms of its model, JSON, among its metadata."""


class Term(msgspec.Struct, frozen=True):
    """What one feature adds to the margin, less what it adds on average over the training rows.

    Every tuple holds one number an output: one in all, or one a class.

    Attributes:
        slope: What each unit of a number adds; of no effect for categories.
        zero: What the number 0 adds.
        null: What null adds.
        codes: What each code of a category adds; empty for numbers.
    """

    slope: tuple[float, ...]
    zero: tuple[float, ...]
    null: tuple[float, ...]
    codes: tuple[tuple[float, ...], ...] = ()

    def at(self, value: float) -> Sequence[float]:
        """What an encoded value adds, for each output."""
        if math.isnan(value):
            return self.null
        if self.codes:
            return self.codes[int(value)] if 0 <= value < len(self.codes) else self.null
        return [zero + slope * value for zero, slope in zip(self.zero, self.slope, strict=True)]


class Additive(msgspec.Struct, frozen=True):
    """A model as the mean of its margin and one term a feature; its contributions are exact Shapley values.

    In a model without interactions a feature's Shapley value is its own term less that term's mean: Štrumbelj and
    Kononenko, "Explaining prediction models and individual predictions with feature contributions", Knowledge and
    Information Systems 41 (2014). For a linear model it is coefficient × (value − mean).

    Attributes:
        base: The mean margin of the training rows, for each output.
        terms: One for each field, in the schema's order.

    Example:
        >>> late = Additive((0.5,), (Term((2.0,), (-6.0,), (0.0,)),))
        >>> late.explain([[4.0], [float("nan")]])
        [[2.0, 0.5], [0.0, 0.5]]
    """

    base: tuple[float, ...]
    terms: tuple[Term, ...]

    def explain(self, rows: Iterable[Sequence[float]]) -> list[Any]:
        """Contributions as :meth:`drivetrain.core.protocols.Engine.explain` gives them, as nested lists."""
        explained = []
        for row in rows:
            added = [term.at(value) for term, value in zip(self.terms, row, strict=True)]
            outputs = [[*(each[at] for each in added), base] for at, base in enumerate(self.base)]
            explained.append(outputs if len(outputs) > 1 else outputs[0])
        return explained
