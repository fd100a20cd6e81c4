"""What kind of thing a model tells."""

from __future__ import annotations

from typing import Literal, TypeAlias

TaskKind: TypeAlias = Literal["binary", "multiclass", "multilabel", "regression", "quantile", "ranking"]
"""What a model's answers are: a probability; one of each class; one of each label; a number; numbers that outcomes stay
below with given probabilities; a score that sorts the rows of a group."""
