"""Applications for the server's tests, by name."""

from __future__ import annotations

import os

from fastapi import FastAPI

from drivetrain.loop.project import Project
from drivetrain.web.app import create_app
from web.seed import SeededDesk


def seeded() -> FastAPI:
    return create_app(SeededDesk())


def empty() -> FastAPI:
    return create_app(SeededDesk(empty=True))


def yard() -> FastAPI:
    return create_app(Project.load(os.environ["YARD"]))


def broken() -> FastAPI:
    raise RuntimeError("broken on purpose")
