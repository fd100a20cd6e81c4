"""What logged answers are told apart by: protected attributes and slices, from where their values can be had."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from drivetrain.core.records import Field, ModelVersion
from drivetrain.features.label import entity_text
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.endpoint import Endpoint
from drivetrain.loop.serving_plan import plan_of
from drivetrain.monitor.groups.rates import Told
from drivetrain.serve.log.requested import field_of

_NUMBERS = ("int", "float")


class _Found(NamedTuple):
    values: pl.Series
    known: npt.NDArray[np.bool_]
    origin: str


def attributes_of(
    project: Definitions, endpoint: Endpoint, version: ModelVersion, rows: pl.DataFrame, names: Sequence[str]
) -> Told:
    """Values of attributes in answers of one version, as its training set has them.

    A feature's values are those that were logged, a request's field is in the logged request, and any other column is
    looked up in the label's table by the key that the request names: for rows of which the table knows nothing yet it
    is not known.

    Args:
        project: Whose log it is.
        endpoint: The endpoint.
        version: Who answered.
        rows: Of its prediction log.
        names: The attributes.
    """
    columns: list[pl.Series] = []
    known: dict[str, npt.NDArray[np.bool_]] = {}
    origins: dict[str, str] = {}
    unknown: dict[str, str] = {}
    for name in dict.fromkeys(names):
        found = _values(project, endpoint, version, rows, name)
        if isinstance(found, str):
            unknown[name] = found
            continue
        if not found.known.any() and rows.height:
            unknown[name] = f"{found.origin} says it of none of these answers"
            continue
        columns.append(found.values.alias(name))
        known[name], origins[name] = found.known, found.origin
    frame = pl.DataFrame(columns) if columns else pl.DataFrame()
    return Told(columns=frame, known=known, origins=origins, unknown=unknown)


def _values(
    project: Definitions, endpoint: Endpoint, version: ModelVersion, rows: pl.DataFrame, name: str
) -> _Found | str:
    """The values of one attribute; a sentence's part where they can't be had."""
    plan = plan_of(endpoint)
    fields = {field.name: field.type for field in plan.fields}
    places = {field.name: (at, field) for at, field in enumerate(version.input_schema.fields)}
    every = np.ones(rows.height, np.bool_)
    withheld = "the log keeps no values that are sensitive"
    if name in places:
        if name in plan.withheld:
            return withheld
        at, field = places[name]
        return _Found(_decoded(rows["values"], at, field), every, "the logged feature")
    if name in fields and name not in plan.withheld:
        told = rows.select(field_of(name)).to_series()
        return _Found(told.cast(pl.Float64, strict=False) if fields[name] in _NUMBERS else told, every, "the request")
    found = _looked_up(project, endpoint, rows, name)
    return found if found is not None else withheld if name in fields else "no table or request holds its values"


def _decoded(values: pl.Series, at: int, field: Field) -> pl.Series:
    """A logged feature as its training set has it."""
    coded = values.list.get(at, null_on_oob=True).cast(pl.Float64).fill_nan(None)
    if field.type == "category":
        codes = {float(code): name for code, name in enumerate(field.categories)}
        return coded.replace_strict(codes, default=None, return_dtype=pl.String)
    return coded.cast(pl.Boolean) if field.type == "boolean" else coded


def _looked_up(project: Definitions, endpoint: Endpoint, rows: pl.DataFrame, name: str) -> _Found | None:
    """A column of the label's table, by the key that names what a prediction was about."""
    label, tables = endpoint.model.label, project.store.tables
    source = label.source.name
    if tables.version(source) is None:
        return None
    table = tables.scan(source)
    names = table.collect_schema().names()
    key = list(plan_of(endpoint).entity)  # what the log names a prediction by, whatever the label is named by
    if name not in names or not set(key) <= set(names):
        return None
    asked = rows["entity"].unique()
    held = (
        table.select(entity_text(key).alias("entity"), pl.col(name).alias("_value"), pl.lit(value=True).alias("_known"))
        .filter(pl.col("entity").is_in(asked.implode()))
        .collect()
        .unique("entity", keep="last", maintain_order=True)
    )
    joined = rows.select("entity").join(held, on="entity", how="left", maintain_order="left")
    return _Found(joined["_value"], joined["_known"].fill_null(value=False).to_numpy(), f"table {source}")
