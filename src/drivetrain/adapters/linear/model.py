"""A linear model as plain numbers: what each column adds to the margin, less what it adds on average."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

Answers: TypeAlias = Literal["sigmoid", "softmax", "identity"]
"""From margins to answers."""

FILE = "linear.json"


class LinearModel(msgspec.Struct, frozen=True, kw_only=True):
    """What each column adds, as :class:`drivetrain.core.additive.Term` has it, one list an output.

    Attributes:
        answers: How margins become answers.
        base: The mean margin of the training rows, for each output.
        slopes: What a unit of each column adds; 0 for categories.
        zeros: What the number 0 adds.
        nulls: What null adds.
        codes: Column → for each of its codes what that adds, one list an output.
    """

    answers: Answers
    base: list[float]
    slopes: list[list[float]]
    zeros: list[list[float]]
    nulls: list[list[float]]
    codes: dict[int, list[list[float]]]
