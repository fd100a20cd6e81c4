"""The dashboard's pages, one file a subject."""

from drivetrain.web.pages import (
    alerts,
    data,
    endpoints,
    features,
    models,
    monitoring,
    overview,
    predictions,
    steps,
    timeline,
)

routers = tuple(
    module.router
    for module in (
        overview,
        monitoring,
        endpoints,
        models,
        features,
        data,
        alerts,
        timeline,
        predictions,
        steps,
    )
)
