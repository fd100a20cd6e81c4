"""Sketches in a project: a look makes them, old rows leave them behind, and what is forgotten goes out of them."""

from __future__ import annotations

import polars as pl
import pytest
from tests.loop.shop import copy_shop
from tests.loop.test_tick import START, log

from drivetrain.core.clock import DAY
from drivetrain.core.records import ModelVersion, MonitorReport
from drivetrain.loop.project import Project
from drivetrain.loop.sketching import forget_sketched, seal_before, sketch
from drivetrain.monitor.reference import load
from drivetrain.monitor.sketch.table import merged_sketches, sketched_rows, sketches_table
from drivetrain.serve.log.columns import predictions_table
from drivetrain.serve.log.retain import retain

WEEK = 7 * DAY


@pytest.fixture
def project(made_shop, tmp_path):
    loaded = Project.load(copy_shop(made_shop, tmp_path / "shop"))
    yield loaded
    loaded.store.close()


def predictions(project):
    found = merged_sketches(sketched_rows(project.store, "returned", 1, START, START + WEEK))
    return found["prediction"].rows if "prediction" in found else 0


def test_a_look_sketches_and_old_rows_leave_their_sketches_behind(project):
    log(project, 7, skill=0.9)
    project.tick(START + WEEK)
    assert predictions(project) == 420
    version = project.store.catalog.get(ModelVersion, "returned@1")
    reference = load(project.store.blobs.get(version.reference))
    names = set(merged_sketches(sketched_rows(project.store, "returned", 1, START, START + WEEK)))
    assert names <= {column.name for column in reference.columns} | {"prediction"}
    report = project.store.catalog.find(MonitorReport, "returned")[0]
    assert report.against == "training"
    seal_before(project, "returned", START + 3 * DAY)
    retain(project.store, "returned", START + 3 * DAY)
    assert sketch(project, "returned", version) == 0
    assert predictions(project) == 420


def test_what_is_erased_from_the_log_goes_out_of_its_sketches(project):
    log(project, 7, skill=0.9)
    project.tick(START + WEEK)
    project.store.tables.delete(predictions_table("returned"), f"request_id = '{START}-5'")
    folder = project.store.tables.folder(sketches_table("returned"))
    before = set(folder.glob("**/*.parquet"))
    forget_sketched(project, "returned")
    assert predictions(project) == 419
    assert not before & set(folder.glob("**/*.parquet"))  # nothing on disk of what they were
    left = project.store.tables.scan(predictions_table("returned")).select(pl.len()).collect().item()
    assert left == 419
    forget_sketched(project, "an endpoint that is gone")
