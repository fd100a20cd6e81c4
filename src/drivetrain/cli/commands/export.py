"""Bring a version elsewhere: one file for another project, a folder that MLflow loads, or an MLflow server.

A file has records, artifacts, card, reference profile and lineage, each with its digest; it is sealed where
registry.signing_key is set. Another project takes it in with: drivetrain import FILE --because …
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from drivetrain.cli.door import out, plain_errors, show_json
from drivetrain.cli.options import HERE, Json, ProjectFolder
from drivetrain.core.errors import UsageError
from drivetrain.loop.mlflow.outward import Told
from drivetrain.loop.project import Project


def command(
    version: Annotated[str, typer.Argument(help="Which version: late@3, or 3.")],
    *,
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="The file; replaced if it is there.")] = None,
    mlmodel: Annotated[Path | None, typer.Option(metavar="FOLDER", help="A new folder in MLflow's layout.")] = None,
    mlflow: Annotated[str | None, typer.Option(metavar="URL", help="An MLflow server: http://HOST:5000.")] = None,
    experiment: Annotated[str | None, typer.Option(help="Experiment there; the project's name by default.")] = None,
    alias: Annotated[list[str] | None, typer.Option(help="Points at it there; once for each.")] = None,
    model: Annotated[str | None, typer.Option(help="Which model, where the name does not say.")] = None,
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """A file is there whole, or not at all; cut off on the way to a server, the same command does the rest."""
    with plain_errors(as_json=json):
        if sum(place is not None for place in (output, mlmodel, mlflow)) != 1:
            raise UsageError("where to is not said", expected="one of --output, --mlmodel and --mlflow")
        if mlflow is None and (experiment or alias):
            raise UsageError("--experiment and --alias are for --mlflow")
        versions = Project.load(project).versions
        if mlflow is not None:
            told = versions.to_mlflow(version, mlflow, model=model, experiment=experiment, aliases=alias or ())
            _show(told, _of_server(told) if not json else "", as_json=json)
        elif mlmodel is not None:
            laid = versions.mlmodel(version, mlmodel, model=model)
            about = {"folder": str(mlmodel), "flavours": laid.flavours, "files": sorted(laid.files), "note": laid.note}
            _show(about, f"{mlmodel}: {', '.join(laid.flavours)}. {laid.note}".rstrip(), as_json=json)
        elif output is not None:
            done = versions.export(version, output, model=model)
            seal = f"sealed with key {done.sealed}" if done.sealed else "not sealed"
            words = f"{done.model} v{done.version}: {done.file}, {done.blobs} blobs, {done.size:,} bytes, {seal}."
            _show(done, words, as_json=json)


def _of_server(told: Told) -> str:
    words = f"{told.model} v{told.version}: run {told.run_id} of experiment {told.experiment}"
    if told.number:
        words += f", registered as version {told.number}" + "".join(f", {alias}" for alias in told.aliases)
    there = " It was there already." if told.there else ""
    return f"{words}.{there} {told.note}".rstrip()


def _show(done: object, words: str, *, as_json: bool) -> None:
    if as_json:
        show_json(done)
    else:
        out.print(words, markup=False)
