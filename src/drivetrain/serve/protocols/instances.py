"""Calls made of instances, for protocols that bring neither the request's id nor its moment in the native way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from drivetrain.core.clock import Micros
from drivetrain.core.settings import ServeSettings
from drivetrain.serve.admission import check_rows, moments, request_id
from drivetrain.serve.call import Call
from drivetrain.serve.instance import InstanceSchema
from drivetrain.serve.request import Request

ID_HEADER = "x-drivetrain-request-id"
"""Names the request where the protocol's body can't. ``x-request-id`` would not do: proxies give one to several calls,
and two predictions of one id are kept as one."""

_encode = msgspec.json.Encoder().encode


class Taken(msgspec.Struct, frozen=True):
    """What is known of a request before its instances are read.

    Attributes:
        request_id: The caller's, or made here.
        started: The monotonic clock when the request came, in nanoseconds.
        at: What the caller says of the moment; ``None`` means now.
    """

    request_id: str
    started: int
    at: str | list[str] | None = None


def taken(request: Request, started: int) -> Taken:
    """What a request's headers say; raises ``RequestError`` if its id is too long or no plain text."""
    given = request.headers.get(ID_HEADER) or ""
    return Taken(request_id(given, ID_HEADER), started)


def raw_call(
    raws: list[msgspec.Raw], schema: InstanceSchema, settings: ServeSettings, where: str, taken: Taken
) -> Call:
    """The call of instances that came as JSON objects.

    Args:
        raws: The instances.
        schema: The endpoint's fields.
        settings: Limits.
        where: The list's path in the request, for example ``instances``.
        taken: The rest of the request.

    Raises:
        RequestError: One does not fit; the message names the field, what was found and what was expected.
    """
    check_rows(len(raws), settings, where)
    rows = [schema.decode(raw, f"{where}[{at}]") for at, raw in enumerate(raws)]
    return Call(taken.request_id, rows, raws, _moments(taken, len(rows), settings), taken.started)


def table_call(
    names: Sequence[str], rows: Sequence[Sequence[Any]], schema: InstanceSchema, settings: ServeSettings, taken: Taken
) -> Call:
    """The call of a table whose columns are known to be the endpoint's fields; raises as :func:`raw_call`."""
    check_rows(len(rows), settings, "rows")
    instances: list[Mapping[str, Any]] = [dict(zip(names, row, strict=True)) for row in rows]
    return Call(
        request_id=taken.request_id,
        rows=[schema.convert(instance, f"rows[{at}]") for at, instance in enumerate(instances)],
        raws=[msgspec.Raw(_encode(instance)) for instance in instances],
        ats=_moments(taken, len(instances), settings),
        started=taken.started,
    )


def _moments(taken: Taken, count: int, settings: ServeSettings) -> list[Micros]:
    return moments(taken.at, count, settings)
