"""Versions that wait for a person, and versions that serve although a gate said no."""

from __future__ import annotations

import getpass
import json

import pytest
from fastapi.testclient import TestClient
from tests.loop.shop import command, copy_shop, edit

import drivetrain as dt
from drivetrain.core.errors import GateRefused, RefusedError, UsageError
from drivetrain.core.records import AuditEntry, Decision, ModelVersion
from drivetrain.loop.project import Project
from drivetrain.registry.aliases import current
from drivetrain.store.audit import verify
from drivetrain.web.app import create_app

GATES = 'gates=[dt.Gate("roc_auc", at_least=0.6)]'
WHY = "the committee saw the slices on Tuesday"


def shop(made_shop, folder, gates):
    edit(copy_shop(made_shop, folder), GATES, f"gates=[{gates}]")
    edit(folder, 'valid="21d"', 'valid="20d"')
    project = Project.load(folder)
    return project, project.run(at="2026-06-30")


@pytest.fixture
def waiting(made_shop, tmp_path):
    project, outcome = shop(
        made_shop, tmp_path / "shop", 'dt.Gate("roc_auc", at_least=0.6), dt.Gate.approval(by=["risk"])'
    )
    assert outcome.refused == ()
    yield project
    project.store.close()


def decisions(project, what):
    return [one for one in project.store.catalog.find(Decision, "returned") if one.what == what]


def test_a_version_waits_until_the_right_person_says_yes(waiting):
    assert current(waiting.store, "returned") == {"champion": 1}
    assert "It waits for approval by risk." in decisions(waiting, "wait")[0].because
    (line,) = [line for line in waiting.status()["endpoints"][0]["lines"] if "waits" in line]
    assert "drivetrain approve returned@2 --because" in line
    with pytest.raises(GateRefused, match="waits for approval by risk"):
        waiting.promote("returned", 2, because="now")
    with pytest.raises(RefusedError, match=r"waits for somebody else's approval; found intern; expected risk"):
        waiting.versions.approve(2, because=WHY, by="intern")
    with pytest.raises(RefusedError, match="waits for somebody else"):
        waiting.versions.approve(2, because=WHY)  # whoever runs the tests is not risk
    with pytest.raises(UsageError, match="needs a reason"):
        waiting.versions.approve(2, because=" ", by="risk")
    done = waiting.versions.approve("returned@2", because=WHY, by="risk")
    assert done.released == "v2 is champion, after v1" or "shadow" in done.released
    assert 2 in current(waiting.store, "returned").values()
    version = waiting.store.catalog.get(ModelVersion, "returned@2")
    assert version.gates.passed
    assert WHY in version.gates.outcomes[-1].reason
    (decision,) = decisions(waiting, "approve")
    assert (decision.actor, decision.because) == ("risk", WHY)
    entry = next(one for one in waiting.store.catalog.find(AuditEntry) if one.what == "approve")
    assert (entry.actor, entry.user.partition("@")[0]) == ("risk", getpass.getuser())
    chain = sorted(waiting.store.catalog.find(AuditEntry), key=lambda entry: entry.number)
    assert verify(waiting.store.catalog, chain) == []
    assert waiting.versions.approve(2, because="again", by="risk").released == "it was approved before"
    assert len(decisions(waiting, "approve")) == 1
    assert waiting.run(at="2026-06-30").did == ()


def test_the_page_says_that_it_waits(waiting):
    call = TestClient(create_app(waiting), base_url="http://localhost:8700")
    assert "Waits for approval" in call.get("/models").text
    page = call.get("/models/returned/versions/2").text
    assert "waits for approval" in page
    assert "drivetrain approve returned@2 --because" in page


def test_anybody_may_where_nobody_is_named(made_shop, tmp_path):
    project, _ = shop(made_shop, tmp_path / "shop", "dt.Gate.approval()")
    told = json.loads(command(project.folder, "approve", "2", "--because", WHY, "--json").stdout)
    assert told["by"] == getpass.getuser()
    assert command(project.folder, "approve", "1", "--because", WHY, check=False).returncode == 1
    project.store.close()


def test_approval_opens_no_gate_that_figures_answer(made_shop, tmp_path):
    project, outcome = shop(made_shop, tmp_path / "shop", 'dt.Gate("roc_auc", at_least=0.99), dt.Gate.approval()')
    assert outcome.refused
    with pytest.raises(GateRefused, match="which approval does not open"):
        project.versions.approve(2, because=WHY)
    with pytest.raises(RefusedError, match="waits for nobody's approval"):
        project.versions.approve(1, because=WHY)
    project.store.close()


def test_what_is_forced_is_on_record_and_on_the_card(made_shop, tmp_path):
    project, _ = shop(made_shop, tmp_path / "shop", 'dt.Gate("roc_auc", at_least=0.99)')
    with pytest.raises(GateRefused, match="may not become champion"):
        project.promote("returned", 2, because="they want it")
    why = "a recall is under way <b>& nothing else answers</b>"
    project.store.close()
    told = json.loads(command(project.folder, "promote", "2", "--force", "--because", why, "--json").stdout)
    assert told["version"] == 2
    project = Project.load(project.folder)
    (decision,) = decisions(project, "promote")[:1]
    assert "forced; the gates said: No: ROC AUC" in decision.because
    assert json.loads(decision.evidence)["forced"] is True
    assert "promote" in {one.what for one in project.store.catalog.find(AuditEntry)}
    chain = sorted(project.store.catalog.find(AuditEntry), key=lambda entry: entry.number)
    assert verify(project.store.catalog, chain) == []
    card = project.store.blobs.get(project.store.catalog.get(ModelVersion, "returned@2").card).decode()
    assert '<span class="badge warn">serves by exception</span>' in card
    assert "a recall is under way &lt;b&gt;&amp; nothing else answers&lt;/b&gt;" in card
    assert ">refused<" not in card.partition("</header>")[0]
    first = project.store.blobs.get(project.store.catalog.get(ModelVersion, "returned@1").card).decode()
    assert "exception" not in first
    project.store.close()


def test_a_gate_of_approval_says_who():
    gate = dt.Gate.approval(by="risk")
    assert gate.by == ("risk",)
    assert isinstance(gate, dt.Gate)
