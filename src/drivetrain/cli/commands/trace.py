"""Show the chain behind a prediction: request, features and their age, version, training set, tables, code, label."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.tree import Tree

from drivetrain.cli.door import out, plain_errors, show_json
from drivetrain.cli.options import HERE, Json, ProjectFolder
from drivetrain.loop.project import Project


def command(
    prediction: Annotated[
        str, typer.Argument(metavar="PREDICTION_ID", help="The request_id of an answer; ID/ROW for one instance of it.")
    ],
    *,
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """Follows one prediction back to raw rows, and on to its label."""
    with plain_errors(as_json=json):
        chain = Project.load(project).trace(prediction)
        if json:
            show_json(chain)
            return
        tree = Tree(f"[bold]prediction {prediction}[/]")
        for part, content in chain.items():
            branch = tree.add(f"[bold]{part}[/]")
            if isinstance(content, dict):
                for name, value in content.items():
                    branch.add(f"{name}: {value}".replace("[", r"\["))
            else:
                branch.add(str(content).replace("[", r"\["))
        out.print(tree)
