"""Detectors by name, and what they are between two looks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal, Protocol, TypeAlias, get_args

import msgspec

from drivetrain.core.errors import ProjectError
from drivetrain.monitor.concept.adwin import Adwin
from drivetrain.monitor.concept.ddm import Ddm
from drivetrain.monitor.concept.page_hinkley import PageHinkley

ConceptName: TypeAlias = Literal["adwin", "page_hinkley", "ddm"]


class Detector(Protocol):
    """Takes errors one by one and says when they changed."""

    @property
    def recent(self) -> int:
        """How many of the latest errors lie after the last change, as far as it can tell."""
        ...

    def update(self, error: float, /) -> bool:
        """Takes the next error; whether there was a change."""
        ...


_MAKE: Mapping[str, Callable[[], Detector]] = MappingProxyType(
    {"adwin": Adwin, "page_hinkley": PageHinkley, "ddm": Ddm}
)
TITLES: Mapping[str, str] = MappingProxyType(
    {"adwin": "ADWIN", "page_hinkley": "Page and Hinkley's test", "ddm": "DDM"}
)
"""Name → what it is called in a sentence."""


def check_detector(name: str) -> None:
    """Refuses a name that no detector has.

    Raises:
        ProjectError: There is none.
    """
    if name not in _MAKE:
        raise ProjectError(
            "errors are followed by an unknown detector", found=repr(name), expected=", ".join(get_args(ConceptName))
        )


def kept_state(detector: Detector) -> bytes:
    """A detector as bytes: numbers and lists of numbers, nothing else."""
    return msgspec.msgpack.encode(vars(detector))


def resumed(name: str, state: bytes = b"") -> Detector:
    """The detector of a name, as it was when it was kept; a new one of no bytes.

    Example:
        >>> first = resumed("adwin")
        >>> _ = [first.update(float(at % 2)) for at in range(100)]
        >>> resumed("adwin", kept_state(first)).recent
        100
    """
    check_detector(name)
    detector = _MAKE[name]()
    if state:
        vars(detector).update(msgspec.msgpack.decode(state))
    return detector
