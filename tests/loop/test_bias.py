"""Bias in the data, weights and fills on the road: declared on a model, reported before training, served as fitted."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from tests.loop.shop import command, copy_shop, edit, make_shop, serving

from drivetrain.core.errors import DrivetrainError, ProjectError, UnknownName
from drivetrain.core.records import Access, BiasReport, ModelVersion, Run
from drivetrain.loop.project import Project

DECLARED = """slices=["basket.category"],
    protected=[dt.Protected("region", shares={"north": 0.5, "south": 0.5}), "basket.category"],
    weigh=dt.Reweigh("region"),
    impute=[dt.impute("history.mean_amount_90d", by="mean", indicator=True), dt.impute()],
"""


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """A shop whose orders come from two regions, one of which sends more back, and that the model does not read."""
    folder = make_shop(tmp_path_factory.mktemp("bias") / "shop")
    orders = pl.read_csv(folder / "raw" / "orders.csv")
    chance = np.random.default_rng(1)
    south = chance.random(len(orders)) < np.where(orders["returned"].to_numpy() == 1, 0.5, 0.2)
    orders.with_columns(region=pl.Series(np.where(south, "south", "north"))).write_csv(folder / "raw" / "orders.csv")
    edit(folder, '"returned": dt.Column', '"region": dt.Column("string"),\n            "returned": dt.Column')
    edit(folder, 'slices=["basket.category"],\n', DECLARED)
    return folder


@pytest.fixture(scope="module")
def made(fresh, tmp_path_factory):
    folder = copy_shop(fresh, tmp_path_factory.mktemp("made") / "shop")
    Project.load(folder).run()
    return folder


def test_the_report_comes_before_any_training(fresh, tmp_path):
    project = Project.load(copy_shop(fresh, tmp_path / "shop"))
    with pytest.raises(UnknownName, match="nothing was ever taken in"):
        project.data.bias()
    project.run(only="data")
    report = project.data.bias("returned")
    assert project.store.catalog.find(Run) == []
    assert project.store.catalog.get(BiasReport, report.key) == report
    frame = project.training_set()
    taught = frame.filter((pl.col("_label_at").dt.epoch("us") <= report.until) & pl.col("_label").is_not_null())
    assert report.rows == len(taught)
    south = next(group for group in report.groups if group.attributes == {"region": "south"})
    mine = taught.filter(pl.col("region") == "south")
    assert south.rows == len(mine)
    assert south.rate.value == pytest.approx(mine["_label"].mean())
    assert south.gap.low > 0.1
    assert south.beyond.high < 0
    assert project.data.bias() == report
    states = {step.name: step.state for step in project.plan()}
    assert (states["bias:returned"], states["train:returned"]) == ("done", "run")


def test_the_command_says_the_same(made):
    told = " ".join(command(made, "bias", "returned").stdout.split())
    assert "region rows share declared positive" in told
    assert "region south: " in told
    assert "against the others" in told
    report = json.loads(command(made, "bias", "--json").stdout)
    assert report["protected"] == ["region", "basket.category"]
    assert report == json.loads(json.dumps(report))
    assert command(made, "bias", "nothing", check=False).returncode == 2


def test_a_sensitive_attribute_is_told_of_in_large_groups_only_and_the_read_is_on_record(fresh, tmp_path):
    folder = copy_shop(fresh, tmp_path / "shop")
    orders = pl.read_csv(folder / "raw" / "orders.csv")
    alone = orders.with_columns(
        region=pl.when(pl.int_range(pl.len()) == 40).then(pl.lit("nowhere")).otherwise("region")
    )
    alone.write_csv(folder / "raw" / "orders.csv")
    Project.load(folder).run(only="data")
    project = Project.load(folder)
    open_ = project.data.bias()
    assert {"region": "nowhere"} in [each.attributes for each in open_.groups]
    assert project.store.catalog.find(Access) == []
    edit(folder, '"region": dt.Column("string")', '"region": dt.Column("string", privacy="sensitive")')
    project = Project.load(folder)
    project.run(only="data")
    report = project.data.bias()
    assert report.report_id != open_.report_id
    assert "nowhere" not in str(report)
    assert {"region": "(all others)"} in [each.attributes for each in report.groups]
    (read,) = project.store.catalog.find(Access)
    assert (read.what, read.about, read.columns) == ("bias", "training/returned", ("region",))


def test_a_model_without_protected_attributes_says_how_to_declare_them(made_shop, tmp_path):
    done = command(copy_shop(made_shop, tmp_path / "shop"), "bias", check=False)
    assert done.returncode == 2
    assert "declares no protected attribute" in done.stderr
    assert 'protected=["carrier"]' in done.stderr


def test_the_model_does_not_read_what_its_rows_are_told_apart_by(made):
    project = Project.load(made)
    (run,) = project.store.catalog.find(Run)
    assert "region" in project.training_set().columns
    assert "region" not in run.input_schema.names
    assert project.models["returned"].beside == ("region",)


def test_the_run_and_the_card_tell_of_weights_fills_and_bias(made):
    project = Project.load(made)
    (run,) = project.store.catalog.find(Run)
    (version,) = project.store.catalog.find(ModelVersion)
    (report,) = project.store.catalog.find(BiasReport)
    assert report.data == version.training_set
    assert run.weighing.by == ("region",)
    assert sum(cell.rows for cell in run.weighing.cells) == run.train_rows == report.rows
    assert run.weighing.effective < run.train_rows
    by_feature = {each.feature: each for each in run.imputations}
    assert by_feature["history.mean_amount_90d"].by == "mean"
    assert by_feature["history.mean_amount_90d"].share > 0
    assert "basket.category" not in by_feature
    card = project.store.blobs.get(version.card).decode()
    for words in (
        "What its data say of protected groups", "region south: ", "How much its rows counted", "tell as much as",
        "What stands in for missing values", "that it was missing",
    ):  # fmt: skip
        assert words in card
    assert "Fairness of its answers and bias in its data were not looked at" not in card
    assert "For whom are its answers worse?" in card
    assert "Fairness was measured for the groups that are declared, and for no others" in card


def test_changing_weights_or_fills_fits_again_and_makes_the_training_set_no_other(made, tmp_path):
    for old, new in (('weigh=dt.Reweigh("region")', 'weigh=dt.Reweigh("basket.category")'), ("dt.impute()]", "]")):
        folder = copy_shop(made, tmp_path / new)
        edit(folder, old, new)
        states = {step.name: step.state for step in Project.load(folder).plan()}
        assert states["training_set:returned"] == states["bias:returned"] == "done"
        assert states["train:returned"] == "run"
    folder = copy_shop(made, tmp_path / "shares")
    edit(folder, '"north": 0.5', '"north": 0.4')
    states = {step.name: step.state for step in Project.load(folder).plan()}
    assert (states["train:returned"], states["bias:returned"], states["judge:returned"]) == ("done", "run", "depends")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            'Reweigh("region")',
            'Reweigh("continent")',
            "tells rows apart by a column it does not have; found 'continent'",
        ),
        ('Protected("region"', 'Protected("history.region"', "tells rows apart by a column it does not have"),
        ('impute("history.mean', 'impute("history.median', "fills a feature it does not have"),
        ('"south": 0.5', '"south": 0.7', "no shares of one population"),
    ],
)
def test_what_stands_for_nothing_is_refused(fresh, tmp_path, old, new, said):
    folder = copy_shop(fresh, tmp_path / "shop")
    edit(folder, old, new)
    with pytest.raises((ProjectError, DrivetrainError), match=said):
        Project.load(folder)


def test_online_answers_are_those_of_batches_where_values_are_filled(made, tmp_path):
    """Customers known and unknown: the endpoint, a batch from online rows and one from tables agree bit for bit."""
    project = Project.load(copy_shop(made, tmp_path / "shop"))
    rows = pl.DataFrame(
        {
            "order_id": [f"new-{number}" for number in range(42)],
            "customer": [*(f"c{number:03d}" for number in range(40)), "nobody", "c001"],
            "category": ["books", "shoes", "unheard of"] * 14,
            "amount": [float(number) for number in range(42)],
        }
    )
    rows.write_parquet(tmp_path / "s.parquet")
    at = "2026-06-20T00:00:00Z"
    scored = {}
    for features in ("online", "offline"):
        project.predict_batch(None, tmp_path / "s.parquet", tmp_path / "p.parquet", at=at, features=features)
        scored[features] = pl.read_parquet(tmp_path / "p.parquet")["prediction"].to_list()
    assert scored["online"] == scored["offline"]
    (run,) = project.store.catalog.find(Run)
    assert sum(field.fill is not None for field in run.input_schema.fields) >= 5
    project.store.close()
    with serving(project.folder) as client:
        answers = client.predict("returned", rows.to_dicts(), at=[at] * len(rows))["predictions"]
    assert answers == scored["online"]
