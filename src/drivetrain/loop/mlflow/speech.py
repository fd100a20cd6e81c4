"""How MLflow writes things down, and what is asked of a server of its."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import IO, Any, Protocol

from drivetrain.core.clock import Micros
from drivetrain.core.errors import StoreError


class Server(Protocol):
    """An MLflow server; :class:`~drivetrain.adapters.mlflow.server.MlflowServer` says what each call may raise."""

    @property
    def address(self) -> str:
        """Its address."""
        ...

    def get(self, path: str, query: Mapping[str, object] | None = None) -> dict[str, Any]:
        """What a GET answers."""
        ...

    def find(self, path: str, query: Mapping[str, object] | None = None) -> dict[str, Any] | None:
        """The same; none of what is not there."""
        ...

    def call(self, method: str, path: str, said: Mapping[str, object]) -> dict[str, Any]:
        """What another call answers."""
        ...

    def send(self, root: str, path: str, file: IO[bytes]) -> None:
        """Puts a file beneath a root."""
        ...

    def fetch(self, root: str, path: str, into: IO[bytes]) -> None:
        """Gets a file from beneath a root."""
        ...

    def files(self, root: str) -> Iterator[tuple[str, int]]:
        """Every file beneath a root: path and bytes."""
        ...

    def close(self) -> None:
        """Lets go."""
        ...


def odd_answer(server: Server, error: Exception) -> StoreError:
    """What is raised where an answer has not the shape that MLflow's have."""
    return StoreError(
        f"what answers at {server.address} is no MLflow server", found=f"an answer without {error}",
        do="Check the address",
    )  # fmt: skip


def pairs(said: Mapping[str, str]) -> list[dict[str, Any]]:
    """Tags or parameters as a list."""
    return [{"key": key, "value": value} for key, value in said.items()]


def mapping(said: object) -> dict[str, str]:
    """The same list, read."""
    found = said if isinstance(said, list) else []
    return {str(one["key"]): str(one.get("value", "")) for one in found if isinstance(one, dict) and "key" in one}


def number(value: float) -> float | str:
    """A number, as text where JSON has none such."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def millis(moment: Micros) -> int:
    """A moment in milliseconds."""
    return moment // 1000


def micros(said: object) -> Micros:
    """A moment that was said in milliseconds; 0 where none was."""
    return int(said) * 1000 if isinstance(said, int | str) and str(said).lstrip("-").isdecimal() else 0
