"""``/api/2.0/mlflow-artifacts/…``: files up and down, and what a folder holds."""

from __future__ import annotations

from tempfile import SpooledTemporaryFile
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse

from drivetrain.registry.tracking import files, runs
from drivetrain.registry.tracking.experiments import LOCATION
from drivetrain.web.answering import answer
from drivetrain.web.asking import DeskOf
from drivetrain.web.desk import Desk
from drivetrain.web.mlflow.route import Route
from drivetrain.web.mlflow.runs import ById
from drivetrain.web.mlflow.shapes import Shape
from drivetrain.web.security import CARD_POLICY, same_origin

router = APIRouter(include_in_schema=False)

_PREFIX = "/api/2.0/mlflow-artifacts/artifacts"
_IN_MEMORY = 4 * 1024 * 1024
_HEADERS = {"Content-Security-Policy": CARD_POLICY, "Content-Disposition": "attachment"}
"""A file that was logged is nobody's page: it is downloaded, never shown as one of ours."""


@router.get(_PREFIX)
def listed(desk: DeskOf, path: Annotated[str, Query()] = "") -> Response:
    """What a folder holds; paths are its own."""
    root, folder = files.parted(path)
    return answer({"files": _lines(files.listing(desk.store, root, folder), "")})


@router.put(_PREFIX + "/{path:path}", dependencies=[Depends(same_origin)])
async def put(request: Request, desk: DeskOf, path: str) -> Response:
    """Keeps a file."""
    root, name = files.parted(path)
    with SpooledTemporaryFile(max_size=_IN_MEMORY) as kept:
        async for piece in request.stream():
            kept.write(piece)
        kept.seek(0)
        await run_in_threadpool(files.keep, desk.store, root, name, kept)
    return answer({})


@router.get(_PREFIX + "/{path:path}")
def get(desk: DeskOf, path: str) -> Response:
    """A file, checked against its digest."""
    root, name = files.parted(path)
    found = files.find(desk.store, root, name)
    return FileResponse(
        desk.store.blobs.path(found.digest), media_type="application/octet-stream", headers=dict(_HEADERS)
    )


@router.delete(_PREFIX + "/{path:path}", dependencies=[Depends(same_origin)])
def delete(desk: DeskOf, path: str) -> Response:
    """Takes a file or a folder out of the listing."""
    root, name = files.parted(path)
    files.delete(desk.store, root, name)
    return answer({})


class Listing(ById):
    """Which folder of a run's files."""

    path: str = ""


def of_run(desk: Desk, asked: Listing) -> Shape:
    """What a folder of a run's files holds."""
    address = runs.artifact_uri(desk.store, runs.find(desk.store, asked.id))
    folder = files.checked(asked.path, empty=True)
    found: list[files.Entry] = []
    if address.startswith(LOCATION):
        root, _ = files.parted(address.removeprefix(LOCATION))
        found = files.listing(desk.store, root, folder)
    return {"root_uri": address, "files": _lines(found, folder)}


def _lines(found: list[files.Entry], folder: str) -> list[Shape]:
    return [
        {"path": f"{folder}/{one.path}".lstrip("/"), "is_dir": one.is_dir}
        | ({} if one.is_dir else {"file_size": one.size})
        for one in found
    ]


ROUTES = (Route("GET", "artifacts/list", Listing, of_run),)
