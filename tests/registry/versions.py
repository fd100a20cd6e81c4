"""Runs and reports to register, without training."""

from __future__ import annotations

import msgspec

from drivetrain.core.records import Artifact, Field, GateOutcome, GateReport, InputSchema, ModelVersion, Run
from drivetrain.registry.register import register
from drivetrain.store.bundle import Store
from drivetrain.train.rate import RateTable

SCHEMA = InputSchema((Field("carrier", "category", ("AA", "UA")),))
TABLE = RateTable(by=("carrier",), smoothing=0.0, overall=0.25, groups=((("AA",), 0.1), (("UA",), 0.4)))

PASSED = GateReport((GateOutcome("at least", True, 0.5, 0.4, "average precision .50 is at least .40"),), at=1)
REFUSED = GateReport(
    (
        GateOutcome("at least", True, 0.5, 0.4, "average precision .50 is at least .40"),
        GateOutcome("beats", False, 0.5, 0.6, "average precision .50 is below the champion's .60"),
    ),
    at=1,
)


def finished_run(store: Store, run_id: str, model: str = "late") -> Run:
    data = msgspec.json.encode(TABLE)
    run = Run(
        run_id=run_id, model=model, trainer="historical_rate", status="done", code="c" * 32, environment="e" * 32,
        input_schema=SCHEMA, artifacts=(Artifact("rates.json", "json", store.blobs.put(data), len(data)),),
    )  # fmt: skip
    store.catalog.commit(run)
    return run


def registered(store: Store, run_id: str, gates: GateReport = PASSED, model: str = "late") -> ModelVersion:
    return register(
        store, finished_run(store, run_id, model), gates=gates, card=b"<html>", reference=b"profile",
        features={"plane": "d" * 32}, training_set="table:training/late@3",
    )  # fmt: skip
