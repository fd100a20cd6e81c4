"""The dashboard's pages, one file a subject."""

from drivetrain.web.pages import (
    alerts,
    audit,
    bias,
    data,
    endpoints,
    experiments,
    features,
    metrics,
    models,
    monitoring,
    overview,
    predictions,
    privacy,
    quarantine,
    report,
    steps,
    timeline,
)

routers = tuple(
    module.router
    for module in (
        overview,
        report,
        metrics,
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
