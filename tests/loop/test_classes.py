"""What a model makes inherits the strictest class of what it is made of."""

from __future__ import annotations

import polars as pl
import pytest

import drivetrain as dt
from drivetrain.core.errors import ProjectError
from drivetrain.loop.classes import classes_of
from drivetrain.loop.serving_plan import plan_of


def shop(**columns):
    project = dt.Project("shop", objective="-", metric="roc_auc")
    declared = {
        "id": dt.Column("string"),
        "who": dt.Column("string", privacy="personal"),
        "at": dt.Column("time"),
        "income": dt.Column("float", privacy="sensitive"),
        "size": dt.Column("float", privacy="public"),
        "y": dt.Column("int"),
    }
    orders = project.source(
        "orders", dt.files("raw/*.csv"), key="id", time="at", contract=dt.Contract({**declared, **columns})
    )
    past = project.feature_view(
        "past",
        entity=dt.Entity("buyer", keys=["buyer"]),
        source=orders,
        on={"buyer": "who"},
        features=[dt.count(windows=["1d"]), dt.mean("size", windows=["1d"]), dt.mean("income", windows=["1d"])],
    )

    @project.request_features(inputs={"size": "float", "income": "float"})
    def asked(request):
        return [pl.col("size").log1p().alias("log"), (pl.col("size") / pl.col("income")).alias("burden")]

    ratio = project.feature_view(
        "ratio", of=[past, asked], features=[(pl.col("past.mean_size_1d") / pl.col("asked.burden")).alias("both")]
    )
    return project, orders, past, asked, ratio


def model_of(project, orders, features):
    return project.model(
        "m", label=dt.label(orders, pl.col("y") == 1), features=features, trainer=dt.LightGBM(),
        split=dt.TimeSplit(test="1d", valid="1d"),
    )  # fmt: skip


def test_each_inherits_the_strictest_of_what_it_reads():
    project, orders, past, asked, ratio = shop()
    classes = classes_of(model_of(project, orders, [past, asked, ratio]))
    assert classes.features == {
        "past.count_1d": "internal",
        "past.mean_size_1d": "public",
        "past.mean_income_1d": "sensitive",
        "asked.log": "public",
        "asked.burden": "sensitive",
        "ratio.both": "sensitive",
    }
    assert classes.fields["buyer"] == "personal"  # by the column that it is looked up in
    assert classes.fields["income"] == "sensitive"
    assert classes.prediction == "personal"


def test_a_prediction_from_nothing_sensitive_is_internal_and_withholds_nothing():
    project, orders, past, *_ = shop(income=dt.Column("float", privacy="personal"))
    model = model_of(project, orders, [past])
    assert classes_of(model).prediction == "internal"
    assert plan_of(project.endpoint("m", model=model)).withheld == frozenset()


def test_keys_that_are_treated_otherwise_on_both_sides_are_refused():
    project, orders, past, *_ = shop(buyer=dt.Column("string", treat=dt.pseudonym(key="env:K")))
    with pytest.raises(ProjectError, match="looks 'buyer' of 'orders' up in 'who'"):
        model_of(project, orders, [past])


def test_a_sealed_field_is_no_field_of_a_request():
    project, orders, _, asked, _ = shop(income=dt.Column("float", treat=dt.vault(key="env:K", subject="who")))
    model = model_of(project, orders, [asked])
    with pytest.raises(ProjectError, match="reads 'income' of a request, which is sealed"):
        plan_of(project.endpoint("m", model=model))
