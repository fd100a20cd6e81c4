"""Make, list and revoke the tokens that the inference server takes where serve.tokens is "on"."""

from __future__ import annotations

from typing import Annotated

import typer

from drivetrain.cli.door import err, out, plain_errors, show_json
from drivetrain.cli.options import HERE, Json, ProjectFolder
from drivetrain.loop.project import Project
from drivetrain.loop.tokens import TokenInfo

command = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(help="Who or what the token is for.")]


@command.callback()
def _all() -> None:
    """Make, list and revoke the tokens that the inference server takes where serve.tokens is "on".

    Each takes --project DIR and --json.
    """


@command.command()
def create(
    name: Name,
    *,
    scope: Annotated[
        list[str], typer.Option(metavar="SCOPE", help="predict, feedback, push, read or metrics; once for each.")
    ],
    endpoint: Annotated[
        list[str] | None, typer.Option(metavar="ENDPOINT", help="The only endpoint it is for; once for each.")
    ] = None,
    expires: Annotated[str | None, typer.Option(metavar="DURATION", help="After how long it ends: 90d.")] = None,
    rate: Annotated[str, typer.Option(metavar="RATE", help="Requests taken with it: 100/s.")] = "",
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """Make a token. It is shown once; running servers take it within a second."""
    with plain_errors(as_json=json):
        made = Project.load(project).tokens.create(name, scope, endpoints=endpoint or (), expires=expires, rate=rate)
        if json:
            show_json(made)
            return
        err.print("[dim]Shown this once and kept nowhere; callers send it as: Authorization: Bearer …[/]")
        out.print(made.token, markup=False)


@command.command("list")
def every(*, project: ProjectFolder = HERE, json: Json = False) -> None:
    """Show every token there is or was, newest first."""
    with plain_errors(as_json=json):
        found = Project.load(project).tokens.list()
        if json:
            show_json(found)
            return
        for token in found:
            out.print(_line(token), style="" if token.state == "good" else "dim", markup=False)
        if not found:
            out.print("No token was made yet. Make one: drivetrain token create NAME --scope predict")


@command.command()
def revoke(name: Name, *, project: ProjectFolder = HERE, json: Json = False) -> None:
    """End a token; running servers refuse it within a second."""
    with plain_errors(as_json=json):
        ended = Project.load(project).tokens.revoke(name)
        if json:
            show_json(ended)
        else:
            out.print(f"{ended.name} ({ended.id}) is revoked", markup=False)


def _line(token: TokenInfo) -> str:
    facts = [
        f"{token.name} ({token.id}): {token.state}",
        f"for {', '.join(token.scopes)}",
        *([f"on {', '.join(token.endpoints)}"] if token.endpoints else []),
        *([f"at most {token.rate:g}/s"] if token.rate else []),
        *([f"until {token.expires}"] if token.expires else []),
        *([f"revoked {token.revoked}"] if token.revoked else []),
    ]
    return " · ".join(facts)
