"""One prediction as people read it: request, features with their age, version, outcome; private fields masked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec
import polars as pl

from drivetrain.core.errors import NotFound, UnknownName
from drivetrain.core.records import ModelVersion, Run
from drivetrain.data.column import PRIVATE
from drivetrain.data.veil import MASKED, Veil, joined, veil_of
from drivetrain.web.desk import Desk

RECENT = 40


class SeenFeature(msgspec.Struct, frozen=True):
    """A feature's value as the model saw it."""

    name: str
    value: Any
    age: float | None
    """Seconds from the value to the moment of the prediction; none for what the request itself said."""


class Traced(msgspec.Struct, frozen=True):
    """A prediction, what it was made from, and what came true."""

    prediction: dict[str, Any]
    request: dict[str, Any]
    features: tuple[SeenFeature, ...]
    version: ModelVersion | None
    run: Run | None
    feedback: dict[str, Any] | None
    policy: str
    """Why this version answered; empty where nothing is told."""
    shadow: tuple[dict[str, Any], ...]
    """``version`` and ``prediction`` of each version that answered silently."""
    masked: bool
    """Whether anything was masked."""


def veil(desk: Desk) -> Veil:
    """What may not be seen of any source; a request's field counts by its name."""
    return Veil(joined(veil_of(source) for source in desk.sources.values()).withheld)


def traced(desk: Desk, prediction_id: str) -> Traced:
    """One prediction.

    Raises:
        NotFound: No prediction goes by that id.
    """
    try:
        found = desk.trace(prediction_id)
    except UnknownName as error:
        raise NotFound(
            error.what, do="Take an id from an answer's request_id, or from the list of newest answers"
        ) from None
    prediction = dict(found["prediction"])
    request = prediction.pop("request", None)
    fields = request if isinstance(request, Mapping) else {}
    classes = found.get("privacy") or {}
    withheld = veil(desk).withheld | {name for name, privacy in classes.items() if privacy in PRIVATE}
    said = {"prediction": MASKED} if "prediction" in withheld else {}
    prediction |= said
    shown = {name: MASKED if name in withheld and value is not None else value for name, value in fields.items()}
    version = desk.store.catalog.get(ModelVersion, f"{prediction['model']}@{prediction['version']}")
    features = tuple(
        one if not _names(one.name, withheld) else SeenFeature(one.name, MASKED, one.age)
        for one in _features(found, prediction, version)
    )
    if withheld & fields.keys() and prediction.get("entity") in {
        str(fields[name]) for name in withheld & fields.keys()
    }:
        prediction["entity"] = MASKED
    return Traced(
        prediction=prediction,
        request=shown,
        features=features,
        version=version,
        run=desk.store.catalog.get(Run, version.run_id) if version else None,
        feedback=dict(found["feedback"]) if found.get("feedback") else None,
        policy=str(found.get("policy") or ""),
        shadow=tuple(
            dict(one) | ({"prediction": MASKED} if "prediction" in withheld else {})
            for one in found.get("shadow") or ()
        ),
        masked=MASKED in shown.values() or any(one.value == MASKED for one in features),
    )


def recent(desk: Desk, endpoint: str) -> list[dict[str, Any]]:
    """The newest answers of an endpoint that callers got, shadows left out, as the compacted log holds them."""
    table = f"log/{endpoint}/predictions"
    if desk.store.tables.version(table) is None:
        return []
    rows = desk.store.tables.scan(table)
    wanted = ["request_id", "row", "endpoint", "at", "version", "prediction", "latency_us"]
    newest = rows.filter(pl.col("role") != "shadow").select(wanted).top_k(RECENT, by="at").collect()
    if newest.schema["at"] != pl.Int64:
        newest = newest.with_columns(pl.col("at").dt.epoch("us"))
    return newest.sort("at", descending=True).to_dicts()


def _features(
    found: Mapping[str, Any], prediction: Mapping[str, Any], version: ModelVersion | None
) -> list[SeenFeature]:
    if told := found.get("features"):
        return [SeenFeature(str(one["name"]), _value(one.get("value")), one.get("age_seconds")) for one in told]
    if version is None:
        return []
    fields = version.input_schema.fields
    values = prediction.get("values") or []
    return [
        SeenFeature(field.name, _decoded(value, field.categories), None)
        for field, value in zip(fields, values, strict=False)
    ]


def _decoded(value: object, categories: tuple[str, ...]) -> object:
    plain = _value(value)
    return categories[int(plain)] if categories and isinstance(plain, float) and 0 <= plain < len(categories) else plain


def _value(value: object) -> object:
    return None if isinstance(value, float) and math.isnan(value) else value


def _names(feature: str, withheld: frozenset[str]) -> bool:
    return feature in withheld or feature.rpartition(".")[2] in withheld
