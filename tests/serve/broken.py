"""A project that does not load."""

from __future__ import annotations

from drivetrain.core.errors import ProjectError


def application(_: str) -> None:
    raise ProjectError("this project does not load", do="Mend it")
