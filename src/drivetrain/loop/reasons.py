"""Which features moved the answers of a window: explained by the version itself, a few hundred rows at most."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl
from msgspec.structs import replace

from drivetrain.core.clock import DAY
from drivetrain.core.errors import DrivetrainError
from drivetrain.core.hashing import digest
from drivetrain.core.protocols import Engine
from drivetrain.core.records import AttributionSeen, InputSchema, ModelVersion, MonitorReport
from drivetrain.evaluate.ranking import Floats
from drivetrain.features.encoding import encode
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.evaluated import evaluated_rows
from drivetrain.loop.grouping import Window
from drivetrain.loop.keys import verify_path
from drivetrain.loop.serving_plan import plan_of
from drivetrain.monitor.attribution.judging import judge_attribution
from drivetrain.monitor.attribution.shift import FEWEST_DAYS, compare_reasons, shares_of, strengths, threshold_of
from drivetrain.monitor.attribution.spec import Attribution
from drivetrain.monitor.spec import Monitor
from drivetrain.monitor.window import Assessment
from drivetrain.registry.load import load_engine

_TIMES = 3
"""Rows of the evaluation that are explained for each of a window."""
_RECENT = 60


def with_attribution(project: Definitions, monitor: Monitor, assessment: Assessment, window: Window) -> Assessment:
    """An assessment with what moved the answers, and whether that is another than on the evaluation.

    Args:
        project: Whose endpoint it is.
        monitor: What is watched.
        assessment: The window so far.
        window: Its answers.
    """
    asked = monitor.attribution
    if asked is None:
        return assessment
    try:
        seen = _seen(project, monitor, asked, window)
    except DrivetrainError as error:
        seen = AttributionSeen(note=str(error))
    report = replace(assessment.report, attribution=seen)
    return Assessment(report, (*assessment.findings, *judge_attribution(report)))


def _seen(project: Definitions, monitor: Monitor, asked: Attribution, window: Window) -> AttributionSeen:
    version, schema = window.version, window.version.input_schema
    kept_from = plan_of(project.find_endpoint(monitor.endpoint)).withheld & set(schema.names)
    if kept_from or any(field.type == "text" for field in schema.fields):
        held = ", ".join(sorted(kept_from)) or "texts"
        return AttributionSeen(note=f"the log does not keep {held}, so that its answers can't be explained again")
    if window.evaluation is None:
        return AttributionSeen(note="the version has no evaluation")
    rows = _spaced(window.rows.sort("at"), asked.rows)
    engine = load_engine(project.store, version, verify=verify_path(project))
    now = _explained(engine, _matrix(rows), schema)
    if now is None:
        return AttributionSeen(note=f"models of the engine {version.engine!r} don't tell exactly what moved an answer")
    days = int((rows["at"].cast(pl.Int64) // DAY).n_unique())
    key = digest([asked.rows, asked.false_alarm, len(now), days])
    known = _before(project, monitor, version, key)
    found = _then(project, window, engine, asked, (len(now), days)) if known is None else known
    if isinstance(found, str):
        return AttributionSeen(note=found)
    then, chance = found
    return replace(compare_reasons(now, then, schema.names, chance=chance, asked=asked, days=days), asked=key)


def _before(project: Definitions, monitor: Monitor, version: ModelVersion, key: str) -> tuple[Floats, float] | None:
    """The evaluation's shares and what chance reaches, from an earlier window of the same version and size."""
    for report in project.store.catalog.find(MonitorReport, monitor.endpoint, limit=_RECENT):
        held = report.attribution
        if held is not None and held.asked == key and report.version == version.version:
            shares = {one.feature: one.then for one in held.features}
            return np.array([shares[name] for name in version.input_schema.names]), held.chance
    return None


def _then(
    project: Definitions, window: Window, engine: Engine, asked: Attribution, size: tuple[int, int]
) -> tuple[Floats, float] | str:
    assert window.evaluation is not None, "asked before"
    found = evaluated_rows(project, window.version, window.evaluation, asked.rows * _TIMES)
    if isinstance(found, str):
        return found
    strength = _explained(engine, encode(found.rows, window.version.input_schema), window.version.input_schema)
    assert strength is not None, "it told of the window"
    days: npt.NDArray[np.int64] = found.ats // DAY
    chance = threshold_of(strength, days, rows=size[0], window_days=size[1], asked=asked)
    if chance is None:
        return f"its evaluation has fewer than {FEWEST_DAYS} days: what chance does can't be told"
    return shares_of(strength), chance


def _explained(engine: Engine, matrix: Floats, schema: InputSchema) -> Floats | None:
    contributions = engine.explain(matrix)
    return None if contributions is None else strengths(np.asarray(contributions, np.float64), len(schema.names))


def _spaced(rows: pl.DataFrame, most: int) -> pl.DataFrame:
    return rows[np.unique(np.linspace(0, rows.height - 1, min(rows.height, most)).round().astype(np.int64))]


def _matrix(rows: pl.DataFrame) -> Floats:
    return np.array(rows["values"].to_list(), np.float64)
