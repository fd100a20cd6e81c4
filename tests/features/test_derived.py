from __future__ import annotations

import math
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given, settings

from drivetrain.core.errors import FeatureError, ProjectError
from drivetrain.features.aggregate import count, last, mean, top_k
from drivetrain.features.derived import DerivedView, read_by
from drivetrain.features.entity import Entity
from drivetrain.features.request import RequestFeatures
from drivetrain.features.training_set import build
from drivetrain.features.view import FeatureView
from features.cases import REQUESTS, UTC, Table, frame_of, tables

ENTITY = Entity("thing", ["key"])
AMOUNTS = [mean("x", windows=[10, None]), count(windows=[10]), last("s"), top_k("s", 1)]


def view_of(*features, name="v"):
    return FeatureView(name=name, entity=ENTITY, source=Table(), features=features or AMOUNTS)


def derived(*expressions, of=None, **more):
    return DerivedView(name="d", of=(view_of(),) if of is None else of, expressions=expressions, **more)


RATIO = (pl.col("v.mean_x_10us") / pl.col("v.mean_x_all")).alias("ratio")


def labels_of(requests):
    schema = {"key": pl.String, "_at": UTC, "amount": pl.Int64}
    return pl.DataFrame([(key, at, 3) for key, at in requests], schema=schema, orient="row")


@settings(deadline=None, max_examples=40)
@given(tables(), REQUESTS)
def test_it_is_what_its_expressions_say_of_the_features(rows, requests):
    view, labels = view_of(), labels_of(requests)
    calls = RequestFeatures(name="r", function=lambda _: [pl.col("amount").alias("amount")], inputs={"amount": "float"})
    over = (pl.col("r.amount") - pl.col("amount") + pl.col("v.count_10us")).alias("over")
    first = derived(RATIO, over, of=(view, calls), inputs={"amount": "int"})
    second = DerivedView(
        name="e",
        of=(first, view),
        expressions=((pl.col("d.over") * 2).alias("twice"), (pl.col("v.s") == pl.col("v.top_s_1_all")).alias("usual")),
    )
    source = lambda _: frame_of(rows).lazy()  # noqa: E731
    whole = build(labels, [view], [calls], source, [first, second])
    expected = whole.select(
        (pl.col("v.mean_x_10us") / pl.col("v.mean_x_all")).alias("d.ratio"),
        pl.col("v.count_10us").alias("d.over"),
        (pl.col("v.count_10us") * 2).alias("e.twice"),
        (pl.col("v.s") == pl.col("v.top_s_1_all")).alias("e.usual"),
    )
    assert whole.select("^[de]\\..*$").equals(expected)
    alone = build(labels, [], [], source, [second])
    assert alone.columns == [*labels.columns, "e.twice", "e.usual"]
    assert alone.equals(whole.select(alone.columns))


def test_what_it_reads_comes_before_it_and_only_that():
    view, other = view_of(), view_of(name="other")
    first = derived(RATIO, of=(other, view))
    second = DerivedView(name="e", of=(first, other), expressions=((pl.col("d.ratio") + 1).alias("more"),))
    assert read_by([second]) == (view, first, second)


def test_the_digest_follows_what_is_read_and_nothing_else():
    same = [mean("x", windows=[10, None]), last("s")]
    assert derived(RATIO).digest == derived(RATIO, of=(view_of(*same, count()),), description="d", owner="o").digest
    others = [
        derived(RATIO.alias("other")),
        derived((pl.col("v.mean_x_10us") * pl.col("v.mean_x_all")).alias("ratio")),
        derived(RATIO, of=(view_of(mean(pl.col("x") + 1, windows=[10, None], name="mean_x")),)),
        derived(RATIO, of=(replace(view_of(*same), delay=5),)),
    ]
    assert len({one.digest for one in [derived(RATIO), *others]}) == 5
    field = (pl.col("amount") * pl.col("v.mean_x_all")).alias("f")
    asked = [derived(field, inputs=inputs) for inputs in ({"amount": "int"}, {"amount": "float"})]
    assert asked[0].digest != asked[1].digest
    assert derived(RATIO).digest == derived(RATIO, inputs={"amount": "int"}).digest


def test_it_is_told_in_words():
    assert derived(RATIO).words() == {"d.ratio": "v.mean_x_10us / v.mean_x_all, at the moment of the request"}


def test_constants_are_a_row_each():
    made = derived(pl.lit(1).alias("one")).evaluate(pl.DataFrame({"key": ["a", "b"]}))
    assert made.rows() == [(1,), (1,)]


def test_values_looked_up_online_read_as_those_of_a_training_set():
    usual = derived((pl.col("v.s").str.len_chars() + pl.col("v.count_10us")).alias("n"), RATIO)
    assert usual.column("v.mean_x_all", [math.nan, 1.0]).to_list() == [None, 1.0]
    assert usual.column("v.s", [math.nan, "p", None]).to_list() == [None, "p", None]
    assert usual.column("v.s", [math.nan, None]).dtype == pl.String
    assert usual.column("v.count_10us", [math.nan]).dtype == pl.Float64
    flag = derived(pl.when(pl.col("v.s")).then(1).otherwise(2).alias("n"))
    assert flag.column("v.s", [None]).dtype == pl.Boolean
    assert flag.column("v.s", [True, None]).to_list() == [True, None]


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (
            lambda: derived((pl.col("v.gone") * 2).alias("x")),
            r"feature d.x reads what is not there; found v.gone; .*v.mean_x_10us",
        ),
        (lambda: derived(pl.col("v.mean_x_all") * 2), "without a name of its own"),
        (lambda: derived(RATIO.shift(1)), "looks at other rows"),
        (lambda: derived(RATIO, RATIO), "features of the same name"),
        (derived, "has no features"),
        (lambda: derived(mean("x")), "something that is no expression"),
        (lambda: derived(RATIO, inputs={"amount": "money"}), "inputs of unknown types"),
        (
            lambda: derived(pl.col("v.mean_x_all").str.len_chars().alias("x")),
            "can't be computed.*aggregates are numbers",
        ),
    ],
)
def test_bad_declarations_are_named(made, message):
    with pytest.raises(ProjectError, match=message):
        made()


def test_bad_frames_are_named():
    with pytest.raises(
        FeatureError, match=r"lacks features; found \['a'\]; expected \['v.mean_x_10us', 'v.mean_x_all'\]"
    ):
        derived(RATIO).evaluate(pl.DataFrame({"a": [1]}))
    texts = pl.DataFrame({"v.mean_x_10us": ["a"], "v.mean_x_all": [1.0]})
    with pytest.raises(FeatureError, match="view 'd' can't be computed"):
        derived(RATIO).evaluate(texts)
