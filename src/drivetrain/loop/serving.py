"""From a project to what a serving worker needs, in the server's own process or in somebody else's."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from drivetrain.loop.endpoint import Endpoint
from drivetrain.loop.keys import verify_path
from drivetrain.loop.project import Project
from drivetrain.loop.push import LatePusher
from drivetrain.loop.serving_plan import FOLDER_VARIABLE, plan_of, serve_settings
from drivetrain.registry.load import load_engine
from drivetrain.serve.app import Application
from drivetrain.serve.asgi import AsgiApp
from drivetrain.store.bundle import Store, open_store


def application() -> Application:
    """What one worker runs: the project named by the environment, assembled anew."""
    project = Project.load(os.environ[FOLDER_VARIABLE])
    return _assembled(project, project.endpoints.values(), project.store)


def asgi_app(project: Project | str | Path, endpoint: str | None = None) -> AsgiApp:
    """An endpoint, or all of them, as an ASGI application that another one mounts.

    Every route of the inference server is under the path it is mounted at, with the same log, routing, reload, limits
    and protections. Mounted applications are told nothing of their host's start and end: it opens at the first request,
    unless the host is given its ``lifespan``, and then closes in order too. One process mounts an endpoint once.

    Args:
        project: A loaded project, or its folder.
        endpoint: Which endpoint; all of the project's by default.

    Returns:
        The application; it opens nothing before it is asked.

    Raises:
        ProjectError: The folder's project does not load.
        UnknownName: The project has no such endpoint.

    Example:
        >>> import drivetrain as dt
        >>> from fastapi import FastAPI
        >>> model = dt.asgi_app(dt.Project("flights"))
        >>> app = FastAPI(lifespan=model.lifespan)
        >>> app.mount("/model", model)
    """
    found = project if isinstance(project, Project) else Project.load(project)
    endpoints = list(found.endpoints.values()) if endpoint is None else [found.find_endpoint(endpoint)]
    return AsgiApp(partial(_hosted, found, endpoints))


def _hosted(project: Project, endpoints: Iterable[Endpoint]) -> Application:
    # A store of its own: the application closes it, and whoever loaded the project may go on with theirs.
    store = open_store(project.settings.store, project.folder, pickles=project.settings.models.trust_pickles)
    try:
        return _assembled(project, endpoints, store, hosted=True)
    except BaseException:
        store.close()
        raise


def _assembled(project: Project, endpoints: Iterable[Endpoint], store: Store, *, hosted: bool = False) -> Application:
    plans = [plan_of(endpoint) for endpoint in endpoints]
    pushers = {name: LatePusher(project, name) for name in project.views}
    settings = serve_settings(project)
    load = partial(load_engine, threads=settings.threads, verify=verify_path(project))
    return Application(plans, store, settings, project.log_folder, pushers=pushers, load=load, hosted=hosted)
