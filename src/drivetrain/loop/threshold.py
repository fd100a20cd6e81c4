"""From which prediction on answers are acted on: one place for whatever a window tells by it."""

from __future__ import annotations

from drivetrain.core.records import FairnessReport, ModelVersion, Run
from drivetrain.loop.definitions import Definitions
from drivetrain.monitor.estimate.keeping import load_kept


def threshold_of(project: Definitions, version: ModelVersion) -> float:
    """From which prediction on a version's answers are acted on: as its evaluation had it, else from one half.

    Args:
        project: Where its records are.
        version: Which version.
    """
    store = project.store
    run = store.catalog.get(Run, version.run_id)
    if run is not None and run.decided is not None and run.decided.threshold is not None:
        return run.decided.threshold.value
    fair = store.catalog.get(FairnessReport, version.run_id)
    if fair is not None:
        return fair.threshold
    kept = load_kept(store.blobs.get(version.reference)) if version.reference else None
    return 0.5 if kept is None else kept.threshold
