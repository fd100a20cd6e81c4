"""A trainer's meaning as plain text: its run is known by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from drivetrain.core.hashing import code_digest
from drivetrain.core.records.run import Scalar


def arguments(parameters: Mapping[str, Scalar]) -> str:
    """Parameters as they are written in a call.

    Example:
        >>> arguments({"C": 0.5, "solver": "lbfgs"})
        "C=0.5, solver='lbfgs'"
    """
    return ", ".join(f"{name}={value!r}" for name, value in parameters.items())


def function(called: Callable[..., Any]) -> str:
    """A function by its name and what it does: comments change nothing, code does."""
    return f"{getattr(called, '__qualname__', type(called).__name__)}@{code_digest(called)[:12]}"
