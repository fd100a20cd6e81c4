"""Show what MLflow clients logged, and put what they registered to the gates."""

from __future__ import annotations

from typing import Annotated

import typer

from drivetrain.cli.door import out, plain_errors, show_json
from drivetrain.cli.lines import listed, wrapped
from drivetrain.cli.options import HERE, Json, ProjectFolder
from drivetrain.loop.project import Project
from drivetrain.loop.tracking import RunInfo

command = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@command.callback()
def _all() -> None:
    """Show what MLflow clients logged, and put what they registered to the gates.

    Clients find the project at the dashboard's address: MLFLOW_TRACKING_URI=http://127.0.0.1:8700. Each takes
    --project DIR and --json.
    """


@command.command()
def experiments(*, project: ProjectFolder = HERE, json: Json = False) -> None:
    """Show every experiment, newest first."""
    with plain_errors(as_json=json):
        found = Project.load(project).tracking.experiments()
        if json:
            show_json(found)
            return
        for one in found:
            out.print(one.name, style="bold", markup=False)
            listed([f"id {one.experiment_id}", f"files at {one.location}"], indent=2)


@command.command()
def runs(
    experiment: Annotated[str | None, typer.Argument(help="The experiment's name; all by default.")] = None,
    *,
    filter: Annotated[str, typer.Option(help="Such as: metrics.auc > 0.8 and params.depth = '3'")] = "",
    order: Annotated[list[str] | None, typer.Option(help="Such as: metrics.auc DESC; once for each.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 20,
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """Show runs, newest first, with what they said of themselves."""
    with plain_errors(as_json=json):
        found = Project.load(project).tracking.runs(experiment, filter=filter, order_by=order or (), limit=limit)
        if json:
            show_json(found)
            return
        for one in found:
            _show(one)
        if not found:
            out.print("No run is there.")


@command.command()
def versions(
    model: Annotated[str | None, typer.Argument(help="Of which model; all by default.")] = None,
    *,
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """Show registered versions, and whether each could be served."""
    with plain_errors(as_json=json):
        found = Project.load(project).tracking.versions(model)
        if json:
            show_json(found)
            return
        for one in found:
            out.print(f"{one.model} v{one.version}", style="bold", markup=False)
            wrapped(f"can't be served: {one.unservable}" if one.unservable else f"served by {one.engine}", indent=2)


@command.command()
def judge(
    model: Annotated[str, typer.Argument(help="The declared model under whose name it was registered.")],
    version: Annotated[int, typer.Argument(help="Its number.")],
    *,
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """Put a version that a client registered to the model's gates; refused, it exits 1."""
    with plain_errors(as_json=json):
        judged = Project.load(project).tracking.judge(model, version)
        if json:
            show_json(judged)
        else:
            for outcome in judged.gates.outcomes:
                wrapped(f"{'✓' if outcome.passed else '✗'} {outcome.reason}")
            last = f"drivetrain promote {version} --model {model} --because …" if judged.gates.passed else "refused"
            out.print(f"{judged.key}: {last}", markup=False)
        if not judged.gates.passed:
            raise SystemExit(1)


def _show(one: RunInfo) -> None:
    out.print(f"{one.name}  {one.status}", style="bold", markup=False)
    listed([one.experiment, one.started, one.run_id, *([one.user] if one.user else [])], indent=2)
    for title, said in (("parameters", one.parameters), ("metrics", {k: f"{v:.6g}" for k, v in one.metrics.items()})):
        if said:
            wrapped(f"{title}: " + ", ".join(f"{name} {value}" for name, value in said.items()), indent=2, hang=2)
