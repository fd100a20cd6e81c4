"""A version made again: the same to the byte, the same but for bytes, another; refused, killed, without its rows."""

from __future__ import annotations

import json
import re
import shutil

import polars as pl
import pytest
from msgspec.structs import replace
from tests.loop.shop import command, copy_shop, edit

from drivetrain.core.errors import RefusedError, UsageError
from drivetrain.core.records import Alias, ModelVersion, Run, Step, TableVersion
from drivetrain.loop.project import Project
from drivetrain.testing.kill import run_killed

AGAIN = """
import sys
from drivetrain.loop.project import Project
from drivetrain.testing.kill import armed
project = Project.load(sys.argv[1])
project.store
armed()
project.reproduce(1)
"""


@pytest.fixture
def project(made_shop, tmp_path):
    loaded = Project.load(copy_shop(made_shop, tmp_path / "shop"))
    yield loaded
    loaded.store.close()


def state(project):
    """All that must stay as it is: every record, and every file but the scratch folder's."""
    catalog = project.store.catalog
    records = [catalog.find(kind) for kind in (Alias, ModelVersion, Run, Step, TableVersion)]
    root = project.folder / ".drivetrain"
    files = {path.relative_to(root) for path in root.rglob("*") if path.is_file() and "catalog.db" not in path.name}
    return records, {path for path in files if path.parts[0] != "scratch"}


def test_it_is_the_same_to_the_byte_and_leaves_no_trace(project):
    before = state(project)
    revision = project.store.catalog.revision()
    found = project.reproduce("returned@1")
    assert (found.verdict, found.same, found.code, found.environment, found.notes) == ("bits", True, (), (), ())
    assert all(part.equal for part in found.parts)
    assert {"training set", "trials", "artifact model.txt"} <= {part.name for part in found.parts}
    assert state(project) == before
    assert project.store.catalog.revision() == revision
    assert list((project.folder / ".drivetrain" / "scratch").iterdir()) == []


def test_rows_that_came_later_change_nothing(project):
    line = "o99999,c001,2026-07-05T10:00:00+00:00,2026-07-19T10:00:00+00:00,books,12.50,0\n"
    head = (project.folder / "raw" / "orders.csv").read_text().splitlines()[0]
    (project.folder / "raw" / "more.csv").write_text(f"{head}\n{line}")
    project.run(only="data")
    assert project.store.catalog.find(TableVersion, "orders")[0].rows == 6_001
    assert project.reproduce(1).verdict == "bits"


def other_artifact(project, mend):
    """Puts another file in the place of the served one, as a machine with other arithmetic would have made it."""
    catalog, blobs = project.store.catalog, project.store.blobs
    run = catalog.get(Run, catalog.get(ModelVersion, "returned@1").run_id)
    text = next(one for one in run.artifacts if one.format == "lightgbm")
    data = mend(blobs.get(text.digest).decode()).encode()
    made = replace(text, digest=blobs.put(data), size=len(data))
    catalog.commit(replace(run, artifacts=(made,)))


def test_other_bytes_with_the_same_answers_are_told_apart_from_other_answers(project):
    other_artifact(project, lambda text: text + "\n")
    found = project.reproduce(1)
    assert (found.verdict, found.difference) == ("predictions", 0.0)
    assert not next(part for part in found.parts if part.name == "artifact model.txt").equal

    def shift(text: str) -> str:
        return re.sub(r"leaf_value=(\S+)", lambda leaf: f"leaf_value={float(leaf[1]) + 1e-5}", text, count=1)

    other_artifact(project, shift)
    found = project.reproduce(1)
    assert found.verdict == "different"
    assert found.rows == 5_000
    assert 1e-6 < found.difference < 1e-5  # a logistic's slope is at most a quarter
    assert project.reproduce(1, tolerance=1e-4).verdict == "predictions"


def test_other_code_is_refused_by_name_and_made_anyway_when_told(project):
    folder = project.folder
    edit(folder, 'valid="21d"', 'valid="20d"')
    edit(folder, 'dt.mean("amount", windows=["90d"])', 'dt.mean("amount", windows=["60d"])')
    changed = Project.load(folder)
    with pytest.raises(RefusedError, match=r"history.mean_amount_90d: was mean of amount over 90 days.* is not there"):
        changed.reproduce(1)
    with pytest.raises(RefusedError, match=r"split: was TimeSplit\(test='30d', valid='21d'"):
        changed.reproduce(1)
    found = changed.reproduce(1, anyway=True)
    assert found.verdict == "different"
    assert {change.name for change in found.code} == {"history.mean_amount_90d", "history.mean_amount_60d", "split"}
    changed.store.close()


def test_a_gate_or_a_description_is_no_code_of_a_fit(project):
    edit(project.folder, "at_least=0.6", "at_least=0.61")
    assert Project.load(project.folder).reproduce(1).verdict == "bits"


def test_without_its_tables_the_training_set_is_read_and_without_both_it_is_refused(project):
    project.store.tables.purge("orders")
    found = project.reproduce(1)
    assert found.verdict == "bits"
    assert "was read, not made again" in found.notes[0]
    project.store.tables.replace("training/returned", pl.DataFrame({"gone": [1]}))
    project.store.tables.purge("training/returned")
    with pytest.raises(RefusedError, match="its rows are not there any more"):
        project.reproduce(1)


def test_a_run_from_before_the_note_is_made_again_as_far_as_is_known(project):
    catalog = project.store.catalog
    run = catalog.get(Run, catalog.get(ModelVersion, "returned@1").run_id)
    catalog.commit(replace(run, making=None))
    found = project.reproduce(1)
    assert found.verdict == "bits"
    assert "older than the note" in found.notes[0]
    edit(project.folder, 'dt.mean("amount", windows=["90d"])', 'dt.mean("amount", windows=["60d"])')
    with pytest.raises(RefusedError, match="history: was digest"):
        Project.load(project.folder).reproduce(1)


@pytest.mark.parametrize("at", [{"fsyncs": 1}, {"fsyncs": 6}, {"seconds": 0.7}])
def test_killed_anywhere_nothing_is_half_done(project, at):
    before, revision = state(project), project.store.catalog.revision()
    ending = run_killed(AGAIN, str(project.folder), **at)
    assert ending.killed
    assert state(project) == before
    assert project.store.catalog.revision() == revision
    assert project.reproduce(1).verdict == "bits"
    assert list((project.folder / ".drivetrain" / "scratch").iterdir()) == []


def test_a_tolerance_must_be_one(project):
    with pytest.raises(UsageError, match="a tolerance is a difference of answers"):
        project.reproduce(1, tolerance=2)


def test_the_command_ends_with_1_where_it_is_not_the_same(project):
    folder = project.folder
    told = command(folder, "reproduce", "1", "--json")
    assert json.loads(told.stdout)["verdict"] == "bits"
    edit(folder, 'valid="21d"', 'valid="20d"')
    assert "git checkout" not in command(folder, "reproduce", "1", check=False).stderr
    done = command(folder, "reproduce", "returned@1", "--anyway", check=False)
    assert done.returncode in {0, 1}
    assert "code  split" in done.stdout
    shutil.rmtree(folder / ".drivetrain" / "scratch")
