"""JSON at ``/api/v1``: what the pages show, for programs."""

from drivetrain.web.api import actions, catalog, project

routers = (project.router, catalog.router, actions.router)
