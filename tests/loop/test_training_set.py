from __future__ import annotations

import msgspec
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tests.loop.shop import copy_shop, edit, make_shop

from drivetrain.core.clock import datetime_of, micros_of
from drivetrain.core.errors import TrainingError, UnknownName, UsageError
from drivetrain.core.records import ModelVersion, Step, TableVersion
from drivetrain.loop.project import Project

MARCH = "2026-03-01T12:00:00Z"


@pytest.fixture
def project(made_shop, tmp_path):
    return Project.load(copy_shop(made_shop, tmp_path / "shop"))


def deliver(project: Project, *lines: str) -> None:
    """Delivers orders and takes them in."""
    head = (project.folder / "raw" / "orders.csv").read_text().splitlines()[0]
    number = len(list((project.folder / "raw").glob("*.csv")))
    (project.folder / "raw" / f"more-{number}.csv").write_text("\n".join([head, *lines]) + "\n")
    project.run(only="data")


def made_so_far(catalog):
    """Every step and table version on record; a read of personal data is on record too, and makes nothing."""
    return catalog.find(Step), catalog.find(TableVersion)


def test_it_is_what_the_step_wrote_and_is_not_made_again(project):
    catalog = project.store.catalog
    trained = catalog.get(ModelVersion, "returned@1").training_set
    written = project.store.tables.read("training/returned", catalog.get(TableVersion, trained[6:]).version)
    before = made_so_far(catalog)
    for found in (
        project.training_set(),
        project.training_set("returned"),
        project.training_set(project.models["returned"]),
    ):
        assert_frame_equal(found, written)
    assert_frame_equal(project.training_set(at="2026-08-01"), written)  # by then everything was known
    assert made_so_far(catalog) == before
    assert written.height == 6_000


def test_what_the_method_made_is_what_a_run_trains_on(project):
    deliver(project, "o99999,c001,2026-07-01T10:00:00+00:00,2026-07-15T10:00:00+00:00,books,12.50,0")
    made = project.training_set()
    assert made.height == 6_001
    newest = project.store.catalog.find(TableVersion, "training/returned")[0]
    ran = {step.name: step for step in project.run(at="2026-07-16").steps}
    assert ran["training_set:returned"].cached
    assert ran["training_set:returned"].outputs["table"] == newest.ref


def test_at_a_moment_gone_by_it_holds_the_labels_known_then_as_the_whole_one_does(project):
    whole, at = project.training_set(), datetime_of(micros_of(MARCH))
    known = project.training_set(at=MARCH)
    expected = whole.filter(pl.col("_label_at") <= at)
    assert 0 < known.height < whole.height
    assert_frame_equal(known, expected)
    assert known["_at"].max() <= at
    newest = project.store.catalog.find(TableVersion, "training/returned")[0]
    assert newest.rows == known.height
    assert newest.reasons["known later"] == whole.height - known.height
    assert newest.digest != project.store.catalog.find(TableVersion, "training/returned")[1].digest
    assert "table:orders@0" in {link.source for link in project.store.catalog.links(target=newest.ref)}


def test_one_of_a_moment_gone_by_is_kept_beside_what_is_trained_on(project):
    first = project.training_set(at=MARCH).height, made_so_far(project.store.catalog)
    assert (project.training_set(at=micros_of(MARCH)).height, made_so_far(project.store.catalog)) == first
    assert {step.state for step in project.plan()} == {"done"}
    assert project.store.catalog.find(Step, "training_set:returned")[0].parameters == ""
    assert project.training_set().height == 6_000


def test_labels_before_all_data_stay_and_are_counted(project):
    orders = project.store.catalog.find(TableVersion, "orders")[0]
    first = micros_of("2026-02-01")
    project.store.catalog.commit(msgspec.structs.replace(orders, first_event=first))
    found = project.training_set(at=MARCH)
    early = found.filter(pl.col("_at") < datetime_of(first)).height
    assert 0 < early < found.height
    assert project.store.catalog.find(TableVersion, "training/returned")[0].reasons["before all of orders"] == early


def test_rows_that_become_known_later_change_nothing_and_late_ones_that_say_otherwise_do(project):
    before = project.training_set(at=MARCH)
    deliver(project, "o99998,c001,2026-02-20T10:00:00+00:00,2026-03-06T10:00:00+00:00,books,12.50,0")
    assert_frame_equal(project.training_set(at=MARCH), before)
    deliver(project, "o99999,c001,2026-02-10T10:00:00+00:00,2026-02-24T10:00:00+00:00,books,12.50,0")
    assert project.training_set(at=MARCH).height == before.height + 1


def test_a_label_predicted_at_a_moment_yet_to_come_is_held_back(made_shop, tmp_path):
    folder = copy_shop(made_shop, tmp_path / "shop")
    later = 'dt.label(orders, pl.col("returned") == 1, at=pl.col("decided") + pl.duration(days=7))'
    edit(folder, 'dt.label(orders, pl.col("returned") == 1)', later)
    known = Project.load(folder).training_set(at=MARCH)
    assert known.height > 0
    assert known["_at"].max() <= datetime_of(micros_of(MARCH))


def test_what_can_not_be_had_is_said(project):
    with pytest.raises(UnknownName, match="no such model; found 'refunded'; expected one of returned"):
        project.training_set("refunded")
    with pytest.raises(UsageError, match="not a moment in time; found 'spring'"):
        project.training_set(at="spring")
    with pytest.raises(TrainingError) as caught:
        project.training_set(at="2025-06-01")
    assert "no label of model 'returned' was known by then; found 2025-06-01T00:00:00Z; expected 2026-01-1" in str(
        caught.value
    )
    assert "when the first of 6,000 labels became known. Ask for a later moment" in str(caught.value)


def test_a_table_that_was_never_taken_in_is_named(tmp_path):
    project = Project.load(make_shop(tmp_path / "shop"))
    with pytest.raises(UnknownName, match=r"no table 'orders' yet.*Run: drivetrain run --only data"):
        project.training_set()
