"""Ask the running endpoint. Instances are JSON: one object, a list of them, or @FILE."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from drivetrain.cli.door import out, plain_errors, show_json
from drivetrain.cli.options import HERE, Json, ProjectFolder
from drivetrain.core.errors import UsageError
from drivetrain.loop.project import Project


def command(
    instances: Annotated[str, typer.Argument(metavar="JSON", help="An object, a list of objects, or @FILE.")],
    *,
    endpoint: Annotated[str | None, typer.Option(help="Which endpoint; not needed where there is one.")] = None,
    at: Annotated[str | None, typer.Option(help="As of this moment (ISO 8601), where the server allows it.")] = None,
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """Sends one request to the inference server."""
    with plain_errors(as_json=json):
        rows = _read(instances)
        answer = Project.load(project).predict(endpoint, rows, at=at)
        if json:
            show_json(answer)
            return
        for value in answer["predictions"]:
            out.print(f"{value}")
        out.print(f"[dim]version {answer['model_version']}, request {answer['request_id']}[/]")


def _read(text: str) -> list[dict[str, object]]:
    if text.startswith("@"):
        path = Path(text[1:])
        if not path.is_file():
            raise UsageError(f"there is no file {path}")
        text = path.read_text("utf-8")
    try:
        return msgspec.json.decode(text if text.lstrip().startswith("[") else f"[{text}]", type=list[dict[str, object]])
    except msgspec.DecodeError as error:
        raise UsageError(f"the instances are not JSON objects: {error}") from None
