"""The flights features rest on what had really happened by the moment of prediction.

If a past flight's delay counted as known at its *scheduled* departure, a flight still in the air would tell its delay,
and the model would look better than it can be. That it does, measurably, is the proof that the declared availability
closes the leak.
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from drivetrain.core.clock import micros_of
from drivetrain.core.errors import TrainingError
from drivetrain.core.progress import Silent
from drivetrain.core.protocols import FitTask
from drivetrain.core.records import Run
from drivetrain.data.ingest import ingest
from drivetrain.evaluate.report import Subject, evaluate
from drivetrain.features.encoding import encode, schema_of
from drivetrain.features.label import AT, LABEL, LABEL_AT, labels_frame
from drivetrain.features.training_set import build
from drivetrain.loop.project import Project
from drivetrain.train.fit import fit
from drivetrain.train.leakage.look import look_for_leaks
from drivetrain.train.rows import TrainingRows
from drivetrain.train.split import TimeSplit
from drivetrain.train.trainers import LightGBM

FLIGHTS = Path(__file__).parents[2] / "examples" / "flights"
LEAKY = ("plane_history", "plane_departures", "airport_departures", "carrier_history", "route_history")
TRAINED, JUDGED, END = (micros_of(day) for day in ("2013-02-01", "2013-03-01", "2013-04-01"))


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("flights")
    loaded = Project.load(FLIGHTS)
    world = sys.modules["world"]
    world.lay_out(folder / "raw", END)
    loaded.folder = folder
    for name in ("airports", "airlines", "planes", "weather", "departures", "flights"):
        ingest(loaded.store, loaded.sources[name], folder=folder, now=1, progress=Silent(), sources=loaded.sources)
    yield loaded
    loaded.store.close()
    for name in ("project", "world", "cleaning", "contracts"):
        sys.modules.pop(name, None)


def judged(project: Project, *, leaky: bool):
    """Average precision on March of a model that learned from February."""
    model = project.models["late"]
    views = [
        dataclasses.replace(view, available="sched_dep", delay=0) if leaky and view.name in LEAKY else view
        for view in model.views
    ]
    labels = labels_frame(project.store, model.label, None, model.request_columns)
    labels = labels.filter(pl.col(LABEL).is_not_null(), pl.col(AT).dt.epoch("us") >= TRAINED)
    frame = build(labels, views, model.requests, project.store.tables.scan)
    at, known = (frame[column].dt.epoch("us") for column in (AT, LABEL_AT))
    train, test = frame.filter((at < JUDGED) & (known < JUDGED)), frame.filter(at >= JUDGED)
    schema = schema_of(train, model.feature_names())
    fitted = LightGBM(num_iterations=80, learning_rate=0.1).fit(
        FitTask(
            rows=encode(train, schema),
            labels=train[LABEL].to_numpy(),
            schema=schema,
            parameters={},
            seed=1,
            threads=2,
        )
    )
    return evaluate(
        np.asarray(fitted.predict(encode(test, schema))),
        test[LABEL].to_numpy(),
        test[AT].dt.epoch("us").to_numpy(),
        subject=Subject(run_id="leak", model="late", data="flights"),
    )


AFTERWARDS = ("arr_delay", "arr_time", "dep_delay", "dep_time", "air_time")
"""What a flight's own row says of it once it has landed."""


@pytest.fixture(scope="module")
def training_set(project):
    """What the project's model learns from, and what is known only when a flight has landed."""
    model = project.models["late"]
    labels = labels_frame(project.store, model.label, None, (*model.request_columns, *AFTERWARDS))
    return build(labels, model.views, model.requests, project.store.tables.scan)


def looked_at(project: Project, frame: pl.DataFrame, features: tuple[str, ...]):
    split = TimeSplit(test="20d", valid="14d")
    rows = TrainingRows.cut(frame, features, split, END, needs_valid=True)
    return look_for_leaks(frame, rows)


def test_no_feature_of_the_project_is_refused_and_none_is_suspected(project, training_set):
    assert looked_at(project, training_set, project.models["late"].feature_names()) == ()


def test_what_is_known_only_afterwards_is_refused_by_name_and_nothing_else(project, training_set):
    found = looked_at(project, training_set, (*project.models["late"].feature_names(), *AFTERWARDS))
    assert {one.severity for one in found} == {"refused"}
    told = {(one.feature, one.check) for one in found}
    assert told == {("arr_delay", "target"), *((column, "known with the label") for column in AFTERWARDS)}


def test_where_every_row_has_a_label_what_tells_it_is_still_found(project, training_set):
    """Cancelled flights are what gives a flight's own columns away; without them the figures must."""
    frame = training_set.filter(pl.col(LABEL).is_not_null())
    found = looked_at(project, frame, (*project.models["late"].feature_names(), *AFTERWARDS))
    told = {(one.feature, one.check, one.severity) for one in found}
    assert ("arr_delay", "target", "refused") in told
    assert {one.feature for one in found if one.severity == "refused"} == {"arr_delay"}


def test_the_fit_is_refused_and_on_record(project, training_set):
    model = project.models["late"]
    with pytest.raises(TrainingError, match=r"air_time leaks, .* null in .* that have no label.*allow=\['air_time'\]"):
        fit(
            project.store,
            model="late",
            frame=training_set,
            features=(*model.feature_names(), "air_time"),
            trainer=LightGBM(num_iterations=5),
            split=TimeSplit(test="20d", valid="14d"),
            tune=None,
            baselines={},
            as_of=END,
            training_set="table:training/late@0",
            code="c" * 32,
            seed=1,
            threads=1,
            progress=Silent(),
        )
    [run] = project.store.catalog.find(Run, "late")
    assert run.status == "failed"
    assert "air_time leaks" in run.error
    assert [(one.feature, one.severity) for one in run.leakage] == [("air_time", "refused")]


@pytest.mark.slow
def test_scheduled_instead_of_landed_makes_the_numbers_too_good(project):
    honest, leaky = judged(project, leaky=False), judged(project, leaky=True)
    for metric, least in (("average_precision", 0.02), ("roc_auc", 0.01)):
        gap = leaky.metrics[metric].value - honest.metrics[metric].value
        assert gap > least, (
            f"{metric}: {honest.metrics[metric].value:.3f} honest, {leaky.metrics[metric].value:.3f} leaky"
        )


def test_no_training_row_sees_a_flight_that_had_not_landed(project):
    """By brute force on a sample: the newest arrival delay of a plane is that of its last flight that had landed."""
    model = project.models["late"]
    flights = project.store.tables.read("flights")
    labels = labels_frame(project.store, model.label, None, model.request_columns)
    sample = labels.filter(pl.col("tailnum").is_not_null()).sample(300, seed=5)
    view = next(view for view in model.views if view.name == "plane_history")
    made = build(sample, [view], [], project.store.tables.scan)
    by_plane = {key[0]: rows for key, rows in flights.partition_by("tailnum", as_dict=True).items()}
    moments = zip(sample["tailnum"], sample[AT], made["plane_history.arr_delay"], strict=True)
    for tailnum, at, found in moments:
        rows = by_plane[tailnum].filter(
            pl.col("_available_at") <= at,
            pl.col("_event_time") <= at,
            pl.col("_event_time") > at - pl.duration(days=60),
        )
        expected = rows.sort("_event_time", "_seq")["arr_delay"]
        assert found == (expected[-1] if len(expected) else None)
