from __future__ import annotations

import shutil

import pytest

from drivetrain.core.errors import UnknownName
from drivetrain.loop.project import Project
from web.yard import BATCHES, make_yard


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_yard(tmp_path_factory.mktemp("made") / "yard")


def test_each_batch_is_told_with_what_it_brought_and_what_changed(made):
    told = Project.load(made).history("orders")
    assert [one.version for one in told.versions] == [4, 3, 2, 1, 0]
    assert [one.batch for one in told.versions] == [5, 4, 3, 2, 1]
    assert [one.delivered for one in told.versions] == [400] * BATCHES
    assert told.versions[3].quarantined == 44
    assert told.versions[1].shape == ("+ channel String",)
    assert [one.shape for one in told.versions if one.version != 3] == [()] * 4
    assert told.total == BATCHES
    assert told.stale.startswith("age of the newest row")
    few = Project.load(made).history("orders", limit=2)
    assert [one.version for one in few.versions] == [4, 3]
    assert few.versions[1].shape == ("+ channel String",)
    assert few.profiled == (3, 4)


def test_columns_are_followed_over_the_versions_and_private_ones_by_counts(made):
    project = Project.load(made)
    courses = {one.column: one for one in project.history("orders").courses}
    for version in range(BATCHES):
        amount = next(one for one in project.data("orders", version=version).columns if one.name == "amount")
        assert courses["amount"].means[version] == amount.mean
    assert courses["email"].means == ()
    assert courses["email"].nulls[0] == 0.0
    assert courses["email"].nulls[-1] > 0.1
    assert courses["channel"].nulls[:3] == (None, None, None)


def test_a_version_whose_log_was_erased_is_told_without_its_shape(made, tmp_path):
    folder = shutil.copytree(made, tmp_path / "yard")
    project = Project.load(folder)
    project.store.tables.purge("orders", note=project.store.tables.note("orders"))
    told = project.history("orders")
    assert [one.batch for one in told.versions] == [None] * BATCHES
    assert [one.added for one in told.versions][-1] == 396


def test_an_unknown_table_is_named(made):
    with pytest.raises(UnknownName, match="there is no table 'dogs'"):
        Project.load(made).history("dogs")


def test_a_table_that_nothing_declares_any_more_is_told_by_counts(made, tmp_path):
    folder = tmp_path / "yard"
    shutil.copytree(made, folder)
    assert any(column.top for column in Project.load(folder).data("orders", version=4).columns)
    (folder / "project.py").write_text(
        'import drivetrain as dt\n\nproject = dt.Project("yard", objective="o", metric="average_precision")\n'
    )
    project = Project.load(folder)
    for version in (2, 4):
        for column in project.data("orders", version=version).columns:
            assert column.masked
            assert (column.low, column.mean, column.quantiles, column.top) == (None, None, {}, ())
    assert all(course.means == () for course in project.history("orders").courses)
