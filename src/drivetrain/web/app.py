"""The control application: pages at ``/``, JSON at ``/api/v1``, MLflow's REST at ``/api/2.0/mlflow``."""

from __future__ import annotations

from fastapi import Depends, FastAPI
from starlette.staticfiles import StaticFiles

from drivetrain.web import errors, security
from drivetrain.web.api import routers as api_routers
from drivetrain.web.desk import Desk
from drivetrain.web.mlflow import artifacts, door
from drivetrain.web.pages import routers as page_routers
from drivetrain.web.rendering import STATIC


def create_app(desk: Desk) -> FastAPI:
    """The dashboard and control API of one project.

    Args:
        desk: The project, as :class:`~drivetrain.web.desk.Desk` describes it.

    Returns:
        An ASGI application; it opens nothing itself and closes nothing.
    """
    app = FastAPI(
        title=f"drivetrain: {desk.name}",
        description=desk.objective,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        dependencies=[Depends(security.local_host)],
    )
    app.state.desk = desk
    app.middleware("http")(security.headers)
    errors.handle(app)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    for router in (*api_routers, *page_routers, artifacts.router, door.router):
        app.include_router(router)
    return app
