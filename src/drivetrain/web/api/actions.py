"""The changes a program may ask for."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Request, Response

from drivetrain.core.errors import RequestError
from drivetrain.web import changes
from drivetrain.web.answering import answer
from drivetrain.web.asking import DeskOf
from drivetrain.web.pages.models import aliases
from drivetrain.web.security import same_origin

router = APIRouter(prefix="/api/v1", tags=["changes"], dependencies=[Depends(same_origin)])


async def change_of(request: Request) -> changes.Change:
    """The change a JSON body states.

    Raises:
        RequestError: The body is not JSON, or a field is missing, unknown or of the wrong type.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if kind != "application/json":
        raise RequestError("the body is not JSON", found=kind or "no content type", expected="application/json")
    try:
        return msgspec.json.decode(await request.body(), type=changes.Change)
    except msgspec.ValidationError as error:
        raise RequestError(
            f"the change can't be read: {error}", expected='such as {"version": 2, "because": "…"}'
        ) from None
    except msgspec.DecodeError as error:
        raise RequestError(f"the body is not JSON: {error}") from None


ChangeOf = Annotated[changes.Change, Depends(change_of)]


@router.post("/models/{name}/promote")
def promote(desk: DeskOf, name: str, change: ChangeOf) -> Response:
    """Makes a version champion; refused where its gates did not pass."""
    changes.promote(desk, name, change)
    return answer({"model": name, "aliases": aliases(desk, name)})


@router.post("/models/{name}/rollback")
def rollback(desk: DeskOf, name: str, change: ChangeOf) -> Response:
    """Makes the previous champion champion again."""
    changes.rollback(desk, name, change)
    return answer({"model": name, "aliases": aliases(desk, name)})
