"""Errors as MLflow's clients read them: a code of theirs, and a sentence of ours."""

from __future__ import annotations

import msgspec
from fastapi import Response

from drivetrain.core.errors import Conflict as ChangedParameter
from drivetrain.core.errors import (
    CorruptBlob,
    DrivetrainError,
    NameTaken,
    NotFound,
    RefusedError,
    RequestError,
    StoreError,
    UnknownName,
    UsageError,
)

PREFIXES = ("/api/2.0/mlflow", "/api/3.0/mlflow", "/ajax-api/2.0/mlflow", "/ajax-api/3.0/mlflow")


class NotSpoken(RequestError):
    """A part of MLflow's API that is not spoken here."""

    status = 501


_CODES: tuple[tuple[type[DrivetrainError], int, str], ...] = (
    (NameTaken, 400, "RESOURCE_ALREADY_EXISTS"),
    (UnknownName, 404, "RESOURCE_DOES_NOT_EXIST"),
    (NotFound, 404, "RESOURCE_DOES_NOT_EXIST"),
    (NotSpoken, 501, "NOT_IMPLEMENTED"),
    (RefusedError, 403, "PERMISSION_DENIED"),
    (ChangedParameter, 400, "INVALID_PARAMETER_VALUE"),
    (UsageError, 400, "INVALID_PARAMETER_VALUE"),
    (CorruptBlob, 500, "DATA_LOSS"),
    (StoreError, 503, "TEMPORARILY_UNAVAILABLE"),
)
_BY_STATUS = {
    403: "PERMISSION_DENIED",
    404: "ENDPOINT_NOT_FOUND",
    405: "ENDPOINT_NOT_FOUND",
    503: "TEMPORARILY_UNAVAILABLE",
}


def is_ours(path: str) -> bool:
    """Whether who asked for a path is a client of MLflow's."""
    return path.startswith(PREFIXES)


def refusal(error: DrivetrainError, status: int) -> Response:
    """An error as an answer.

    Args:
        error: What is wrong.
        status: The HTTP status of an error that MLflow has no code for.
    """
    found = next(((number, code) for kind, number, code in _CODES if isinstance(error, kind)), None)
    if found is None:
        found = (status, _BY_STATUS.get(status, "INTERNAL_ERROR" if status >= 500 else "INVALID_PARAMETER_VALUE"))
    number, code = found
    if code == "INVALID_PARAMETER_VALUE":
        number = 400
    return Response(
        msgspec.json.encode({"error_code": code, "message": str(error)}), number, media_type="application/json"
    )
