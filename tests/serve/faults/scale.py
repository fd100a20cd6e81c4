"""How much the fault tests do: enough to fail where something is wrong, or, with ``FAULTS=long``, the full figures."""

from __future__ import annotations

import os
from typing import TypeVar

T = TypeVar("T")

LONG = os.environ.get("FAULTS") == "long"


def sized(usual: T, long: T) -> T:
    """The figure to use."""
    return long if LONG else usual
