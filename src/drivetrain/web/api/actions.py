"""The changes a program may ask for."""

from __future__ import annotations

from typing import Annotated, TypeVar

import msgspec
from fastapi import APIRouter, Depends, Request, Response

from drivetrain.core.errors import RequestError
from drivetrain.web import changes
from drivetrain.web.answering import answer
from drivetrain.web.asking import DeskOf
from drivetrain.web.pages.models import aliases
from drivetrain.web.security import same_origin

T = TypeVar("T")

router = APIRouter(prefix="/api/v1", tags=["changes"], dependencies=[Depends(same_origin)])


async def json_of(request: Request, kind: type[T], example: str) -> T:
    """What a JSON body states.

    Raises:
        RequestError: The body is not JSON, or a field is missing, unknown or of the wrong type.
    """
    given = request.headers.get("content-type", "").partition(";")[0].strip()
    if given != "application/json":
        raise RequestError("the body is not JSON", found=given or "no content type", expected="application/json")
    try:
        return msgspec.json.decode(await request.body(), type=kind)
    except msgspec.ValidationError as error:
        raise RequestError(f"what is asked for can't be read: {error}", expected=example) from None
    except msgspec.DecodeError as error:
        raise RequestError(f"the body is not JSON: {error}") from None


async def change_of(request: Request) -> changes.Change:
    """The change a JSON body states; raises what :func:`json_of` raises."""
    return await json_of(request, changes.Change, 'such as {"version": 2, "because": "…"}')


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
