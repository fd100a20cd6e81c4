"""Take in a version that another project exported, under its own number; or a run or version of an MLflow server.

Of a file, every digest is checked, and seal and signature where registry.verify_key is set. Nothing is overwritten, no
alias is moved; what is there already is left as it is. With --mlflow, a version is registered under the next number,
and drivetrain mlflow judge puts it to the gates.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from drivetrain.cli.door import out, plain_errors, show_json
from drivetrain.cli.options import HERE, Json, ProjectFolder
from drivetrain.core.errors import UsageError
from drivetrain.loop.mlflow.inward import Taken
from drivetrain.loop.project import Project


def command(
    what: Annotated[
        str, typer.Argument(metavar="FILE", help="What drivetrain export wrote; with --mlflow RUN, or models:/NAME/3.")
    ],
    *,
    because: Annotated[str, typer.Option(help="The reason, kept in the timeline.")],
    mlflow: Annotated[str | None, typer.Option(metavar="URL", help="An MLflow server: http://HOST:5000.")] = None,
    model: Annotated[str | None, typer.Option(help="Its name here, with --mlflow; as there by default.")] = None,
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """Ends with 1 where it is refused."""
    with plain_errors(as_json=json):
        versions = Project.load(project).versions
        if mlflow is not None:
            taken = versions.from_mlflow(what, mlflow, because=because, model=model)
            if json:
                show_json(taken)
            else:
                out.print(_of_server(taken), markup=False)
            return
        if model is not None:
            raise UsageError("--model is for --mlflow: a file says whose version it holds")
        done = versions.take(Path(what), because=because)
        if json:
            show_json(done)
        elif done.there:
            out.print(f"{done.model} v{done.version} is there already; nothing was done.", markup=False)
        else:
            out.print(
                f"{done.model} v{done.version} of project {done.project} was taken in. To let it answer: "
                f"drivetrain promote {done.version} --because …",
                markup=False,
            )


def _of_server(taken: Taken) -> str:
    words = f"Run {taken.run_id} of experiment {taken.experiment}"
    words += " is there already." if taken.there else f" was taken in: {taken.points:,} points, {taken.files} files."
    if not taken.version:
        return words
    named = f"{taken.model} v{taken.version}"
    if taken.why_not:
        return f"{words} {named} can't be served: {taken.why_not}."
    return f"{words} {named} could be served by {taken.servable}: drivetrain mlflow judge {taken.model} {taken.version}"
