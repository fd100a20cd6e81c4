"""JSON at ``/api/v1``: what the pages show, for programs."""

from drivetrain.web.api import actions, alerts, catalog, data, project

routers = (project.router, alerts.router, catalog.router, data.router, actions.router)
