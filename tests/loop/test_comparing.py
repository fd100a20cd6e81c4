"""Months played by several sets of rules: which were better, what they cost, and whether they beat what needs none."""

from __future__ import annotations

import msgspec
import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score
from tests.loop.shop import command, free_port

from drivetrain.core.clock import DAY, datetime_of, micros_of
from drivetrain.core.errors import ProjectError, UnknownName, UsageError
from drivetrain.loop.project import Project
from drivetrain.monitor.spec import Alternative, Monitor, Retrain
from drivetrain.serve.log.columns import predictions_table
from drivetrain.store.bundle import open_store

BEGIN = micros_of("2026-01-01")
SINCE, UNTIL, TURN = "2026-02-10", "2026-03-24", 44
DAYS, A_DAY = 82, 100
PROJECT = """
import polars as pl

import drivetrain as dt
from drivetrain.core.clock import datetime_of

HERE = __import__("pathlib").Path(__file__).parent
project = dt.Project("clicks", objective="Show what is clicked", metric="roc_auc")
clicks = project.source("clicks", dt.files("raw/*.parquet"), key="click", time="seen", available="known")


@project.request_features(inputs={"a": "float", "b": "float"})
def shown(request: pl.DataFrame) -> list[pl.Expr]:
    return [pl.col("a"), pl.col("b")]


def between(since, until, column):
    every = pl.read_parquet(HERE / "world.parquet")
    return every.filter(pl.col(column) >= datetime_of(since), pl.col(column) < datetime_of(until))


def requests(since, until):
    return between(since, until, "seen").select(pl.col("seen").alias("at"), "click", "a", "b")


def deliver(since, until):
    come = between(since, until, "known")
    if come.height:
        come.write_parquet(HERE / "raw" / f"{since}.parquet")


model = project.model(
    "clicked",
    label=dt.label(clicks, pl.col("clicked")),
    features=[shown],
    trainer=dt.LightGBM(num_iterations=15, num_leaves=7, learning_rate=0.2),
    split=dt.TimeSplit(test="8d", valid="4d"),
    gates=[dt.Gate("roc_auc", at_least=0.4)],
)
project.endpoint("clicked", model=model, traffic=dt.Traffic(requests=requests, deliver=deliver))
project.monitor(
    "clicked",
    window="7d",
    drift=None,
    performance=dt.Performance(metric="roc_auc", drop=0.05, also={}, calibration=None, min_labels=100),
    retrain=None,
    sinks=[dt.Webhook(url="http://127.0.0.1:9/never")],
    alternatives={"anew": dt.Alternative(retrain=dt.Retrain(every="12d", cooldown="11d", shadow="6d"))},
)
"""


