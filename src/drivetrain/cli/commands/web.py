"""Start the dashboard and the control API."""

from __future__ import annotations

import os
import sys

from drivetrain.cli.door import plain_errors
from drivetrain.cli.options import HERE, Json, ProjectFolder


def command(*, project: ProjectFolder = HERE, json: Json = False) -> None:
    """Hands the process over to the other door; blocks until stopped."""
    with plain_errors(as_json=json):
        sys.stdout.flush()
        sys.stderr.flush()
        os.execv(sys.executable, [sys.executable, "-m", "drivetrain.web", str(project.resolve())])  # noqa: S606 - our own module
