"""Tests of an extra: skipped, with the reason, where its library is not installed."""

from __future__ import annotations

import importlib
import os
from importlib.util import find_spec
from typing import Any

import pytest

_REQUIRE = "DRIVETRAIN_REQUIRE_SERVICES"


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
        reason = f'{name} is not installed: pip install "drivetrain[{extra or name}]"'
        if os.environ.get(_REQUIRE) == "1":
            pytest.fail(f"{reason}, and {_REQUIRE}=1", pytrace=False)
        pytest.skip(reason, allow_module_level=True)
    return importlib.import_module(name) if loading else None
