"""What a version costs, beside the champion; and how the rows behind it kept their contracts."""

from __future__ import annotations

import polars as pl
from msgspec.structs import replace

from drivetrain.core.records import Evaluation, Intake, ModelVersion, Run, TableVersion
from drivetrain.data import quarantine
from drivetrain.data.contract import Contract
from drivetrain.data.forgotten import LEFT_OUT
from drivetrain.data.ingest import EXPIRED, KNOWN, REPLACED
from drivetrain.data.source import Source
from drivetrain.evaluate.cost.report import cost_of
from drivetrain.evaluate.cost.timing import BATCH, time_answers
from drivetrain.features.encoding import encode
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.keys import verify_path
from drivetrain.loop.model import Model
from drivetrain.registry.aliases import champion
from drivetrain.registry.load import load_engine
from drivetrain.train.artifacts import open_engine

_NO_BREACH = (KNOWN, REPLACED, EXPIRED, LEFT_OUT)
"""What is counted of rows that broke nothing."""


def costed(project: Definitions, model: Model, evaluation: Evaluation, run: Run, test: pl.DataFrame) -> Evaluation:
    """The evaluation with what the model costs, what its champion does, and how its tables kept their contracts.

    Args:
        project: Whose.
        model: The model.
        evaluation: On ``test``.
        run: What is judged.
        test: Rows that both are asked.
    """
    rows = test.head(BATCH)
    assert run.input_schema is not None, "a finished run has its schema"
    store = project.store
    ours = open_engine(store.blobs, run.artifacts, run.input_schema, trusted=run.model in store.pickles)
    asked = [(ours, encode(rows, run.input_schema))]
    standing, its_run = _standing(project, model, test)
    if standing is not None:
        engine = load_engine(project.store, standing, verify=verify_path(project))
        asked.append((engine, encode(rows, standing.input_schema)))
    timed = time_answers(asked)
    theirs = None
    if standing is not None and its_run is not None:
        theirs = cost_of(its_run, timed[1], of=f"champion v{standing.version}")
    return replace(
        evaluation, cost=cost_of(run, timed[0]), champion_cost=theirs, intakes=tuple(_intakes(project, model))
    )


def _standing(project: Definitions, model: Model, test: pl.DataFrame) -> tuple[ModelVersion | None, Run | None]:
    """The champion and its run, where there is one that reads only what these rows have."""
    standing = champion(project.store, model.name)
    if standing is None or any(name not in test.columns for name in standing.input_schema.names):
        return None, None
    return standing, project.store.catalog.get(Run, standing.run_id)


def _intakes(project: Definitions, model: Model) -> list[Intake]:
    """Of the label's table, then of those that the views read."""
    read = [model.label.source, *(view.source for view in model.views)]
    sources = {source.name: source for source in read if isinstance(source, Source)}
    return [_intake(project, source) for source in sources.values()]


def _intake(project: Definitions, source: Source) -> Intake:
    versions = project.store.catalog.find(TableVersion, source.name)
    rows = versions[0].rows if versions else 0
    breaches = quarantine.summary(project.store.tables, source.name)
    aside = 0
    if breaches:
        aside = project.store.tables.scan(quarantine.table_name(source.name)).select(pl.len()).collect().item()
    warns = source.contract.on_breach == "warn"
    if warns:
        for version in versions:
            for rule, count in version.reasons.items():
                if rule not in _NO_BREACH and ": left out" not in rule:
                    breaches[rule] = breaches.get(rule, 0) + count
        breaches = dict(sorted(breaches.items(), key=lambda item: -item[1]))
    return Intake(
        table=source.name,
        rows=rows + aside,
        broke=max(breaches.values(), default=0) if warns else aside,
        breaches=breaches,
        checked=source.contract.digest != Contract().digest,
        warns=warns,
    )
