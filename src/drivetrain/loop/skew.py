"""Training/serving skew, measured on what was really served."""

from __future__ import annotations

from typing import Any

import polars as pl

from drivetrain.core.clock import Micros, datetime_of, iso
from drivetrain.core.records import ModelVersion
from drivetrain.features.label import AT
from drivetrain.features.request import TYPES
from drivetrain.features.skew import FeatureSkew, compare
from drivetrain.features.training_set import build
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.endpoint import Endpoint
from drivetrain.loop.serving_plan import plan_of
from drivetrain.serve.log.columns import predictions_table
from drivetrain.serve.log.compact import compact


def skew(project: Definitions, endpoint: str | None, *, since: Micros | None) -> dict[str, Any]:
    """Recomputes every logged feature value as of its request, from the tables as they are now, and compares.

    Rows that arrived after a request are not seen by it offline either, so what differs is skew: a row that came late
    under an earlier time, an online store that was behind, a definition that changed.

    Returns:
        ``predictions`` and ``values`` compared, and ``mismatches``: feature → ``count`` and an ``example``.
    """
    found = project.find_endpoint(endpoint)
    compact(project.store, project.log_folder, found.name)
    table = predictions_table(found.name)
    empty: dict[str, Any] = {"endpoint": found.name, "predictions": 0, "values": 0, "mismatches": {}}
    if project.store.tables.version(table) is None:
        return empty
    rows = project.store.tables.scan(table)
    if since is not None:
        rows = rows.filter(pl.col("at") >= datetime_of(since))
    logged = rows.collect()
    for (number,), part in logged.partition_by("version", as_dict=True, maintain_order=True).items():
        version = project.store.catalog.get(ModelVersion, f"{found.model.name}@{number}")
        if version is None or version.features != found.model.definitions:
            continue  # its definitions are no longer in the project: there is nothing to recompute it with
        offline = _offline(project, found, part)
        compared = compare(part, offline, version.input_schema)
        empty["predictions"] += part.height
        empty["values"] += part.height * len(version.input_schema.fields)
        for feature in compared:
            if feature.mismatches:
                _add(empty["mismatches"], feature)
    return empty


def _offline(project: Definitions, endpoint: Endpoint, logged: pl.DataFrame) -> pl.DataFrame:
    """The training-set rows of logged predictions, in their order."""
    types = {field.name: TYPES[field.type] for field in plan_of(endpoint).fields}
    read = {name: pl.String() if isinstance(kind, pl.Datetime | pl.Date) else kind for name, kind in types.items()}
    requests = logged.select(
        pl.col("at").alias(AT), pl.col("request").str.json_decode(pl.Struct(read)).alias("request")
    ).unnest("request")
    timed = requests.with_columns(
        pl.col(name).str.to_datetime(time_unit="us", time_zone="UTC")
        for name, kind in types.items()
        if kind == TYPES["time"]
    ).with_columns(pl.col(name).str.to_date() for name, kind in types.items() if kind == TYPES["date"])
    return build(timed, endpoint.model.views, endpoint.model.requests, project.store.tables.scan)


def _add(mismatches: dict[str, Any], feature: FeatureSkew) -> None:
    known = mismatches.setdefault(feature.feature, {"count": 0, "example": None})
    known["count"] += feature.mismatches
    if feature.examples:
        worst = feature.examples[0]
        known["example"] = (
            f"{worst.entity} at {iso(worst.at)}: served {worst.logged:g}, computed offline {worst.offline:g}"
        )
