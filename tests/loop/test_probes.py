"""What is looked at beside an evaluation, on the road: declared on a model, measured when judged, told everywhere."""

from __future__ import annotations

import json
from importlib.util import find_spec
from typing import get_args

import numpy as np
import polars as pl
import pytest
from tests.loop.shop import command, copy_shop, edit, make_shop

from drivetrain.core.errors import MissingExtra, NotReady, ProjectError, UnknownName, UsageError
from drivetrain.core.records import (
    Access,
    BehaviourReport,
    Discovery,
    Evaluation,
    FairnessReport,
    ModelVersion,
    RobustnessReport,
    Run,
)
from drivetrain.core.records.robustness import StrainKind
from drivetrain.loop.project import Project

DECLARED = """protected=["region"],
    behaviours=[
        dt.invariance("history.mean_amount_90d", within=1.0),
        dt.invariance("category", within=0.0),
        dt.direction("amount", "up", within=1.0),
        dt.minimum("roc_auc", pl.col("region") == "north", at_least=0.5),
    ],
    gates=[
        dt.Gate.behaviours(),
        dt.Gate("roc_auc", at_least=0.6),
        dt.Gate.fairness("equalized_odds_difference", at_most=0.02, column="region"),
    ],
)
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A shop that was run, whose orders come from two regions; the south's are sent back whatever they are."""
    folder = make_shop(tmp_path_factory.mktemp("probes") / "shop")
    orders = pl.read_csv(folder / "raw" / "orders.csv")
    south = np.random.default_rng(1).random(len(orders)) < 0.4
    returned = np.where(south, np.random.default_rng(2).random(len(orders)) < 0.3, orders["returned"].to_numpy())
    orders.with_columns(
        region=pl.Series(np.where(south, "south", "north")), returned=pl.Series(returned.astype(int))
    ).write_csv(folder / "raw" / "orders.csv")
    region = '"region": dt.Column("string", privacy="personal"),\n            "returned": dt.Column'
    edit(folder, '"returned": dt.Column', region)
    edit(folder, 'gates=[dt.Gate("roc_auc", at_least=0.6)],\n)\n', DECLARED)
    project = Project.load(folder)
    project.run()
    project.store.close()
    return folder


@pytest.fixture
def project(made):
    """The shop, loaded for one test: a copy made while it is open would let go of its locks."""
    loaded = Project.load(made)
    yield loaded
    loaded.store.close()


def test_fairness_is_measured_when_a_version_is_judged(project):
    (version,) = project.store.catalog.find(ModelVersion)
    (evaluation,) = project.store.catalog.find(Evaluation)
    report = project.probes.fairness()
    assert report == project.store.catalog.get(FairnessReport, version.run_id)
    assert (report.rows, report.positives) == (evaluation.rows, evaluation.positives)
    assert report.protected == ("region",)
    assert sum(group.selected for group in report.groups) >= report.positives
    assert {group.name for group in report.groups} == {"north", "south"}
    (read, *_) = project.store.catalog.find(Access)
    assert (read.what, read.about, read.columns) == ("fairness", version.key, ("region",))


def test_the_gate_refuses_by_name_and_the_card_says_for_whom_it_is_worse(project):
    (version,) = project.store.catalog.find(ModelVersion)
    refused = next(each for each in version.gates.outcomes if "equalized" in each.gate)
    assert not refused.passed
    assert "region south" in refused.reason
    card = project.store.blobs.get(version.card).decode()
    assert "For whom are its answers worse?" in card
    assert "it acts on" in card or "it catches" in card
    assert "Fairness of its answers" not in card


def test_slices_are_searched_for_by_what_is_not_personal(project):
    (found,) = project.store.catalog.find(Discovery)
    assert "basket.category" in found.columns
    assert "region" in found.left_out
    assert not found.unable
    assert found.looked_at > 20
    (version,) = project.store.catalog.find(ModelVersion)
    assert "Where is it worse than it says?" in project.store.blobs.get(version.card).decode()


def test_behaviours_are_tried_recorded_and_asked_for(project):
    (report,) = project.store.catalog.find(BehaviourReport)
    (version,) = project.store.catalog.find(ModelVersion)
    found = {each.name: each for each in report.outcomes}
    assert [each.passed for each in report.outcomes] == [True, False, True, True]
    broken = found["category changes nothing"]
    assert 0 < broken.broken <= broken.rows
    assert broken.example.was != broken.example.became
    assert found["amount up, prediction up"].broken == 0
    gates = {each.gate: each for each in version.gates.outcomes}
    assert not gates["behaviour: category changes nothing"].passed
    assert gates["behaviour: amount up, prediction up"].passed
    north = next(each for each in report.outcomes if each.check == "minimum")
    test = project.training_set().sort("_at")
    assert north.rows < project.store.catalog.find(Evaluation)[0].rows
    assert north.rows == next(each for each in project.probes.fairness().groups if each.name == "north").rows
    assert test.height > north.rows


