"""What a fit ran on: the packages whose version may change its result."""

from __future__ import annotations

import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from drivetrain.core.hashing import Digest, digest

PACKAGES = (
    "catboost",
    "drivetrain",
    "flax",
    "jax",
    "keras",
    "lightgbm",
    "numpy",
    "onnxruntime",
    "optax",
    "optuna",
    "polars",
    "scikit-learn",
    "scipy",
    "skl2onnx",
    "skops",
    "torch",
    "xgboost",
)


def packages() -> dict[str, str]:
    """Package → version of what is installed and matters, with Python and the kind of machine; nothing is imported.

    Example:
        >>> "numpy" in packages() and "python" in packages()
        True
    """
    found = {"python": platform.python_version(), "machine": f"{platform.system()} {platform.machine()}"}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def environment_digest(found: dict[str, str] | None = None) -> Digest:
    """Digest of :func:`packages`."""
    return _present_digest() if found is None else digest(found)


@cache
def _present_digest() -> Digest:
    """What is installed does not change while a process runs."""
    return digest(packages())
