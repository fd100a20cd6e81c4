"""What crosses to an adapter: frames by Arrow's C stream, matrices by numpy's array interface."""

from __future__ import annotations

from typing import Any, Protocol


class Frame(Protocol):
    """Columns of equal length, read through the Arrow C stream interface; a Polars frame is one."""

    @property
    def columns(self) -> list[str]:
        """Column names, in order."""
        ...

    def __len__(self) -> int:
        """How many rows."""
        ...

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The rows as an Arrow C stream capsule."""
        ...


class Matrix(Protocol):
    """An n-dimensional array of float64 in C order; a numpy array is one."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        ...

    @property
    def __array_interface__(self) -> dict[str, Any]:
        """Numpy's array interface, version 3."""
        ...
