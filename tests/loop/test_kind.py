from __future__ import annotations

import polars as pl
import pytest

import drivetrain as dt
from drivetrain.data.source import Source
from drivetrain.features.label import label
from drivetrain.loop.kind import declared_kind


def source(**types: str) -> Source:
    project = dt.Project("kinds")
    contract = dt.Contract({name: dt.Column(kind) for name, kind in types.items()})
    return project.source("rows", dt.files("*.csv"), key="id", time="at", contract=contract)


KNOWN = source(id="string", at="time", delay="float", late="bool", carrier="string", stops="int")
OPEN = source(id="string")
DELAY = pl.col("delay")


@pytest.mark.parametrize(
    ("value", "with_contract", "without"),
    [
        (DELAY >= 15, "binary", "binary"),
        (pl.col("late"), "binary", None),
        (~pl.col("late") & (pl.col("stops") > 1), "binary", "binary"),
        (DELAY, None, None),
        (pl.col("stops").cast(pl.Float64), None, None),
        (pl.col("carrier"), "multiclass", None),
        (pl.col("carrier").str.to_lowercase(), "multiclass", None),
        (pl.when(DELAY > 60).then(pl.lit("far")).otherwise(pl.lit("near")), "multiclass", "multiclass"),
        (pl.col("carrier").str.split("|"), "multilabel", "multilabel"),
        (DELAY.is_null(), "binary", "binary"),
    ],
)
def test_the_type_of_the_values_tells_where_it_can(value, with_contract, without):
    assert declared_kind(label(KNOWN, value)) == with_contract
    assert declared_kind(label(OPEN, value)) == without
    assert declared_kind(label(OPEN, value, kind="regression")) == "regression"
