"""Adapters by name: the only way to one, so that no floor imports a heavy library."""

from __future__ import annotations

import importlib
import sys
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from drivetrain.core.errors import MissingExtra, UnknownName

_GROUP = "drivetrain.adapters"


def load(kind: str, name: str) -> Any:  # noqa: ANN401 - the caller knows which protocol the kind stands for
    """The object that an adapter registers.

    Args:
        kind: What it is: ``trainer``, ``engine``, ``tuner``, ``online``, ``sink``, ``trees`` (boosted trees → a file),
            and what trainers share: ``checkpoint``, ``labels``, ``lessons``.
        name: Which one: ``lightgbm``, ``onnx``, ``optuna``, …

    Returns:
        The attribute named ``kind`` of ``drivetrain.adapters.<name>``, or of the module that an installed package
        registers under the entry point group ``drivetrain.adapters``.

    Raises:
        UnknownName: No adapter goes by that name, or it offers no such kind.
        MissingExtra: The library behind it is not installed.
    """
    target = _registered(_installed()).get(name, f"drivetrain.adapters.{name}")
    try:
        module = importlib.import_module(target)
    except ModuleNotFoundError as error:
        if error.name and target.startswith(error.name):
            raise UnknownName(f"no adapter is called {name!r}", do="Check the name, or install its package") from None
        raise MissingExtra(
            f"the {name} adapter needs {error.name}", do=f'Run: pip install "drivetrain[{name}]"'
        ) from error
    try:
        return getattr(module, kind)
    except AttributeError:
        raise UnknownName(f"the {name} adapter has no {kind}") from None


@cache
def _registered(_installed: tuple[tuple[str, int], ...]) -> dict[str, str]:
    """Name → module, of what installed packages register.

    Looking through every installed package takes tens of milliseconds, and a fit asks several times.
    """
    return {point.name: point.value for point in entry_points(group=_GROUP)}


def _installed() -> tuple[tuple[str, int], ...]:
    """Changes where a package is installed or removed: the folders that are looked through, and when each changed."""
    found = []
    for name in sys.path:
        try:
            found.append((name, Path(name or ".").stat().st_mtime_ns))
        except OSError:
            continue
    return tuple(found)
