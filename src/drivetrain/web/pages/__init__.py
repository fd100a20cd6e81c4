"""The dashboard's pages, one file a subject."""

from drivetrain.web.pages import (
    alerts,
    audit,
    bias,
    data,
    endpoints,
    experiments,
    features,
    models,
    monitoring,
    overview,
    predictions,
    privacy,
    quarantine,
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
        experiments,
        bias,
        features,
        data,
        quarantine,
        privacy,
        audit,
        alerts,
        timeline,
        predictions,
        steps,
    )
)
