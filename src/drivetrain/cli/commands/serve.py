"""Start the inference server; SIGTERM lets requests in flight finish."""

from __future__ import annotations

from drivetrain.cli.door import err, plain_errors
from drivetrain.cli.options import HERE, Json, ProjectFolder
from drivetrain.loop.project import Project


def command(*, project: ProjectFolder = HERE, json: Json = False) -> None:
    """Blocks until stopped."""
    with plain_errors(as_json=json):
        loaded = Project.load(project)
        scheme = "https" if loaded.settings.serve.tls_certificate else "http"
        address = f"{scheme}://{loaded.settings.serve.host}:{loaded.settings.serve.port}"
        err.print(f"serving {', '.join(loaded.endpoints)} at {address} (stop with Ctrl-C)")
        loaded.serve()