@pytest.fixture(scope="module")
def clicks(tmp_path_factory):
    """After a while something else decides; who never learns anew knows nothing from then on."""
    folder = tmp_path_factory.mktemp("clicks") / "clicks"
    (folder / "raw").mkdir(parents=True)
    chance = np.random.default_rng(3)
    count = DAYS * A_DAY
    at = BEGIN + np.arange(count) * (DAY // A_DAY)
    a, b = chance.normal(size=(2, count))
    pull = np.where(at < BEGIN + TURN * DAY, 1.5 * a, 3 * b)
    frame = pl.DataFrame(
        {
            "click": [f"c{number}" for number in range(count)],
            "seen": pl.Series(at).cast(pl.Datetime("us", "UTC")),
            "known": pl.Series(at + DAY).cast(pl.Datetime("us", "UTC")),
            "a": a,
            "b": b,
            "clicked": chance.random(count) < 1 / (1 + np.exp(-pull)),
        }
    )
    frame.write_parquet(folder / "world.parquet")
    frame.filter(pl.col("known") < datetime_of(micros_of(SINCE))).write_parquet(folder / "raw" / "before.parquet")
    (folder / "project.py").write_text(PROJECT)
    (folder / "drivetrain.toml").write_text(f"[serve]\nport = {free_port()}\n[compute]\nthreads = 1\n")
    return folder


@pytest.mark.slow
def test_who_learns_anew_is_better_where_the_world_turns_and_the_table_says_so(clicks):
    told = msgspec.json.decode(
        command(clicks, "replay", "--compare", "static", "anew", "--since", SINCE, "--until", UNTIL, "--json").stdout
    )
    table = {row["name"]: row for row in told["table"]}
    assert list(table) == [
        "static",
        "anew",
        "what came last",
        "the share so far",
        "the first version",
        "last week's model",
    ]
    assert told["best"] == "anew"
    assert told["words"][0].startswith("anew is surely better on ROC AUC: +0.")
    assert "anew does not surely beat what needs no rules: -0." in told["words"][2], "a week's rows told more"
    assert table["last week's model"]["figure"]["value"] > table["anew"]["figure"]["value"]
    assert table["static"]["retrainings"] == 0 < table["anew"]["promotions"] <= table["anew"]["retrainings"]
    assert table["static"]["fit_seconds"] == 0 < table["anew"]["fit_seconds"]
    assert sum(table["static"]["alerts"].values()) >= 1, "its fall is told of, though nothing comes of it"
    assert table["static"]["figure"]["value"] == pytest.approx(table["the first version"]["figure"]["value"], abs=1e-9)
    assert table["what came last"]["figure"]["value"] == pytest.approx(0.5, abs=0.1)
    assert list(table["anew"]["months"]) == ["2026-02", "2026-03"]
    assert not (clicks / ".drivetrain" / "catalog.db").exists(), "the project's own state is left alone"
    (place,) = (clicks / ".drivetrain" / "compare").iterdir()
    (static,) = place.glob("static.*")
    store = open_store(Project.load(static).settings.store, static)
    said = store.tables.read(predictions_table("clicked")).filter(pl.col("role") == "champion")
    store.close()
    world = pl.read_parquet(clicks / "world.parquet").select(entity="click", truth="clicked", known="known")
    judged = said.join(world, on="entity").filter(pl.col("known") < datetime_of(micros_of(UNTIL)))
    assert table["static"]["figure"]["value"] == pytest.approx(roc_auc_score(judged["truth"], judged["prediction"]))
    again = command(clicks, "replay", "clicked", "--compare", "static", "anew", "--since", SINCE, "--until", UNTIL)
    assert "anew is surely better" in again.stdout, "played once, it is only looked at again"
    assert "last week's model" in again.stdout


def test_rules_are_those_of_the_monitor_with_what_is_said_otherwise():
    anew = Retrain(every="7d")
    monitor = Monitor(endpoint="late", retrain=Retrain(), alternatives={"anew": Alternative(retrain=anew, drift=None)})
    assert monitor.by("declared") is monitor
    assert monitor.by("static").retrain is None
    assert (monitor.by("anew").retrain, monitor.by("anew").drift) == (anew, None)
    assert monitor.by("anew").performance == monitor.performance
    with pytest.raises(UnknownName, match="no rules called 'monthly'; expected one of declared, static, anew"):
        monitor.by("monthly")
    with pytest.raises(ProjectError, match="no alternative can be called 'static'"):
        Monitor(endpoint="late", alternatives={"static": Alternative()})


def test_what_can_not_be_compared_is_said(clicks):
    project = Project.load(clicks)
    for rules, error, words in (
        (["anew"], UsageError, "two or more sets of rules"),
        (["anew", "anew"], UsageError, "each once"),
        (["anew", "daily"], UnknownName, "no rules called 'daily'"),
    ):
        with pytest.raises(error, match=words):
            project.replay(since=SINCE, until=UNTIL, compare=rules)
    assert command(clicks, "replay", "--compare", "--since", SINCE, "--until", UNTIL, check=False).returncode == 2
    refused = command(clicks, "replay", "clicked", "anew", "--since", SINCE, "--until", UNTIL, check=False)
    assert "say --compare" in refused.stderr
