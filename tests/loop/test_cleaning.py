"""Old versions lose their artifacts, and nothing else does."""

from __future__ import annotations

import json

import msgspec
import pytest
from msgspec.structs import replace
from tests.loop.shop import command, copy_shop, edit

import drivetrain as dt
from drivetrain.core.clock import DAY, now
from drivetrain.core.errors import ProjectError, RefusedError, UsageError
from drivetrain.core.records import Alias, Arm, AuditEntry, Decision, ModelVersion, Policy, Prediction, Run
from drivetrain.loop.project import Project
from drivetrain.registry.aliases import point
from drivetrain.registry.keep import remove_artifacts
from drivetrain.serve.log.columns import predictions_frame, predictions_table
from drivetrain.store.audit import verify
from drivetrain.testing.kill import run_killed

WHY = "the disk is full"


@pytest.fixture
def project(made_shop, tmp_path):
    """A shop with six versions: the first is champion, 2 to 4 are old, and 3 and 4 have one file."""
    folder = copy_shop(made_shop, tmp_path / "shop")
    loaded = Project.load(folder)
    catalog, blobs = loaded.store.catalog, loaded.store.blobs
    first = catalog.get(ModelVersion, "returned@1")
    run = catalog.get(Run, first.run_id)
    for number in range(2, 7):
        data = b"tree\n" + str(3 if number == 4 else number).encode()
        made = (replace(first.artifacts[0], digest=blobs.put(data), size=len(data)),)
        own = replace(run, run_id=f"run-{number}", artifacts=made, baselines={})
        at = now() - (400 if number < 5 else 2) * DAY
        version = replace(first, version=number, run_id=own.run_id, artifacts=made, at=at)
        catalog.commit(own, version)
    yield loaded
    loaded.store.close()


def keeping(project, text):
    project.store.close()
    edit(
        project.folder,
        'gates=[dt.Gate("roc_auc", at_least=0.6)]',
        f'gates=[dt.Gate("roc_auc", at_least=0.6)], keep={text}',
    )
    return Project.load(project.folder)


def going(found):
    return [one.version for one in found.versions if one.goes]


def has(project, number):
    version = project.store.catalog.get(ModelVersion, f"returned@{number}")
    return all(project.store.blobs.has(one.digest) for one in version.artifacts)


def test_everything_is_kept_unless_said_otherwise(project):
    found = project.versions.clean(do=True, because=WHY)
    assert going(found) == []
    assert {one.because for one in found.versions if one.version != 1} == {"everything is kept"}


def test_it_is_planned_first_and_then_done_and_the_record_stays(project):
    project = keeping(project, "dt.Keep(versions=2)")
    revision = project.store.catalog.revision()
    plan = project.versions.clean()
    assert going(plan) == [4, 3, 2]
    assert project.store.catalog.revision() == revision
    with pytest.raises(UsageError, match="cleaning needs a reason"):
        project.versions.clean(do=True)
    done = project.versions.clean(do=True, because=WHY)
    assert going(done) == [4, 3, 2]
    assert [has(project, number) for number in range(1, 7)] == [True, False, False, False, True, True]
    version = project.store.catalog.get(ModelVersion, "returned@2")
    assert version.removed is not None
    assert project.store.catalog.get(Run, "run-2").parameters
    decisions = [one for one in project.store.catalog.find(Decision, "returned") if one.what == "clean"]
    assert len(decisions) == 3
    assert all(WHY in one.because for one in decisions)
    chain = sorted(project.store.catalog.find(AuditEntry), key=lambda entry: entry.number)
    assert verify(project.store.catalog, chain) == []
    assert "clean" in {entry.what for entry in chain}
    assert going(project.versions.clean(do=True, because=WHY)) == []
    with pytest.raises(RefusedError, match="its artifacts were removed"):
        project.promote("returned", 2, because="back")
    with pytest.raises(RefusedError, match="its artifacts were removed"):
        point(project.store, "returned", "shadow", 2, because="back", actor="person")
    project.store.close()


def test_a_file_that_another_version_needs_stays(project):
    project = keeping(project, "dt.Keep(versions=3)")
    done = project.versions.clean(do=True, because=WHY)
    assert going(done) == [3, 2]
    assert has(project, 4)
    assert has(project, 3)  # it is the same file
    assert not has(project, 2)
    project.store.close()


def test_either_bound_keeps_and_settings_say_it_too(project):
    (project.folder / "drivetrain.toml").write_text("[registry]\nkeep = {versions = 1, days = 30}\n")
    found = Project.load(project.folder).versions.clean()
    assert going(found) == [4, 3, 2]
    assert next(one for one in found.versions if one.version == 5).because == "it is not 30 days old"
    with pytest.raises(ProjectError, match="less than nothing"):
        dt.Keep(versions=-1)


def prediction(version):
    return Prediction(
        request_id=f"r{version}", row=0, endpoint="returned", at=1, logged_at=1, model="returned", version=version,
        role="champion", entity="e", request=msgspec.Raw(b"{}"), values=[0.0] * 8, ages=[0.0], prediction=0.5,
        latency_us=1,
    )  # fmt: skip


def test_what_answers_or_was_asked_may_not_go(project):
    catalog = project.store.catalog
    point(project.store, "returned", "champion", 2, because="x", actor="person")
    point(project.store, "returned", "shadow", 3, because="x", actor="person")
    catalog.commit(
        Policy(at=now(), endpoint="returned", mode="split", arms=(Arm(name="b", version=4, share=0.5),), because="x")
    )
    project.store.tables.append(predictions_table("returned"), predictions_frame([prediction(5)]))
    project = keeping(project, "dt.Keep(versions=1)")
    why = {one.version: one.because for one in project.versions.clean().versions if not one.goes}
    assert why == {
        1: "it was champion before, and is what a rollback returns to",
        2: "it is champion",
        3: "it is shadow",
        4: "it is arm b of an experiment",
        5: "predictions in the log of returned name it",
        6: "it is among the newest 1",
    }
    assert going(project.versions.clean(logged=True)) == [5]
    project.store.close()


def test_one_that_is_pointed_at_after_the_plan_stays(project):
    point(project.store, "returned", "shadow", 2, because="x", actor="person")
    assert remove_artifacts(project.store, "returned", 2, because=WHY, actor="person") == 0
    assert has(project, 2)
    assert project.store.catalog.get(Alias, "returned:shadow").version == 2


CLEAN = """
import sys
from drivetrain.loop.project import Project
from drivetrain.testing.kill import armed
project = Project.load(sys.argv[1])
project.store
armed()
project.versions.clean(do=True, because="killed")
"""


@pytest.mark.parametrize("fsyncs", [1, 2])
def test_killed_in_the_middle_the_next_one_does_the_rest(project, fsyncs):
    project = keeping(project, "dt.Keep(versions=2)")
    assert run_killed(CLEAN, str(project.folder), fsyncs=fsyncs).killed
    project.versions.clean(do=True, because=WHY)
    assert [has(project, number) for number in range(1, 7)] == [True, False, False, False, True, True]
    project.store.close()


def test_the_command_plans_and_does(project):
    project = keeping(project, "dt.Keep(versions=2)")
    text = command(project.folder, "clean").stdout
    assert "would go  returned v2" in text
    assert has(project, 2)
    told = json.loads(command(project.folder, "clean", "--yes", "--because", WHY, "--json").stdout)
    assert told["done"] is True
    assert not has(project, 2)
    project.store.close()
