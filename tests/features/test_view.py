from __future__ import annotations

import polars as pl
import pytest

from drivetrain.core.clock import DAY, HOUR
from drivetrain.core.errors import ProjectError
from drivetrain.features.aggregate import count, last, mean, share, std, sum
from drivetrain.features.entity import Entity
from drivetrain.features.view import FeatureView
from features.cases import Table

PLANE = Entity("plane", ["tailnum"])


def view(*features, **more):
    return FeatureView(name="history", entity=PLANE, source=Table("flights"), features=features, **more)


def test_names_come_from_the_definition():
    made = view(
        mean("arr_delay", windows=["1d", "7d"]),
        count(windows="24h"),
        share(pl.col("arr_delay") >= 15, name="late", windows=["90m", None]),
        last("temp"),
        last(pl.col("a") - pl.col("b"), name="made_up"),
    )
    assert made.feature_names == (
        "history.mean_arr_delay_1d",
        "history.mean_arr_delay_7d",
        "history.count_1d",
        "history.late_1h30m",
        "history.late_all",
        "history.temp",
        "history.made_up",
    )


def test_words_say_what_a_feature_is():
    made = view(
        mean("arr_delay", windows="7d"),
        share(pl.col("arr_delay") >= 15, windows="1d"),
        count(windows="1h", where=pl.col("origin") == "JFK"),
        std("x"),
    )
    assert [feature.words for feature in made.columns] == [
        "mean of arr_delay over 7 days up to the request, from flights available then",
        "share of rows with arr_delay >= 15 over 1 day up to the request, from flights available then",
        'number of flights where origin == "JFK" over 1 hour up to the request, from flights available then',
        "standard deviation of x over the whole history up to the request, from flights available then",
    ]
    assert view(last("temp"), ttl=6 * HOUR).columns[0].words == (
        "last temp up to the request, from flights available then, if no older than 6 hours"
    )


def test_digest_follows_meaning():
    plain = view(mean("x", windows=["1d", "7d"]), last("y"))
    said = view(mean("x", windows=["1d", "7d"], description="the mean"), last("y"), description="d", owner="me")
    assert plain.digest == said.digest
    assert plain.space == f"history@{plain.digest}"
    assert plain.digest == view(mean(pl.col("x"), windows=["24h", "7d"]), last("y")).digest
    others = [
        view(mean("x", windows=["1d", "8d"]), last("y")),
        view(mean("z", windows=["1d", "7d"], name="mean_x"), last("y")),
        view(mean("x", windows=["1d", "7d"], where=pl.col("b")), last("y")),
        view(mean("x", windows=["1d", "7d"]), last("y"), ttl=30 * DAY),
        view(mean("x", windows=["1d", "7d"]), last("y"), available="landed_at"),
        view(mean("x", windows=["1d", "7d"]), last("y"), delay=HOUR),
        view(mean("x", windows=["1d", "7d"]), last("y"), on={"tailnum": "tail"}),
    ]
    assert len({plain.digest, *(other.digest for other in others)}) == 1 + len(others)


def test_a_window_changes_only_its_own_features():
    before = view(mean("x", windows=["1d", "7d"]), count(windows="1d")).feature_digests
    after = view(mean("x", windows=["1d", "8d"]), count(windows="1d")).feature_digests
    assert {name for name in before if before[name] == after.get(name)} == {"history.mean_x_1d", "history.count_1d"}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (view, "has no features"),
        (lambda: view(count(windows="0s")), "window of zero"),
        (lambda: view(count(windows=["1d", "24h"])), "names a window twice"),
        (lambda: view(count(windows=[])), "has no windows"),
        (lambda: view(mean("x", windows="7d"), ttl=DAY), r"shorter than a window; found mean_x_7d over 7 days"),
        (lambda: view(mean("x"), ttl=DAY), "mean_x_all over the whole history"),
        (lambda: view(last("x"), ttl=0), "time to live of zero"),
        (lambda: view(last("x"), last("x", where=pl.col("b"))), r"same name; found \['x'\]"),
        (lambda: view(last("x"), on={"tail": "t"}), "maps keys its entity lacks"),
        (lambda: view(last(pl.col("x").shift())), "looks at other rows"),
        (lambda: view(last(pl.col("x") - pl.col("x").mean())), "looks at other rows"),
        (lambda: view(sum("x", where=pl.col("x").cum_sum() > 3)), "looks at other rows"),
        (lambda: view(last(pl.col("x").map_batches(abs, return_dtype=pl.Float64))), "calls a Python function"),
        (lambda: view(sum(pl.col("x", "y"))), "several columns"),
        (lambda: Entity("nothing", []), "needs key columns"),
        (lambda: Entity("twice", ["a", "a"]), "each once"),
    ],
)
def test_impossible_definitions_are_named(make, message):
    with pytest.raises(ProjectError, match=message):
        make()
