"""Sketches in their table, beside the log they were made of: the log goes, what they say stays."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from drivetrain.core.clock import DAY, HOUR, datetime_of
from drivetrain.core.errors import StoreError
from drivetrain.core.settings import StoreSettings
from drivetrain.monitor.against import Against, choose_reference
from drivetrain.monitor.drift import measure_counts, measure_drift
from drivetrain.monitor.reference import load, profile
from drivetrain.monitor.sketch.table import (
    histograms,
    history,
    merged_sketches,
    seal,
    sketch_log,
    sketched_rows,
    sketched_versions,
    sketches_table,
)
from drivetrain.monitor.spec import Drift
from drivetrain.serve.log.columns import PREDICTIONS, predictions_table
from drivetrain.store.bundle import open_store
from monitor.world import SCHEMA, START, stream

ENDPOINT = "late"
LOG = predictions_table(ENDPOINT)
WEEKS = 12
CUT = START + WEEKS * 7 * DAY
SETTINGS = {"days": 7, "statistic": "psi", "effect": 0.0, "false_alarm": 0.15}


@pytest.fixture(scope="module")
def world():
    values, predictions, ats = stream(1, WEEKS + 2, 200, level=0.2)
    old = ats < CUT
    return load(profile(values[old], predictions[old], ats[old], SCHEMA)), (values, predictions, ats)


@pytest.fixture
def store(tmp_path):
    opened = open_store(StoreSettings(), tmp_path)
    yield opened
    opened.close()


def log(store, values, predictions, ats, version=1):
    rows = pl.DataFrame(
        {
            "request_id": [f"r{at}" for at in ats],
            "row": 0,
            "endpoint": ENDPOINT,
            "at": ats,
            "logged_at": ats,
            "model": "late",
            "version": version,
            "role": "champion",
            "entity": "",
            "request": "{}",
            "values": values.tolist(),
            "ages": [[]] * len(ats),
            "prediction": predictions,
            "scores": None,
            "latency_us": 1,
            "experiment": "",
            "arm": "",
            "probability": 1.0,
            "failed": 0,
            "weight": 1.0,
        },
        schema_overrides={"at": pl.Int64, "logged_at": pl.Int64},
    )
    store.tables.append(LOG, rows.cast(dict(PREDICTIONS)))


def keep_up(store, reference):
    return sketch_log(store, ENDPOINT, version=1, reference=reference)


def window(store, since=CUT, until=CUT + 7 * DAY):
    return sketched_rows(store, ENDPOINT, 1, since, until)


def of(parts, where):
    return tuple(part[where] for part in parts)


def test_a_window_can_be_judged_when_its_rows_are_gone(store, world):
    reference, parts = world
    new = of(parts, parts[2] >= CUT)
    log(store, *new)
    hours = len(np.unique(new[2] // HOUR))
    assert keep_up(store, reference) == hours
    first = of(new, new[2] < CUT + 7 * DAY)
    exact = measure_drift(reference, first[0], first[1], **SETTINGS)
    version = store.tables.version(sketches_table(ENDPOINT))
    assert keep_up(store, reference) == 0
    assert store.tables.version(sketches_table(ENDPOINT)) == version  # done again, nothing is written
    assert seal(store, ENDPOINT, CUT + 14 * DAY) > 0
    store.tables.delete(LOG, "version = 1")
    store.tables.purge(LOG)
    assert keep_up(store, reference) == 0
    counts = histograms(reference, merged_sketches(window(store)))
    assert measure_counts(reference, counts, **SETTINGS) == exact
    assert sketched_versions(store, ENDPOINT) == [1]
    some = histograms(reference, merged_sketches(window(store)), ["x1"])
    assert [one.feature for one in measure_counts(reference, some, **SETTINGS)[0]] == ["x1"]


def test_rows_that_come_late_or_are_forgotten_change_their_hours_alone(store, world):
    reference, parts = world
    new = of(parts, (parts[2] >= CUT) & (parts[2] < CUT + 2 * DAY))
    early = np.arange(len(new[2])) % 10 > 0
    log(store, *of(new, early))
    keep_up(store, reference)
    log(store, *of(new, ~early))
    assert keep_up(store, reference) == len(np.unique(new[2][~early] // HOUR))
    assert merged_sketches(window(store))["x1"].rows == len(new[2])
    hours, rows = np.unique(new[2] // HOUR * HOUR, return_counts=True)
    gone = hours[0]
    store.tables.delete(LOG, f"at < '{datetime_of(int(gone) + HOUR).isoformat()}'")
    assert keep_up(store, reference) == 0  # an hour without rows is taken out, not made anew
    assert gone not in window(store)["hour"].to_list()
    several = hours[1:][rows[1:] > 1][-1]
    one = new[2][new[2] // HOUR * HOUR == several][0]
    store.tables.delete(LOG, f"request_id = 'r{one}'")
    assert keep_up(store, reference) == 1
    left = store.tables.scan(LOG).select(pl.len()).collect().item()
    assert merged_sketches(window(store))["prediction"].rows == left


def test_what_the_log_does_not_keep_is_not_sketched(store, world):
    reference, parts = world
    log(store, *of(parts, parts[2] >= CUT))
    sketch_log(store, ENDPOINT, version=1, reference=reference, withheld={"carrier"})
    assert "carrier" not in merged_sketches(window(store))
    with pytest.raises(StoreError, match="no sketches of that window"):
        histograms(reference, merged_sketches(window(store, 0, 1)))


def test_rows_of_another_width_are_named(store, world):
    reference, parts = world
    values, predictions, ats = of(parts, parts[2] >= CUT)
    log(store, values[:, :3], predictions, ats)
    with pytest.raises(StoreError, match="does not fit the profile of version 1; found rows of 3 values"):
        keep_up(store, reference)


def test_a_trailing_reference_is_the_same_days_by_day(store, world):
    reference, parts = world
    log(store, *of(parts, parts[2] < CUT))
    keep_up(store, reference)
    rows = window(store, START, CUT)
    found = history(reference, rows)
    assert found == reference  # the log holds the very rows that the version was trained on
    asked = Drift(reference="trailing")

    def sketched(since, until):
        return window(store, since, until)

    held = choose_reference(asked, reference, sketched, CUT, CUT + 7 * DAY)
    assert (held.name, held.note) == ("trailing", "")
    assert held.reference.days == tuple(day for day in reference.days if day * DAY >= CUT - 56 * DAY)
    assert choose_reference(Drift(), reference, sketched, CUT, CUT + 7 * DAY) == Against(reference)
    short = choose_reference(asked, reference, sketched, START + 7 * DAY, START + 14 * DAY)
    assert short.reference is reference
    assert "weeks before are too few (7 days)" in short.note
    season = Drift(reference="season")
    held = choose_reference(season, reference, sketched, START + 400 * DAY, START + 407 * DAY)
    assert held.name == "season"
    assert {day * DAY for day in held.reference.days} <= set(range(START + 14 * DAY, START + 63 * DAY, DAY))
    none = choose_reference(season, reference, sketched, CUT, CUT + 7 * DAY)
    assert none.name == "training"
    assert "same season of years before are too few (none)" in none.note
