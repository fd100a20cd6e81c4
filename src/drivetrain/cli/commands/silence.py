"""Tell nobody of a rule for a time. It ends by itself, and then what is still open is told.

Alerts open and end as ever meanwhile, and what follows from them, such as retraining, does too. With --end, a silence
ends now.
"""

from __future__ import annotations

from typing import Annotated

import typer

from drivetrain.cli.door import out, plain_errors, show_json
from drivetrain.cli.options import HERE, Json, ProjectFolder
from drivetrain.core.clock import iso
from drivetrain.core.errors import UsageError
from drivetrain.loop.project import Project


def command(
    rule: Annotated[
        str | None, typer.Argument(help="A rule, or a family of rules: drift. With --end, the silence's id or rule.")
    ] = None,
    *,
    lasting: Annotated[str, typer.Option("--for", metavar="DURATION", help="For how long: 2h.")] = "",
    because: Annotated[str, typer.Option(help="The reason, kept in the timeline.")] = "",
    endpoint: Annotated[str | None, typer.Option(help="Only on this endpoint.")] = None,
    end: Annotated[bool, typer.Option("--end", help="End it now.")] = False,
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """Without a rule, lists the silences that hold."""
    with plain_errors(as_json=json):
        alerts = Project.load(project).alerts
        if rule is None:
            found = alerts.silences()
            if json:
                show_json(found)
            for one in [] if json else found:
                where = f" on {one.endpoint}" if one.endpoint else ""
                out.print(f"{one.id}  {one.rule}{where} until {iso(one.until)[:19]}Z: {one.because}", markup=False)
            if not found and not json:
                out.print("Nothing is silenced.")
            return
        if end:
            ids = [one.id for one in alerts.silences() if one.rule == rule and endpoint in {None, one.endpoint}]
            ended = alerts.unsilence(ids[0] if len(ids) == 1 else rule, because=because or "it is over")
            if json:
                show_json(ended)
            else:
                out.print(f"The silence of {ended.rule} is over.", markup=False)
            return
        if not lasting:
            raise UsageError("a silence lasts for some time", do="Say how long: --for 2h")
        made = alerts.silence(rule, lasting, because=because, endpoint=endpoint)
        if json:
            show_json(made)
        else:
            where = f" on {made.endpoint}" if made.endpoint else ""
            out.print(f"Nobody is told of {made.rule}{where} until {iso(made.until)[:19]}Z.", markup=False)