def test_robustness_is_tried_by_feature_view_staleness_noise_and_shift(project):
    (report,) = project.store.catalog.find(RobustnessReport)
    kinds = {kind: [each for each in report.strains if each.what == kind] for kind in get_args(StrainKind)}
    assert {each.of for each in kinds["view missing"]} == {each.of for each in kinds["stale"]} == {"history"}
    assert len(kinds["missing"]) == len(kinds["shuffled"]) == 8
    assert len(kinds["noise"]) == len(kinds["shift"]) == 1
    assert 0 < kinds["stale"][0].changed <= 1
    assert 0.2 < kinds["shift"][0].changed <= 1
    (category,) = (each for each in kinds["shuffled"] if each.of == "basket.category")
    assert category.fall.low > 0


def test_a_behaviour_of_what_is_not_read_is_refused(made, tmp_path):
    folder = copy_shop(made, tmp_path / "shop")
    edit(folder, 'dt.direction("amount"', 'dt.direction("height"')
    with pytest.raises(ProjectError, match="declares a behaviour of what it does not read; found height"):
        Project.load(folder)


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        ('dt.Gate.fairness("equalized_odds_difference", at_most=0.1, column="age")', "for what it does not protect"),
        ("dt.Gate.behaviours()", "declares none"),
    ],
)
def test_a_gate_on_what_is_not_declared_is_refused(made_shop, tmp_path, gate, said):
    folder = copy_shop(made_shop, tmp_path / "shop")
    edit(folder, 'gates=[dt.Gate("roc_auc", at_least=0.6)]', f"gates=[{gate}]")
    with pytest.raises(ProjectError, match=said):
        Project.load(folder)


def test_the_command_says_the_same(made):
    told = " ".join(command(made, "fairness", "returned").stdout.split())
    assert "region rows acted on caught wrongly right" in told
    report = json.loads(command(made, "fairness", "--json").stdout)
    assert report["protected"] == ["region"]
    assert command(made, "fairness", "--version", "9", check=False).returncode == 2


@pytest.mark.parametrize(("by", "said"), [("threshold", "use the attribute when answering"), ("reweigh", "dt.Reweigh")])
def test_a_mitigation_is_tried_with_its_cost_and_changes_nothing(project, by, said):
    records = [project.store.catalog.find(kind) for kind in (Run, ModelVersion, Evaluation)]
    tried = project.probes.mitigate(by=by, constraint="equal_opportunity")
    assert tried.learned > 100
    assert (tried.column, tried.by) == ("region", by)
    assert tried.judged < project.probes.fairness().rows
    assert [each.name for each in tried.costs] == ["accuracy", "caught", "right when acted on"]
    assert all(each.change.low <= each.change.value <= each.change.high for each in tried.costs)
    assert "equal_opportunity_difference" in {each.name for each in tried.disparities}
    assert any(said in note for note in tried.notes)
    assert bool(tried.rules) == (by == "threshold")
    assert [project.store.catalog.find(kind) for kind in (Run, ModelVersion, Evaluation)] == records


def test_the_command_shows_what_a_mitigation_costs(made):
    told = " ".join(command(made, "fairness", "--mitigate", "threshold").stdout.split())
    for words in (
        "before after change",
        "equalized odds gap",
        "accuracy",
        "acted on from",
        "every request must",
    ):
        assert words in told
    refused = command(made, "fairness", "--mitigate", "threshold", "--column", "age", check=False)
    assert refused.returncode == 2
    assert "protects no 'age'" in refused.stderr


def test_exponentiated_gradient_needs_its_extra_or_tells_its_cost(project):
    if find_spec("fairlearn") is None:
        with pytest.raises(MissingExtra, match=r"drivetrain\[fairlearn\]"):
            project.probes.mitigate(by="gradient")
        return
    tried = project.probes.mitigate(by="gradient", constraint="demographic_parity")
    assert tried.costs[0].change is not None
    assert any("lottery" in note for note in tried.notes)


def test_what_was_not_measured_is_said(made_shop, tmp_path):
    project = Project.load(copy_shop(made_shop, tmp_path / "shop"))
    with pytest.raises(UsageError, match="declares no protected attribute"):
        project.probes.fairness()
    project.store.close()
    edit(project.folder, 'slices=["basket.category"]', 'slices=["basket.category"], protected=["basket.category"]')
    project = Project.load(project.folder)
    with pytest.raises(NotReady, match="was not measured when it was judged"):
        project.probes.fairness()
    with pytest.raises(UnknownName, match="no version 7"):
        project.probes.fairness(version=7)


def test_a_threshold_that_is_no_probability_is_refused(made_shop, tmp_path):
    folder = copy_shop(made_shop, tmp_path / "shop")
    edit(folder, 'slices=["basket.category"]', 'slices=["basket.category"], threshold=30')
    with pytest.raises(ProjectError, match="is no probability; found 30"):
        Project.load(folder)
