"""``drivetrain``: finds the command and loads only what it needs."""

from __future__ import annotations

import importlib
import sys
from keyword import iskeyword
from typing import Annotated

import typer

from drivetrain import __version__

COMMANDS = {
    "init": "Start a project in a folder.",
    "adopt": "Draft a project around a notebook, a script or a model file.",
    "plan": "Say what is out of date, and why.",
    "run": "Bring everything up to date: ingest, features, train, judge, release.",
    "up": "Start the endpoint, the watch and the dashboard together.",
    "serve": "Start the inference server.",
    "watch": "Run schedules and monitors until stopped.",
    "web": "Start the dashboard and control API.",
    "status": "Show tables, versions, endpoints and alerts.",
    "report": "Report on an endpoint over a time, as one page or as JSON.",
    "silence": "Tell nobody of a rule for a time; then tell what is still open.",
    "acknowledge": "Say that you have seen an alert.",
    "resolve": "End an alert by hand, or say whether it was useful.",
    "data": "Show what a table version holds, column by column, and what moved since another.",
    "bias": "Show what a training set says of protected groups: shares, label rates, nulls.",
    "fairness": "Show for whom a model's answers are worse: rates by protected group, with intervals.",
    "contract": "Draft a contract from data, check rows against one, export it.",
    "features": "Show every feature: what it is, whose, how fresh, and its values at a glance.",
    "predict": "Ask the running endpoint, or score a file.",
    "trace": "Show the chain behind a prediction.",
    "skew": "Recompute logged features offline; say what differs, and why.",
    "lineage": "Show what a version was made of, and what came of it.",
    "diff": "Compare two versions: what went in, how good they are, whom they answer otherwise, and why.",
    "reproduce": "Make a version again from its record, and say what is the same.",
    "export": "Write a version as one file.",
    "import": "Take in a version that another project exported.",
    "approve": "Give the approval that a version waits for.",
    "promote": "Make a version the champion.",
    "route": "Say who answers requests: the champion, a canary, a split, a bandit.",
    "rollback": "Bring the last champion back.",
    "replay": "Play declared traffic against the endpoint in compressed time.",
    "quarantine": "Show the rows that contracts have set aside; bring them back, or drop them.",
    "mlflow": "Show what MLflow clients logged, and put what they registered to the gates.",
    "token": "Make, list and revoke the inference server's tokens.",
    "key": "Make keys that sign model versions, and sign versions of before.",
    "forget": "Erase one subject everywhere, and prove it.",
    "privacy": "Look for personal data; say what there is, where, why and how long.",
    "clean": "Remove the artifacts of old versions, as the project's bounds say.",
    "audit": "Show who did what, when, to what.",
    "doctor": "Check what the project stands on.",
}


def main() -> None:
    """Entry point of the ``drivetrain`` command."""
    app = typer.Typer(
        name="drivetrain",
        help="Own a model's production life: from raw rows to a monitored endpoint that retrains itself.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_options)
    wanted = next((word for word in sys.argv[1:] if not word.startswith("-")), None)
    for name, summary in COMMANDS.items():
        if name == wanted:
            module = importlib.import_module(f"drivetrain.cli.commands.{name}{'_' if iskeyword(name) else ''}")
            if isinstance(module.command, typer.Typer):
                app.add_typer(module.command, name=name)
            else:
                app.command(name, help=module.__doc__)(module.command)
        else:
            app.command(name, help=summary)(_elsewhere)
    app()


def _show_version(asked: bool) -> None:  # noqa: FBT001 - Typer passes an option's value so
    if asked:
        typer.echo(__version__)
        raise typer.Exit


def _options(
    *,
    _version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_show_version, help="Print the version and stop."),
    ] = False,
) -> None:
    """Options of the program itself."""


def _elsewhere() -> None:
    """Stands in the help for a command that is loaded only when it is called."""
