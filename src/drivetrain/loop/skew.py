"""Training/serving skew, measured on what was really served, with a cause for every difference."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import polars as pl

from drivetrain.core.clock import Micros, datetime_of, iso
from drivetrain.core.errors import FeatureError
from drivetrain.core.records import Field, InputSchema, ModelVersion
from drivetrain.data.treatment import WITHHELD
from drivetrain.features.derived import DerivedView
from drivetrain.features.encoding import encode
from drivetrain.features.label import AT
from drivetrain.features.request import TYPES
from drivetrain.features.skew import Comparison, compare
from drivetrain.features.training_set import build
from drivetrain.features.view import FeatureView
from drivetrain.loop.audit import note_read
from drivetrain.loop.causes import Cause, Inquest, Served
from drivetrain.loop.classes import classes_of
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.endpoint import Endpoint
from drivetrain.loop.model import Group, Model
from drivetrain.loop.serving_plan import plan_of
from drivetrain.serve.log.columns import predictions_table
from drivetrain.serve.log.compact import compact
from drivetrain.serve.plan import EndpointPlan

EXAMPLES = 3
"""Differences shown of each feature, of every cause one before a second of any."""


def skew(project: Definitions, endpoint: str | None, *, since: Micros | None) -> dict[str, Any]:
    """Recomputes every logged feature value as of its request, from the tables as they are now, and compares.

    Rows that became known after a request are not seen by it offline either, so what differs has another cause, and it
    is looked for by computing the value again from what there was when it was served:

    * ``late row``: from the table as it was then, the value comes out as served: rows came in later, under an earlier
      time.
    * ``not yet materialised``: from the table version the online rows held then, it does: they were behind.
    * ``pushed only``: the online rows give it still, for they know a newer event than the table: one that was pushed.
    * ``missed push``: with some rows that came later, and without others, it does: only the former were pushed.
    * ``changed definition``: the view, the function of the request or the source was declared otherwise then, and
      nothing of the above explains it as it is declared now.
    * ``asked too far back``: a moment so long before the entity's newest event that online rows need not answer it.
    * ``unexplained``: none of these.

    Returns:
        ``predictions`` looked at, ``values`` compared, and ``not_compared`` values, whose features are gone or stand on
        what the log does not keep; ``withheld``: names of the latter;
        ``mismatches``: feature → ``count``, ``causes`` (cause → count), an ``example`` in words and ``examples``;
        ``causes``: cause → count over all features; ``changed``: what was declared otherwise for which version.
    """
    found = project.find_endpoint(endpoint)
    compact(project.store, project.log_folder, found.name)
    table = predictions_table(found.name)
    report = _Report(project, found)
    if project.store.tables.version(table) is not None:
        rows = project.store.tables.scan(table)
        if since is not None:
            rows = rows.filter(pl.col("at") >= datetime_of(since))
        logged = rows.collect()
        for (number,), part in logged.partition_by("version", as_dict=True, maintain_order=True).items():
            report.take(number, part)
    told = report.told()
    shown = classes_of(found.model).personal & set(told["mismatches"])
    note_read(project, "skew", found.name, shown, sum(len(told["mismatches"][name]["examples"]) for name in shown))
    return told


class _Report:
    """What is found, version by version."""

    def __init__(self, project: Definitions, endpoint: Endpoint) -> None:
        self._project = project
        self._endpoint = endpoint
        self._predictions = self._values = self._not_compared = 0
        self._mismatches: dict[str, dict[str, Any]] = {}
        self._changed: list[dict[str, Any]] = []
        self._plan = plan_of(endpoint)
        self._unknowable = _unknowable(endpoint.model, self._plan.withheld)

    def take(self, number: int, logged: pl.DataFrame) -> None:
        """Compares the predictions of one version."""
        model = self._endpoint.model
        version = self._project.store.catalog.get(ModelVersion, f"{model.name}@{number}")
        self._predictions += logged.height
        if version is None:
            self._changed.append(_change(number, "", logged.height, [], f"v{number} is not on record any more"))
            return
        changed = {name for name, digest in version.features.items() if model.definitions.get(name) != digest}
        requests = _requests(self._plan, logged)
        offline = build(requests, model.views, model.requests, self._project.store.tables.scan, model.derived)
        offline = offline.drop(_unreadable(offline, version.input_schema, changed))
        offline = offline.drop(self._unknowable & set(offline.columns))
        compared = compare(logged, offline, version.input_schema)
        for name in sorted(changed):
            self._note_change(number, name, version.input_schema, compared.schema, logged.height)
        self._values += compared.served.size
        self._not_compared += logged.height * (len(version.input_schema.fields) - len(compared.schema.fields))
        for group in model.features:
            self._group(group, compared, requests, logged, version)

    def told(self) -> dict[str, Any]:
        """The report."""
        causes: Counter[str] = Counter()
        for mismatch in self._mismatches.values():
            causes.update(mismatch["causes"])
            mismatch["causes"] = dict(mismatch["causes"].most_common())
        return {
            "endpoint": self._endpoint.name,
            "predictions": self._predictions,
            "values": self._values,
            "not_compared": self._not_compared,
            "causes": dict(causes.most_common()),
            "changed": self._changed,
            "withheld": sorted(self._unknowable & set(self._endpoint.model.feature_names())),
            "mismatches": self._mismatches,
        }

    def _note_change(self, number: int, name: str, trained: InputSchema, compared: InputSchema, rows: int) -> None:
        features = [feature for feature in trained.names if feature.startswith(f"{name}.")]
        gone = [feature for feature in features if feature not in compared.names]
        if name not in self._endpoint.model.definitions:
            words = f"v{number} reads {name}, which model {self._endpoint.model.name} reads no more"
        else:
            words = f"{name} is declared otherwise than when v{number} was trained"
            words += f"; it no longer makes {', '.join(gone)}" if gone else ""
        self._changed.append(_change(number, name, rows, gone, words))

    def _group(
        self, group: Group, compared: Comparison, requests: pl.DataFrame, logged: pl.DataFrame, version: ModelVersion
    ) -> None:
        """Adds what differs of one view, or of one function of the request."""
        columns = [at for at, name in enumerate(compared.schema.names) if name in group.feature_names]
        rows = np.flatnonzero(compared.apart[:, columns].any(axis=1))
        if not len(rows):
            return
        otherwise: Cause = "unexplained" if version.features[group.name] == group.digest else "changed definition"
        inquest = None
        if isinstance(group, FeatureView):
            fields = InputSchema(tuple(compared.schema.fields[at] for at in columns))
            served = Served(requests[rows], logged[rows], fields, compared.served[rows][:, columns])
            inquest = Inquest(self._project, group, version.features[group.name], served)
        for column, at in enumerate(columns):
            for place in np.flatnonzero(compared.apart[rows, at]).tolist():
                cause = inquest.causes[place][column] if inquest else otherwise
                said = self._add(compared.schema.fields[at], cause, logged, int(rows[place]), compared, at)
                if said is not None:
                    said["words"] = inquest.words(place, cause) if inquest else _request_words(group, cause)

    def _add(
        self, field: Field, cause: Cause, logged: pl.DataFrame, row: int, compared: Comparison, column: int
    ) -> dict[str, Any] | None:
        """Counts a difference; returns its example if it is to be shown."""
        known = self._mismatches.setdefault(
            field.name, {"count": 0, "causes": Counter(), "example": None, "examples": []}
        )
        known["count"] += 1
        known["causes"][cause] += 1
        if known["causes"][cause] > 1 and len(known["examples"]) >= EXAMPLES:
            return None
        prediction = logged.row(row, named=True)
        served, offline = (_shown(field, values[row, column]) for values in (compared.served, compared.offline))
        example = {
            "prediction": f"{prediction['request_id']}/{prediction['row']}",
            "entity": prediction["entity"],
            "at": iso(int(logged["at"].dt.epoch("us")[row])),
            "served": served,
            "offline": offline,
            "cause": cause,
        }
        known["examples"].append(example)
        said = f"{example['entity']} at {example['at']}: served {shown(served)}, computed offline {shown(offline)}"
        known["example"] = known["example"] or said
        return example


def _unknowable(model: Model, withheld: frozenset[str]) -> frozenset[str]:
    """Features that can't be compared: those that the log does not keep, and those that are made of such fields."""
    unknown = set(withheld)
    for view in model.views:
        if unknown & set(view.entity.keys):
            unknown |= set(view.feature_names)
    for group in model.computed:
        read = zip(group.feature_names, group.expressions, strict=True)
        unknown |= {name for name, expr in read if unknown & set(expr.meta.root_names())}
    return frozenset(unknown)


