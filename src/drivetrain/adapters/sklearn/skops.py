"""skops, without what it does not need."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

_OF_TORCH = "sklearn.externals.array_api_compat.torch"
"""Imports PyTorch, two seconds and 200 MB where it is installed; nothing of it is an estimator."""


def skops_io() -> ModuleType:
    """``skops.io``; it takes a while when it is asked for first.

    skops then lists scikit-learn's estimators, for which scikit-learn imports every module that it has, one that
    imports PyTorch among them. That one is passed over.
    """
    passed = ModuleType(_OF_TORCH)
    known = sys.modules.setdefault(_OF_TORCH, passed)
    try:
        return importlib.import_module("skops.io")
    finally:
        if known is passed:
            del sys.modules[_OF_TORCH]
