"""Tests of an extra: skipped, with the reason, where its library is not installed."""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from typing import Any

import pytest

from drivetrain.testing.server import do_without


def need_extra(name: str, extra: str = "", *, loading: bool = True, heavy: bool = False) -> Any:  # noqa: ANN401 - a module
    """Called at the top of a test module: skips the module, or fails where everything is required.

    Args:
        name: The library.
        extra: The extra that brings it, where that has another name.
        loading: Whether to import it: not where an adapter must set its environment first.
        heavy: Whether it is too large to be on every machine that tests: where it is not, that is no failure.

    Returns:
        The library, or none.
    """
    if find_spec(name) is None:
        reason = f'{name} is not installed: pip install "drivetrain[{extra or name}]"'
        if heavy:
            pytest.skip(reason, allow_module_level=True)
        do_without(reason, module=True)
    return importlib.import_module(name) if loading else None
