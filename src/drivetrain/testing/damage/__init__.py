"""Damage to good deliveries, planted from a seed: whether it is noticed is what a contract is judged by.

:data:`~drivetrain.testing.damage.kind.KINDS` holds every kind once its module is loaded; :func:`kinds` loads them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from drivetrain.testing.damage.kind import KINDS, Kind

MODULES = ("types", "encodings", "rows", "columns", "time", "meaning", "files")


def kinds() -> Mapping[str, Kind]:
    """Every kind of damage, by name."""
    for module in MODULES:
        import_module(f"{__name__}.{module}")
    return KINDS
