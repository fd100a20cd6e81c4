"""Refusals that HTTP has its own status for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from drivetrain.core.errors import DrivetrainError, RequestError


class Malformed(RequestError):
    """The body is no JSON at all."""

    status: ClassVar[int] = 400


class MethodRefused(RequestError):
    """The path is known, the method is not.

    Args:
        what: As for every error.
        found: The method.
        allowed: Those that are.
    """

    status: ClassVar[int] = 405

    def __init__(self, what: str, *, found: str, allowed: Iterable[str]) -> None:
        methods = list(allowed)
        super().__init__(what, found=found, expected=" or ".join(methods))
        self.headers = [("allow", ", ".join(methods))]


class TooLarge(RequestError):
    """More bytes or rows than one request may have."""

    status: ClassVar[int] = 413


class EngineFailed(DrivetrainError):
    """The model raised, or gave something that is no number, and nobody stood in for it."""

    status: ClassVar[int] = 500


class TooSlow(EngineFailed):
    """The model did not answer before the deadline."""

    status: ClassVar[int] = 504
