"""What a route is given: the project, and a form's fields."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qs

from fastapi import Depends, Request

from drivetrain.core.errors import RequestError
from drivetrain.loop.audit import Sought
from drivetrain.web.desk import Desk

_LARGEST = 20_000
_MOST = 50


def desk_of(request: Request) -> Desk:
    """The project that the application serves."""
    desk: Desk = request.app.state.desk
    return desk


async def fields_of(request: Request) -> dict[str, list[str]]:
    """The fields of a URL-encoded form, each with all its values.

    Raises:
        RequestError: The body is no such form, or too large.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if kind != "application/x-www-form-urlencoded":
        raise RequestError("the body is not a form", found=kind or "no content type", expected="a URL-encoded form")
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > _LARGEST:
            raise RequestError("the form is too large", expected=f"at most {_LARGEST:,} bytes")
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MOST)
    except ValueError:
        raise RequestError("the form has too many fields", expected=f"at most {_MOST}") from None
    return {name: [value.strip() for value in values] for name, values in fields.items()}


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a URL-encoded form, each with its last value; raises what :func:`fields_of` raises."""
    return {name: values[-1] for name, values in (await fields_of(request)).items()}


def sought_of(about: str = "", what: str = "", who: str = "") -> Sought:
    """Which entries of the audit an address asks for."""
    return Sought(about=about or None, what=what or None, who=who or None)


DeskOf = Annotated[Desk, Depends(desk_of)]
FieldsOf = Annotated[dict[str, list[str]], Depends(fields_of)]
FormOf = Annotated[dict[str, str], Depends(form_of)]
SoughtOf = Annotated[Sought, Depends(sought_of)]