def _requests(plan: EndpointPlan, logged: pl.DataFrame) -> pl.DataFrame:
    """Logged requests with their fields as columns, in their order; those that were withheld are null."""
    types = {field.name: TYPES[field.read_as] for field in plan.fields}
    read = {name: pl.String() if isinstance(kind, pl.Datetime | pl.Date) else kind for name, kind in types.items()}
    known = pl.col("request")
    if plan.withheld & set(types):
        known = known.str.replace_all(f'"{WITHHELD}"', "null", literal=True)
    requests = logged.select(pl.col("at").alias(AT), known.str.json_decode(pl.Struct(read)).alias("request")).unnest(
        "request"
    )
    return requests.with_columns(
        pl.col(name).str.to_datetime(time_unit="us", time_zone="UTC")
        for name, kind in types.items()
        if kind == TYPES["time"]
    ).with_columns(pl.col(name).str.to_date() for name, kind in types.items() if kind == TYPES["date"])


def _unreadable(offline: pl.DataFrame, schema: InputSchema, changed: set[str]) -> list[str]:
    """Features of changed definitions whose values are of a type that the version can't read."""
    found = []
    for field in schema.fields:
        if field.name in offline.columns and field.name.partition(".")[0] in changed:
            try:
                encode(offline.select(field.name), InputSchema((field,)))
            except FeatureError:
                found.append(field.name)
    return found


def _change(number: int, name: str, rows: int, gone: list[str], words: str) -> dict[str, Any]:
    return {"version": number, "name": name, "predictions": rows, "not_compared": gone, "words": words}


def _request_words(group: Group, cause: Cause) -> str:
    if cause == "changed definition":
        return f"{group.name} is declared otherwise than when the version was trained: it was served as declared then"
    if isinstance(group, DerivedView):
        behind = " and ".join(parent.name for parent in group.parents)
        return f"{group.name} is made from what {behind} give: other values now than when it was served"
    return f"{group.name} gives another value for the same request now: does it read anything beside the request?"


def _shown(field: Field, number: float) -> float | str | bool | None:
    if math.isnan(number):
        return None
    if field.type == "category":
        return field.categories[int(number)]
    return bool(number) if field.type == "boolean" else float(number)


def shown(value: float | str | bool | None) -> str:  # noqa: FBT001 - a value as it was served
    """A feature's value for people."""
    if value is None:
        return "nothing"
    return f"{value:g}" if isinstance(value, float) else str(value)
