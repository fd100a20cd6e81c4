"""Windows of a shop, closely: groups, segments and worth, with values from request, feature and table."""

from __future__ import annotations

import dataclasses
import random

import msgspec
import numpy as np
import polars as pl
import pytest
from tests.loop.shop import copy_shop, edit, make_shop

import drivetrain as dt
from drivetrain.core.clock import DAY, HOUR, iso, micros_of
from drivetrain.core.records import (
    Alert,
    Evaluation,
    FairnessReport,
    Feedback,
    ModelVersion,
    MonitorReport,
    Prediction,
    Run,
)
from drivetrain.core.records.deciding import Decided, ThresholdChoice
from drivetrain.features.encoding import encode
from drivetrain.loop import reasons as closer_reasons
from drivetrain.loop.attributes import attributes_of
from drivetrain.loop.evaluated import evaluated_rows
from drivetrain.loop.project import Project
from drivetrain.loop.threshold import threshold_of
from drivetrain.registry.load import predict_version
from drivetrain.serve.log.columns import feedback_frame, feedback_table, predictions_frame, predictions_table

START = micros_of("2026-07-01")
CATEGORIES = ("books", "dresses", "lamps", "phones", "shoes")
DECLARED = """slices=["basket.category"],
    protected=["region", "basket.category"],
"""
MONITOR = (
    'retrain=dt.Retrain(when=["performance"]',
    "performance=dt.Performance(metric='roc_auc', also={}, min_labels=50), drift=None, "
    "segments=dt.Segments(drop=0.05), runbooks={'fairness': 'https://wiki/fair'}, "
    'retrain=dt.Retrain(when=["performance"]',
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A shop whose orders come from two regions that the model does not read, and no request names."""
    folder = make_shop(tmp_path_factory.mktemp("groups") / "shop")
    orders = pl.read_csv(folder / "raw" / "orders.csv")
    south = np.random.default_rng(1).random(len(orders)) < 0.4
    orders.with_columns(region=pl.Series(np.where(south, "south", "north"))).write_csv(folder / "raw" / "orders.csv")
    edit(folder, '"returned": dt.Column', '"region": dt.Column("string"),\n            "returned": dt.Column')
    edit(folder, 'slices=["basket.category"],\n', DECLARED)
    edit(folder, *MONITOR)
    project = Project.load(folder)
    project.run(at="2026-06-30")
    project.store.close()
    return folder


@pytest.fixture
def project(made, tmp_path):
    loaded = Project.load(copy_shop(made, tmp_path / "shop"))
    yield loaded
    loaded.store.close()


def asked(project, *, since=START, a_day=300, turned=0.0, blind="", brought=1.0, wrong=False):
    """A week of orders as a server logs them, their labels, and their rows, of which a share reaches the table."""
    dice = random.Random(since % 1_000_003)
    version = project.store.catalog.get(ModelVersion, "returned@1")
    fields = version.input_schema.fields
    predictions, labels, rows = [], [], []
    for number in range(7 * a_day):
        at = since + number * (DAY // a_day)
        order, region, category = (
            f"n{since}-{number}",
            dice.choices(["north", "south"], [6, 4])[0],
            dice.choice(CATEGORIES),
        )
        truth = float(dice.random() < 0.3)
        skill = -0.3 if category == blind or wrong else 0.3
        said = 0.3 + skill * (truth - 0.3) + turned * (region == "south") + dice.gauss(0, 0.15)
        values = {"basket.category": float(dict(zip(CATEGORIES, range(5), strict=True))[category])}
        predictions.append(
            Prediction(
                request_id=order, row=0, endpoint="returned", at=at, logged_at=at, model="returned", version=1,
                role="champion", entity=order,
                request=msgspec.Raw(f'{{"category":"{category}","amount":9.5}}'.encode()),
                values=[values.get(field.name, 0.0) for field in fields], ages=[0.0],
                prediction=min(0.99, max(0.01, said)), latency_us=100,
            )
        )  # fmt: skip
        labels.append(Feedback(endpoint="returned", label=truth, at=at + HOUR, logged_at=at + HOUR, entity=order))
        if dice.random() < brought:
            rows.append({"order_id": order, "customer": "c001", "ordered": iso(at), "decided": iso(at + 14 * DAY),
                         "category": category, "amount": 9.5, "returned": int(truth), "region": region})  # fmt: skip
    project.store.tables.append(predictions_table("returned"), predictions_frame(predictions))
    project.store.tables.append(feedback_table("returned"), feedback_frame(labels))
    if rows:
        columns = pl.read_csv(project.folder / "raw" / "orders.csv").columns
        pl.DataFrame(rows).select(columns).write_csv(project.folder / "raw" / f"orders-{since}.csv")
        project.run(only="data")
    return pl.DataFrame(rows), predictions


def window(project):
    return project.store.catalog.find(MonitorReport, "returned")[0]


def alerts(project):
    return {one.rule: one for one in project.store.catalog.find(Alert, "returned") if one.state == "open"}


def test_a_calm_week_shows_groups_and_segments_and_says_nothing(project):
    rows, predictions = asked(project)
    project.tick(START + 7 * DAY)
    report = window(project)
    seen = report.groups
    assert seen.origins == {"region": "table orders", "basket.category": "the logged feature"}
    assert seen.known == {"region": 1.0, "basket.category": 1.0}
    then = project.store.catalog.find(FairnessReport)[0]
    assert seen.threshold == then.threshold
    acted = np.array([one.prediction for one in predictions]) >= seen.threshold
    south = next(group for group in seen.groups if group.attributes == {"region": "south"})
    assert south.rates["selection_rate"].value == pytest.approx(acted[(rows["region"] == "south").to_numpy()].mean())
    assert south.rates["true_positive_rate"].low is not None
    assert {one.value for one in report.segments} == set(CATEGORIES)
    assert all(one.now.low < one.now.value < one.now.high for one in report.segments)
    assert all(one.then is not None for one in report.segments)
    assert alerts(project) == {}


def test_groups_are_told_by_the_threshold_that_worth_goes_by(project):
    """Also of a version whose threshold was chosen by cost."""
    version = project.store.catalog.get(ModelVersion, "returned@1")
    run = project.store.catalog.get(Run, version.run_id)
    chosen = ThresholdChoice(value=0.37, costs={}, cost=0.0, share=0.5, exact=0.37)
    decided = Decided(rows=1, of="the validation rows", since=0, until=1, threshold=chosen)
    project.store.catalog.commit(msgspec.structs.replace(run, decided=decided))
    asked(project)
    project.tick(START + 7 * DAY)
    assert window(project).groups.threshold == threshold_of(project, version) == 0.37


def test_a_group_that_is_said_yes_to_more_often_is_told_and_ends(project):
    asked(project, turned=0.25)
    asked(project, since=START + 7 * DAY)
    project.tick(START + 7 * DAY)
    found = alerts(project)["fairness.demographic_parity_difference"]
    assert "by region is 0." in found.message
    assert "farthest apart are north (" in found.message
    assert found.runbook == "https://wiki/fair"
    assert "treats one group of people otherwise" in found.meaning
    assert "segment.roc_auc" not in alerts(project)
    project.tick(START + 14 * DAY)
    assert alerts(project) == {}


def test_a_category_that_is_answered_the_wrong_way_round_is_told_though_the_whole_is_not(project):
    asked(project, blind="lamps")
    project.tick(START + 7 * DAY)
    found = alerts(project)["segment.roc_auc"]
    assert "where basket.category is lamps" in found.message
    assert "shoes" not in found.message


def test_what_no_table_knows_yet_is_said_and_other_attributes_are_told(project):
    asked(project, brought=0.0)
    project.tick(START + 7 * DAY)
    seen = window(project).groups
    assert seen.unknown == {"region": "table orders says it of none of these answers"}
    assert {tuple(group.attributes) for group in seen.groups} == {("basket.category",)}


def test_a_label_named_by_another_column_hides_no_attribute(project):
    """The log names a prediction by the key of the label's source, whatever the label's own name for a row is."""
    asked(project)
    endpoint = project.endpoints["returned"]
    label = dataclasses.replace(endpoint.model.label, entity="region")
    endpoint = dataclasses.replace(endpoint, model=dataclasses.replace(endpoint.model, label=label))
    rows = project.store.tables.read(predictions_table("returned"))
    version = project.store.catalog.get(ModelVersion, "returned@1")
    assert attributes_of(project, endpoint, version, rows, ["region"]).known["region"].all()


def test_rows_that_come_later_are_in_the_share_that_is_known(project):
    asked(project, brought=0.5)
    project.tick(START + 7 * DAY)
    seen = window(project).groups
    assert seen.known["region"] == pytest.approx(0.5, abs=0.05)
    by_region = [group for group in seen.groups if tuple(group.attributes) == ("region",)]
    assert sum(group.rows for group in by_region) == pytest.approx(1_050, abs=100)


def test_values_are_those_of_the_training_set(project):
    _, predictions = asked(project, brought=0.0)
    frame = predictions_frame(predictions)
    version = project.store.catalog.get(ModelVersion, "returned@1")
    told = attributes_of(
        project, project.find_endpoint("returned"), version, frame, ["basket.category", "category", "amount", "mood"]
    )
    assert told.columns["basket.category"].to_list() == told.columns["category"].to_list()
    assert told.columns["amount"].to_list() == [9.5] * frame.height
    assert told.origins == {"basket.category": "the logged feature", "category": "the request", "amount": "the request"}
    assert told.unknown == {"mood": "no table or request holds its values"}


MONEY = 'dt.Business(value=pl.when("acted").then(pl.col("label") * 30 - 5).otherwise(0.0), unit="EUR", drop=200)'


def priced(project, business):
    """The same shop, with a business metric."""
    folder = project.folder
    project.store.close()
    edit(folder, "drift=None, ", f"drift=None, business={business}, ")
    return Project.load(folder)


def test_what_answers_bring_is_told_beside_what_they_brought_when_tested(project):
    shop = priced(project, MONEY)
    asked(shop)
    shop.tick(START + 7 * DAY)
    seen = window(shop).worth
    version = shop.store.catalog.get(ModelVersion, "returned@1")
    evaluation = shop.store.catalog.get(Evaluation, version.run_id)
    table, number = evaluation.data.removeprefix("table:").split("@")
    rows = shop.store.tables.read(table, int(number)).filter(pl.col("_label").is_not_null())
    test = rows.filter(pl.col("_at").dt.epoch("us").is_between(evaluation.since, evaluation.until, closed="left"))
    assert test.height == evaluation.rows
    acted = predict_version(shop.store, version, test) >= shop.store.catalog.find(FairnessReport)[0].threshold
    worth = np.where(acted, test["_label"].cast(float).to_numpy() * 30 - 5, 0)
    assert seen.then.value == pytest.approx(1_000 * worth.mean())
    assert seen.then.count == evaluation.rows
    assert seen.now.low < seen.now.value < seen.now.high
    assert "business.value" not in alerts(shop)
    shop.store.close()


def test_less_than_it_brought_is_told(project):
    shop = priced(project, MONEY)
    asked(shop, turned=0.0, wrong=True)
    shop.tick(START + 7 * DAY)
    found = alerts(shop)["business.value"]
    assert found.severity == "critical"
    assert "value of 1,000 predictions was -" in found.message
    assert "brings less than it was shown to bring" in found.meaning
    shop.store.close()


@pytest.mark.parametrize(
    ("business", "said"),
    [
        ("dt.Business()", "neither the monitor nor the model says what a row is worth"),
        ('dt.Business(value=pl.col("label") * pl.col("mood"))', "mood: no table or request holds its values"),
        ('dt.Business(value=pl.col("label").cast(pl.String) + "x")', "business metric 'value' can't be computed"),
    ],
)
def test_why_there_is_no_figure_is_said(project, business, said):
    shop = priced(project, business)
    asked(shop)
    shop.tick(START + 7 * DAY)
    assert said in window(shop).worth.note
    assert window(shop).performance, "the rest of the window is told"
    shop.store.close()


def test_worth_may_read_the_request_and_the_table(project):
    shop = priced(project, 'dt.Business(value=pl.col("label") * pl.col("amount") * (pl.col("region") == "south"))')
    rows, _ = asked(shop)
    shop.tick(START + 7 * DAY)
    expected = (rows["returned"] * rows["amount"] * (rows["region"] == "south")).mean() * 1_000
    assert window(shop).worth.now.value == pytest.approx(expected)
    assert window(shop).worth.then is not None
    shop.store.close()


def explained(project, *, since=START, away=False):
    """A week of answers to rows like those of the evaluation; the customers' history may be away."""
    version = project.store.catalog.get(ModelVersion, "returned@1")
    evaluation = project.store.catalog.get(Evaluation, version.run_id)
    seen = evaluated_rows(project, version, evaluation)
    values = encode(seen.rows, version.input_schema)
    if away:
        values[:, [name.startswith("history.") for name in version.input_schema.names]] = np.nan
    picks = np.random.default_rng(since % 997).integers(0, len(values), 1_000)
    predictions = [
        Prediction(
            request_id=f"{since}-{number}", row=0, endpoint="returned", at=since + number * (7 * DAY // 1_000),
            logged_at=since, model="returned", version=1, role="champion", entity=f"{since}-{number}",
            request=msgspec.Raw(b"{}"), values=values[place].tolist(), ages=[0.0], prediction=0.3, latency_us=100,
        )
        for number, place in enumerate(picks)
    ]  # fmt: skip
    project.store.tables.append(predictions_table("returned"), predictions_frame(predictions))


def watching_reasons(project):
    folder = project.folder
    project.store.close()
    edit(folder, "drift=None, ", "drift=None, attribution=dt.Attribution(), ")
    return Project.load(folder)


def test_what_moves_the_answers_is_told_and_what_is_as_it_was_is_not(project):
    shop = watching_reasons(project)
    explained(shop)
    explained(shop, since=START + 7 * DAY, away=True)
    shop.tick(START + 7 * DAY)
    calm = window(shop).attribution
    assert (calm.note, calm.rows, calm.drifted) == ("", 300, False)
    assert sum(one.now for one in calm.features) == pytest.approx(1)
    assert "attribution" not in alerts(shop)
    shop.tick(START + 14 * DAY)
    seen = window(shop).attribution
    assert seen.asked == calm.asked, "the evaluation is explained once"
    assert {one.feature: one.then for one in seen.features} == {one.feature: one.then for one in calm.features}
    found = alerts(shop)["attribution"]
    assert "less by history." in found.message
    assert "for other reasons than those that were tested" in found.meaning
    shop.store.close()


def test_why_nothing_is_explained_is_said(project, monkeypatch):
    shop = watching_reasons(project)
    explained(shop)
    monkeypatch.setattr(closer_reasons, "evaluated_rows", lambda *_: "the training set is gone")
    shop.tick(START + 7 * DAY)
    assert window(shop).attribution.note == "the training set is gone"
    assert "attribution" not in alerts(shop)
    shop.store.close()


def test_a_canary_is_shown_beside_its_guardrails(project):
    second = msgspec.structs.replace(project.store.catalog.get(ModelVersion, "returned@1"), version=2, run_id="other")
    project.store.catalog.commit(second)
    rails = (dt.Guardrail.errors(0.05), dt.Guardrail.slow("50ms", 0.1), dt.Guardrail.outcome(0.1))
    asked_for = dt.Canary(version=2, steps=(0.3,), guardrails=rails, overrides={"tester": "canary"})
    policy = project.route("returned", asked_for, because="new", at=START)
    _, predictions = asked(project)
    own = [
        msgspec.structs.replace(
            one,
            request_id=f"c-{one.request_id}",
            version=1 if number % 50 == 0 else 2,
            role="champion" if number % 50 == 0 else "challenger",
            failed=2 if number % 50 == 0 else 0,
            experiment=policy.experiment,
            arm="canary",
            probability=1.0 if number % 10 == 1 else 0.3,
        )
        for number, one in enumerate(predictions[:1_000])
    ]
    project.store.tables.append(predictions_table("returned"), predictions_frame(own))
    project.tick(START + 7 * DAY)
    [seen] = window(project).experiments
    assert (seen.experiment, seen.mode) == (policy.experiment, "canary")
    assert seen.guardrails == (
        "at most 5 % left to others",
        "at most 10 % slower than 50ms",
        "a mean label at most 0.1 below the champion's",
    )
    [arm] = seen.arms
    assert (arm.name, arm.version, arm.answers) == ("canary", 2, 900)
    assert arm.failed == pytest.approx(20 / 900)
    assert arm.labelled == 900
    assert 0.2 < arm.label.value < 0.4
