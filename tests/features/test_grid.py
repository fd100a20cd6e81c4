"""Grids make what would be declared one by one; ratios are what division says, and null where it says nothing."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from drivetrain.core.errors import ProjectError
from drivetrain.data.readers.rows import rows
from drivetrain.data.source import Source
from drivetrain.features.aggregate import Aggregate, count, max, mean, share
from drivetrain.features.derived import DerivedView
from drivetrain.features.entity import Entity
from drivetrain.features.grid import grid, ratios
from drivetrain.features.view import FeatureView

FLIGHTS = Source(name="flights", reader=rows(lambda seen: []), key=("id",), time="at")


def view(features: list[Aggregate]) -> FeatureView:
    return FeatureView(name="plane", entity=Entity("plane", keys=["tail"]), source=FLIGHTS, features=features)


def test_a_grid_is_what_would_be_declared_one_by_one() -> None:
    windows = ["1d", "7d"]
    made = view(grid("delay", "taxi", windows=windows, of=["mean", "max", "count"], where=pl.col("flown")))
    asked = {"windows": windows, "where": pl.col("flown")}
    each = [make(value, **asked) for value in ("delay", "taxi") for make in (mean, max, count)]  # type: ignore[operator]
    assert made.feature_names[:4] == (
        "plane.mean_delay_1d", "plane.mean_delay_7d", "plane.max_delay_1d", "plane.max_delay_7d",
    )  # fmt: skip
    assert len(made.feature_names) == 12
    assert made.digest == view(each).digest


def test_ratios_are_divisions_null_where_there_is_none() -> None:
    plane = view([*grid("delay", windows=["7d", "1d", "all"], of=["mean", "count"]), share("late", windows=["1d"])])
    made = DerivedView(name="trend", of=(plane,), expressions=tuple(ratios(plane)))
    assert made.feature_names == tuple(
        f"trend.{kind}_delay_{short}_to_{long}"
        for kind in ("mean", "count")
        for short, long in (("1d", "7d"), ("1d", "all"), ("7d", "all"))
    )
    random = np.random.default_rng(0)
    names = [name for name in plane.feature_names if "delay" in name]
    frame = pl.DataFrame({name: random.choice([0.0, 2.0, -3.0, None], 200).tolist() for name in names})
    told = made.evaluate(frame.cast(pl.Float64)).rows(named=True)
    for row, said in zip(frame.rows(named=True), told, strict=True):
        for name, value in said.items():
            stem, _, spans = name.removeprefix("trend.").rpartition("_delay_")
            short, _, long = spans.partition("_to_")
            one, other = row[f"plane.{stem}_delay_{short}"], row[f"plane.{stem}_delay_{long}"]
            assert value == (None if one is None or not other else one / other)


def test_some_ratios_can_be_named() -> None:
    plane = view(grid("delay", "taxi", windows=["1d", "7d"], of=["mean", "std"]))
    assert [one.meta.output_name() for one in ratios(plane, "std_taxi")] == ["std_taxi_1d_to_7d"]


@pytest.mark.parametrize(
    ("values", "asked", "words"),
    [
        ([], {"windows": ["1d"]}, "a grid without a value makes no feature"),
        (["delay"], {"windows": []}, "a grid without a window makes no feature"),
        (["delay"], {"windows": [], "of": []}, "without a window and an aggregate"),
        (["delay"], {"windows": "1d", "of": ["median"]}, "has aggregates that there are not; found 'median'"),
        (["delay"], {"windows": "1d", "name": "late"}, "names its features itself"),
    ],
)
def test_a_grid_that_can_not_be(values: list[str], asked: dict[str, object], words: str) -> None:
    with pytest.raises(ProjectError, match=words):
        grid(*values, **asked)  # type: ignore[arg-type]


def test_ratios_that_can_not_be() -> None:
    with pytest.raises(ProjectError, match="has no two windows to compare; expected an aggregate over two windows"):
        ratios(view(grid("delay", windows="1d")))
    with pytest.raises(ProjectError, match="no two windows to compare of mean_taxi; expected one of mean_delay"):
        ratios(view(grid("delay", windows=["1d", "7d"], of=["mean"])), "mean_taxi")
