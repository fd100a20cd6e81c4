"""Features made from other features, from the declaration to skew."""

from __future__ import annotations

import json

import polars as pl
import pytest
from tests.loop.shop import ORDER, command, copy_shop, edit, make_shop, serving

import drivetrain as dt
from drivetrain.core.errors import ProjectError
from drivetrain.core.records import ModelVersion
from drivetrain.features.aggregate import count
from drivetrain.features.entity import Entity
from drivetrain.loop.project import Project
from drivetrain.serve.log.columns import predictions_table

RATIOS = """
ratios = project.feature_view(
    "ratios",
    of=[history, basket],
    inputs={"amount": "float"},
    features=[
        (pl.col("amount") / pl.col("history.mean_amount_90d")).alias("beside_usual"),
        (pl.col("history.count_30d") / pl.col("history.count_90d")).alias("rise"),
        (pl.col("basket.category") == pl.col("history.category")).alias("again"),
        pl.col("history.mean_amount_90d").is_null().alias("new"),
    ],
    description="This order beside the customer's last ones",
    owner="checkout",
)
twice = project.feature_view("twice", of=[ratios], features=[(pl.col("ratios.rise") * 2).alias("rise")])


model = """
NAMES = ["ratios.beside_usual", "ratios.rise", "ratios.again", "ratios.new", "twice.rise"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = make_shop(tmp_path_factory.mktemp("derived") / "shop")
    edit(folder, "\n\nmodel = ", RATIOS)
    edit(folder, 'dt.mean("amount", windows=["90d"]),', 'dt.mean("amount", windows=["90d"]), dt.last("category"),')
    edit(folder, "features=[basket, history]", "features=[basket, ratios, twice]")
    project = Project.load(folder)
    assert project.run(at="2026-06-30").refused == ()
    project.store.close()
    return folder


def test_what_is_served_is_what_a_training_set_has(made, tmp_path):
    folder = copy_shop(made, tmp_path / "shop")
    customers = [*(f"c{number:03d}" for number in range(12)), "nobody yet"]
    with serving(folder) as client:
        for number, customer in enumerate(customers):
            order = {**ORDER, "order_id": f"new-{number}", "customer": customer}
            answer = client.predict("returned", [order], at=f"2026-06-{15 + number}T12:00:00Z")
        many = [{**ORDER, "order_id": f"many-{customer}", "customer": customer} for customer in customers]
        assert len(client.predict("returned", many, at="2026-06-29T12:00:00Z")["predictions"]) == len(customers)
        told = json.loads(command(folder, "trace", answer["request_id"], "--json").stdout)
    values = {feature["name"]: feature["value"] for feature in told["features"]}
    assert {name: values[name] for name in NAMES} == dict.fromkeys(NAMES) | {"ratios.new": True}
    project = Project.load(folder)
    found = project.skew()
    assert found["mismatches"] == {}
    assert found["predictions"] == 2 * len(customers)
    assert found["values"] == found["predictions"] * len(values)
    logged = project.store.tables.read(predictions_table("returned"))["values"].to_list()
    assert sum(value == value for row in logged for value in row[-5:]) > 80


def test_the_training_set_has_the_models_columns_and_no_others(made, tmp_path):
    project = Project.load(copy_shop(made, tmp_path / "shop"))
    table = project.training_set()
    assert [name for name in table.columns if name.startswith(("history.", "ratios.", "twice."))] == NAMES
    version = project.store.catalog.get(ModelVersion, "returned@1")
    assert version.features.keys() == {"basket", "ratios", "twice"}
    assert table["ratios.again"].dtype == pl.Boolean
    assert table["twice.rise"].equals((table["ratios.rise"] * 2).alias("twice.rise"))


def test_only_what_is_read_makes_a_training_set_out_of_date(made, tmp_path):
    def states(old, new, name):
        folder = copy_shop(made, tmp_path / name)
        edit(folder, old, new)
        return {step.name: step.state for step in Project.load(folder).plan()}

    aside = states('name="returned", windows=["90d", "180d"]', 'name="returned", windows=["60d", "180d"]', "aside")
    assert (aside["online:history"], aside["training_set:returned"]) == ("run", "done")
    read = states(
        'dt.count(windows=["30d", "90d"])', 'dt.count(where=pl.col("amount") > 1, windows=["30d", "90d"])', "read"
    )
    assert (read["online:history"], read["training_set:returned"]) == ("run", "run")


def test_it_is_listed_with_what_it_inherits(made, tmp_path):
    project = Project.load(copy_shop(made, tmp_path / "shop"))
    ratios = project.features("ratios")[0]
    assert (ratios.entity, ratios.keys, ratios.owner) == ("other features", ("history", "basket", "amount"), "checkout")
    assert ratios.used_by == ("returned",)
    assert [one.name for one in ratios.features] == NAMES[:4]
    assert ratios.features[0].words == "amount / history.mean_amount_90d, at the moment of the request"
    assert ratios.features[0].values.rows == 6_000
    assert project.features("history")[0].used_by == ("returned",)
    assert len(project.features()) == 4


def declared():
    project = dt.Project("p")
    orders = project.source("orders", dt.files("raw/*.csv"), key="id", time="at")
    card = project.feature_view(
        "card", entity=Entity("card", "card"), source=orders, on={"card": "card_number"}, features=[count()]
    )
    return project, orders, card


def test_a_view_may_call_its_key_otherwise_than_the_table_does():
    _, _, card = declared()
    assert card.key_columns == ("card_number",)


def test_request_features_may_say_whose_they_are():
    project, *_ = declared()
    made = project.request_features(
        lambda _: [pl.col("x").alias("x")], inputs={"x": "int"}, owner="me", description="d"
    )
    assert (made.owner, made.description) == ("me", "d")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"ttl": "7d", "entity": Entity("a", "b")}, "has no rows of its own; found entity=, ttl="),
        ({"name": "card"}, "two groups of features are called 'card'"),
        ({"of": None, "inputs": {"a": "int"}}, "needs to know what it is made from.*inputs="),
        ({"of": None}, "needs to know what it is made from; expected entity= and source=, or of="),
        (
            {"features": [pl.col("card.count_7d").alias("x")]},
            r"reads what is not there; found card.count_7d.*card.count_all",
        ),
    ],
)
def test_bad_declarations_are_named(more, message):
    project, _, card = declared()
    given = {"name": "d", "of": [card], "features": [(pl.col("card.count_all") + 1).alias("x")], **more}
    with pytest.raises(ProjectError, match=message):
        project.feature_view(**given)
