"""Show how tables, versions, endpoints and alerts stand."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from drivetrain.cli.door import out, plain_errors, show_json
from drivetrain.cli.monitored import show_alerts, show_course
from drivetrain.cli.options import HERE, Json, ProjectFolder
from drivetrain.loop.project import Project


def command(*, project: ProjectFolder = HERE, json: Json = False) -> None:
    """Reads the catalog; changes nothing."""
    with plain_errors(as_json=json):
        status = Project.load(project).status()
        if json:
            show_json(status)
            return
        out.print(f"[bold]{status['project']}[/]  {status['objective']}\n")
        tables = Table(title="tables", title_justify="left", box=None, padding=(0, 2))
        for heading in ("table", "version", "rows", "quarantined", "last event"):
            tables.add_column(heading, justify="right" if heading in {"rows", "quarantined", "version"} else "left")
        for row in status["tables"]:
            tables.add_row(
                row["table"], str(row["version"]), f"{row['rows']:,}", f"{row['quarantined']:,}", row["last_event"]
            )
        out.print(tables)
        for row in status["tables"]:
            if "stale" in row:
                out.print(f"  [yellow]{escape(row['table'])} is not fresh[/]: {escape(row['stale'])}")
        for watch in status["watched"]:
            window = f"{watch['window']}: " if watch["window"] else ""
            out.print(f"\n[bold]watched {escape(watch['watched'])}[/]  {window}{escape(watch['words'])}")
            for note in watch["notes"]:
                out.print(f"  {escape(note)}")
        for endpoint in status["endpoints"]:
            out.print(f"\n[bold]endpoint {endpoint['endpoint']}[/]  {endpoint['words']}")
            for line in endpoint["lines"]:
                out.print(f"  {line}")
            show_course(endpoint["metric"], endpoint["windows"])
        show_alerts(status)
        for decision in status["decisions"]:
            out.print(f"  [dim]{decision['at']}[/] {decision['what']}: {decision['because']}")
