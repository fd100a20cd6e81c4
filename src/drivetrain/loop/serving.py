"""From a project to what a serving worker needs."""

from __future__ import annotations

import os

from drivetrain.core.settings import ServeSettings
from drivetrain.loop.project import Project
from drivetrain.loop.push import pusher_of
from drivetrain.loop.serving_plan import FOLDER_VARIABLE, plan_of, serve_settings
from drivetrain.serve.app import Application


def application() -> Application:
    """What one worker runs: the project named by the environment, assembled anew."""
    project = Project.load(os.environ[FOLDER_VARIABLE])
    settings: ServeSettings = serve_settings(project)
    plans = [plan_of(endpoint) for endpoint in project.endpoints.values()]
    pushers = {name: pusher_of(project, name) for name in project.views}
    return Application(plans, project.store, settings, project.log_folder, pushers=pushers)
