"""Tests of an extra: skipped, with the reason, where its library is not installed."""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from typing import Any

from drivetrain.testing.server import do_without


def need_extra(name: str, extra: str = "", *, loading: bool = True) -> Any:  # noqa: ANN401 - a module
    """Called at the top of a test module: skips the module, or fails where everything is required.

    Args:
        name: The library.
        extra: The extra that brings it, where that has another name.
        loading: Whether to import it: not where an adapter must set its environment first.

    Returns:
        The library, or none.
    """
    if find_spec(name) is None:
        do_without(f'{name} is not installed: pip install "drivetrain[{extra or name}]"', module=True)
    return importlib.import_module(name) if loading else None
