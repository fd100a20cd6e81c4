"""Applications for the server's tests, by name."""

from __future__ import annotations

from fastapi import FastAPI

from drivetrain.web.app import create_app
from web.seed import SeededDesk


def seeded() -> FastAPI:
    return create_app(SeededDesk())


def empty() -> FastAPI:
    return create_app(SeededDesk(empty=True))


def broken() -> FastAPI:
    raise RuntimeError("broken on purpose")
