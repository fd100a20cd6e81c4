"""Special functions of statistics, loaded when the first figure is asked for: a serving worker asks for none."""

from __future__ import annotations

from functools import cache
from typing import Any

from drivetrain.core import plugins


@cache
def special() -> Any:  # noqa: ANN401 - a module; its functions are those of scipy.special
    """Incomplete beta functions and their like, over numbers or arrays.

    Example:
        >>> round(float(special().betainc(1, 2, 0.5)), 2)
        0.75
    """
    return plugins.load("special", "scipy")
