"""JAX, where it is installed."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from drivetrain.core.errors import MissingExtra


def library(*more: str) -> Any:  # noqa: ANN401 - jax is an extra
    """JAX, answering on the thread that asks.

    Args:
        *more: Other libraries that are needed.

    Raises:
        MissingExtra: One of them is not installed.
    """
    for name in ("jax", *more):
        if find_spec(name) is None:
            raise MissingExtra(f"the flax adapter needs {name}", do='Run: pip install "drivetrain[flax]"')
    import jax  # noqa: PLC0415 - deferred: it takes seconds

    jax.config.update("jax_cpu_enable_async_dispatch", False)  # noqa: FBT003 - jax's own signature
    return jax
