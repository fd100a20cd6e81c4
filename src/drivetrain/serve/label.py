"""What came true, as callers say it: a number, the name of a class, or the names of every label that holds."""

from __future__ import annotations

import math
from typing import TypeAlias

from drivetrain.core.errors import RequestError
from drivetrain.core.records import Task
from drivetrain.core.records.task import KINDS
from drivetrain.serve.instance import show

Said: TypeAlias = float | bool | str | list[str]

_EXPECTED = {"multiclass": "the name of a class", "multilabel": "a list of the labels that hold, [] for none"}


def told(label: Said, task: Task | None, field: str) -> tuple[float, list[str] | None]:
    """A label as it is logged: a number, or names beside a NaN.

    A class may be said by its number where it is called by one. A name that the model does not know is kept: a model
    after it may, and that there is one is worth knowing.

    Args:
        label: As the caller said it.
        task: What the model tells; none where nobody answers yet: then nothing is refused.
        field: Where it stands in the request.

    Raises:
        RequestError: The model tells something else.

    Example:
        >>> told("setosa", Task("multiclass", ("setosa", "virginica")), "feedback[0].label")
        (nan, ['setosa'])
    """
    kind = None if task is None else task.kind
    if isinstance(label, list):
        if kind in {None, "multilabel"}:
            return math.nan, label
    elif isinstance(label, str):
        if kind in {None, "multiclass"}:
            return math.nan, [label]
    elif kind == "multiclass":
        if not isinstance(label, bool) and label.is_integer():
            return math.nan, [str(int(label))]
    elif kind != "multilabel":
        return float(label), None
    raise RequestError(
        f"{field} does not suit what the endpoint tells: {KINDS[kind]}",
        field=field,
        found=show(label),
        expected=_EXPECTED.get(kind, "a number"),
    )
