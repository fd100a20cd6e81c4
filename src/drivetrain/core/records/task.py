"""What kind of thing a model tells."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias

import msgspec

TaskKind: TypeAlias = Literal["binary", "multiclass", "multilabel", "regression", "quantile", "ranking"]
"""What a model's answers are: a probability; one of each class; one of each label; a number; numbers that outcomes stay
below with given probabilities; a score that sorts the rows of a group."""

KINDS: Mapping[TaskKind, str] = MappingProxyType(
    {
        "binary": "a yes or no",
        "multiclass": "one of several classes",
        "multilabel": "any of several labels",
        "regression": "a number",
        "quantile": "quantiles of a number",
        "ranking": "an order within groups",
    }
)
"""Kind → what its labels are, in words."""

DEFAULT_METRICS: Mapping[TaskKind, str] = MappingProxyType(
    {
        "binary": "average_precision",
        "multiclass": "log_loss",
        "multilabel": "micro_average_precision",
        "regression": "mae",
        "quantile": "pinball",
        "ranking": "ndcg@10",
    }
)
"""Kind → the metric that stands for the objective where the project names none that suits."""


class Task(msgspec.Struct, frozen=True):
    """What a model tells, and what the numbers of an answer stand for.

    Attributes:
        kind: What its answers are.
        classes: Names of the classes, or of the labels where there are several: an answer has a probability of each, in
            this order.
        levels: Of quantiles: the probabilities, ascending; an answer has a number for each.
    """

    kind: TaskKind = "binary"
    classes: tuple[str, ...] = ()
    levels: tuple[float, ...] = ()

    @property
    def outputs(self) -> int:
        """How many numbers an answer has."""
        return max(len(self.classes), len(self.levels), 1)
