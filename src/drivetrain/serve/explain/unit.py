"""What contributions are measured in."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias

from drivetrain.core.link import Link

Unit: TypeAlias = Literal["log-odds", "log of the target", "target", "probability"]

UNITS: Mapping[Link, Unit] = MappingProxyType(
    {"logistic": "log-odds", "softmax": "log-odds", "identity": "target", "log": "log of the target"}
)
"""The unit of a margin, by the link that takes it to the answer.

Of several classes the log-odds are those against all other classes (``logistic``), or up to one number that all classes
share (``softmax``): there what a contribution changes are the odds of its class against any other.
"""
