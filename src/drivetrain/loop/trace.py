"""The chain behind one prediction."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from drivetrain.core.clock import iso
from drivetrain.core.errors import UnknownName
from drivetrain.core.protocols import Catalog
from drivetrain.core.records import Decision, Field, InputSchema, ModelVersion, Prediction, Run, TableVersion
from drivetrain.data.treatment import WITHHELD
from drivetrain.loop.audit import note_read, personal_columns
from drivetrain.loop.classes import classes_of
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.endpoint import Endpoint
from drivetrain.loop.serving_plan import plan_of
from drivetrain.serve.log.outcome import find_feedback
from drivetrain.serve.log.read import find
from drivetrain.train.deciding.reading import follows, load_decider


def trace(project: Definitions, prediction: str) -> dict[str, Any]:
    """Request, feature values and their ages, version, training set, tables, code, and the label if it came.

    Args:
        project: Whose prediction it is.
        prediction: The request's id, or ``id/row``.

    Raises:
        UnknownName: No such prediction was ever acknowledged.
    """
    request_id, _, row = prediction.partition("/")
    entries = find(project.store, project.log_folder, request_id)
    chosen = [entry for entry in entries if entry.row == int(row or 0)] if not row or row.isdigit() else []
    if not chosen:
        rows = sorted({entry.row for entry in entries})
        raise UnknownName(
            f"no prediction {prediction!r} was acknowledged",
            expected=f"a row among {rows}" if rows else "the request_id of an answer",
        )
    answer = next((entry for entry in chosen if entry.role == "champion"), chosen[0])
    endpoint = project.find_endpoint(answer.endpoint)
    catalog = project.store.catalog
    version = catalog.get(ModelVersion, f"{answer.model}@{answer.version}")
    run = catalog.get(Run, version.run_id) if version else None
    feedback = find_feedback(project.store, project.log_folder, answer)
    request = msgspec.json.decode(answer.request)
    classes, withheld = classes_of(endpoint.model), plan_of(endpoint).withheld
    names = version.input_schema.names if version else ()
    told = personal_columns(project, endpoint.model, {*request, *names, "prediction"} - withheld)
    note_read(project, "trace", endpoint.name, told, len(chosen))
    return {
        "prediction": {**msgspec.structs.asdict(answer), "request": request},
        "said": f"{answer.prediction} for {iso(answer.at)}, answered by {answer.role} v{answer.version}",
        **({"follows": read} if (read := _follows(project, version, answer)) else {}),
        "features": _features(answer, endpoint, version.input_schema, withheld) if version else [],
        "privacy": classes.shown,
        "shadow": [
            {"version": entry.version, "prediction": entry.prediction} for entry in chosen if entry.role == "shadow"
        ],
        "policy": _policy(catalog, answer),
        "version": _version(version),
        "training": _training(run),
        "tables": _tables(catalog, version),
        "feedback": msgspec.structs.asdict(feedback) if feedback else None,
    }


def _follows(project: Definitions, version: ModelVersion | None, answer: Prediction) -> dict[str, Any]:
    """Decision, interval or set, as the caller was told; nothing where the version says none."""
    if version is None or version.removed is not None or answer.failed == answer.version:
        return {}
    decider = load_decider(project.store.blobs, version.artifacts)
    if decider is None:
        return {}
    read = follows(answer.prediction, decider.threshold, decider.reach)
    return {name: value for name, value in read._asdict().items() if value is not None}


def _features(
    answer: Prediction, endpoint: Endpoint, schema: InputSchema, withheld: frozenset[str]
) -> list[dict[str, Any]]:
    ages = dict(zip((view.name for view in endpoint.model.views), answer.ages, strict=False))
    return [
        {
            "name": field.name,
            "value": WITHHELD if field.name in withheld and math.isnan(number) else _value(field, number),
            "age_seconds": _number(ages.get(field.name.partition(".")[0], math.nan)),
        }
        for field, number in zip(schema.fields, answer.values, strict=True)
    ]


def _value(field: Field, number: float) -> object:
    if math.isnan(number):
        return None
    if field.type == "category":
        return field.categories[int(number)]
    if field.type == "text":
        return f"a text of {number:.0f} characters"
    return bool(number) if field.type == "boolean" else number


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def _policy(catalog: Catalog, answer: Prediction) -> str:
    """Why this version answered: the newest promotion or rollback to it before the answer was written."""
    for decision in catalog.find(Decision, answer.model):
        if decision.version == answer.version and decision.what in {"promote", "rollback"}:
            return f"{decision.what} {iso(decision.at)}: {decision.because}"
    return f"{answer.role} when asked"


def _version(version: ModelVersion | None) -> dict[str, Any]:
    if version is None:
        return {}
    return {
        "version": version.key,
        "engine": version.engine,
        "tried": _tried(version),
        "made": iso(version.at),
        "gates": "passed" if version.gates.passed else "; ".join(version.gates.refusals),
        "artifacts": {artifact.name: artifact.digest for artifact in version.artifacts},
    }


def _tried(version: ModelVersion) -> dict[str, str]:
    """Why each engine that could serve the version does, or does not."""
    return {each.engine: each.reason for each in version.packaging.candidates} if version.packaging else {}


def _training(run: Run | None) -> dict[str, Any]:
    if run is None:
        return {}
    return {
        "run": run.run_id,
        "trainer": run.trainer,
        "code": run.code,
        "environment": run.environment,
        "seed": run.seed,
        "rows": run.train_rows,
        "from": iso(run.train_since),
        "until": iso(run.train_until),
    }


def _tables(catalog: Catalog, version: ModelVersion | None) -> list[dict[str, Any]]:
    """Every table version upstream of the version's training set."""
    found: dict[str, TableVersion] = {}
    seen: set[str] = set()
    waiting = [version.training_set] if version else []
    while waiting:
        ref = waiting.pop()
        if ref in seen:
            continue
        seen.add(ref)
        if ref.startswith("table:") and (record := catalog.get(TableVersion, ref.removeprefix("table:"))):
            found[record.key] = record
        waiting += [link.source for link in catalog.links(target=ref)]
    return [
        {"table": record.key, "rows": record.rows, "digest": record.digest, "ingested": iso(record.at)}
        for record in found.values()
    ]
