"""``python -m drivetrain.web FOLDER``: serves a project's dashboard until it is told to stop."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from drivetrain.core.errors import DrivetrainError
from drivetrain.loop.project import Project
from drivetrain.web.app import create_app
from drivetrain.web.server import claim, leave, run


def main(arguments: Sequence[str]) -> int:
    """Loads the project and serves it.

    Args:
        arguments: The project folder; the present one where it is left out.

    Returns:
        The process's exit code.
    """
    try:
        project = Project.load(arguments[0] if arguments else ".")
        claim(project.settings.web)
        run(create_app(project), project.settings.web, ready=_say)
    except DrivetrainError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


def _say(address: str) -> None:
    sys.stderr.write(f"dashboard at {address}\n")


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
