from __future__ import annotations

import json
import time

import numpy as np
import polars as pl
import pytest
from tests.loop.shop import command, copy_shop, edit, make_shop

from drivetrain.core.clock import datetime_of
from drivetrain.core.errors import UnknownName
from drivetrain.core.progress import Silent
from drivetrain.core.records import TableVersion
from drivetrain.data.ingest import ingest
from drivetrain.loop.project import Project


@pytest.fixture
def project(made_shop, tmp_path):
    return Project.load(copy_shop(made_shop, tmp_path / "shop"))


def values_of(group, name):
    return next(one.values for one in group.features if one.name == name)


def test_each_view_says_whose_how_fresh_and_who_uses_it(project):
    history, basket = project.features()
    assert (history.entity, history.keys, history.key_privacy) == ("customer", ("customer",), "personal")
    assert (history.source, history.ttl, history.used_by) == ("orders", "180d", ("returned",))
    orders = project.store.tables.read("orders")
    assert history.online.entities == orders["customer"].n_unique()
    assert history.online.newest == orders["_available_at"].max().isoformat().replace("+00:00", "Z")
    assert (history.online.table, history.online.behind) == ("orders@0", 0)
    assert [one.name for one in history.features] == list(project.views["history"].feature_names)
    assert basket.online is None
    assert (basket.source, basket.entity, basket.used_by) == (None, "the request itself", ("returned",))


def test_values_are_those_of_the_training_set(project):
    history, basket = project.features()
    trained = project.training_set()
    assert history.values_from == "the 6,000 rows of training set training/returned@0"
    for group in (history, basket):
        for one in group.features:
            assert one.values.rows == trained.height
            assert one.values.null_share == pytest.approx(trained[one.name].null_count() / trained.height)
    mean = values_of(history, "history.mean_amount_90d")
    known = trained["history.mean_amount_90d"].drop_nulls().to_numpy()
    assert mean.quantiles["0.95"] == pytest.approx(np.quantile(known, 0.95))
    category = values_of(basket, "basket.category")
    assert category.top[0] == ("lamps", (trained["category"] == "lamps").mean())


def test_before_anything_ran_it_says_so(tmp_path):
    project = Project.load(make_shop(tmp_path / "shop"))
    history, basket = project.features()
    assert history.online is None
    assert history.values_from is basket.values_from is None
    assert all(one.values is None for one in (*history.features, *basket.features))
    told = command(project.folder, "features").stdout
    assert "online: never filled. To fill it: drivetrain run --only data" in told
    assert "not known yet" in told


def test_a_definition_no_training_set_has_is_shown_by_what_entities_have_now(made_shop, tmp_path):
    folder = copy_shop(made_shop, tmp_path / "shop")
    edit(folder, 'dt.mean("amount", windows=["90d"])', 'dt.mean("amount", windows=["60d"])')
    project = Project.load(folder)
    history, basket = project.features()
    assert history.online is None  # the old definition's rows are not this one's
    assert "entities as of 2026-07-13" in history.values_from
    assert "no training set has them yet" in history.values_from
    orders = project.store.tables.read("orders")
    at = project.store.catalog.find(TableVersion, "orders")[0].last_available
    seen = orders.filter(pl.col("_event_time") > datetime_of(at - 60 * 86_400_000_000))
    expected = seen.group_by("customer").agg(pl.col("amount").mean())["amount"].median()
    assert values_of(history, "history.mean_amount_60d").quantiles["0.5"] == pytest.approx(expected)
    assert values_of(history, "history.mean_amount_60d").rows == orders["customer"].n_unique()
    assert "training/returned@0" in basket.values_from  # that definition is as it was


def test_another_models_change_does_not_make_a_training_set_another_views(made_shop, tmp_path):
    folder = copy_shop(made_shop, tmp_path / "shop")
    edit(folder, 'pl.col("returned") == 1),\n    features', 'pl.col("returned") == 0),\n    features')
    history, _ = Project.load(folder).features()
    assert history.values_from == "the 6,000 rows of training set training/returned@0"


def test_rows_that_wait_to_come_in_are_counted(project):
    head, *rows = (project.folder / "raw" / "orders.csv").read_text().splitlines()
    late = [f"late-{number},{row.partition(',')[2]}" for number, row in enumerate(rows[:3])]
    (project.folder / "raw" / "more.csv").write_text("\n".join([head, *late]) + "\n")
    before = project.features("history")[0].online
    ingest(project.store, project.sources["orders"], folder=project.folder, now=1, progress=Silent(), sources={})
    (history,) = project.features("history")
    assert (history.online.behind, history.online.materialised) == (3, before.materialised)
    assert "3 rows wait to come in" in command(project.folder, "features", "history").stdout
    project.run(only="data")
    assert project.features("history")[0].online.behind == 0


def test_figures_of_what_is_personal_are_masked(made_shop, tmp_path):
    folder = copy_shop(made_shop, tmp_path / "shop")
    edit(folder, '"amount": dt.Column("float", low=0)', '"amount": dt.Column("float", low=0, privacy="personal")')
    edit(folder, '"category": dt.Column("string", nullable=False)', '"category": dt.Column("string", privacy="secret")')
    project = Project.load(folder)
    history, basket = project.features()
    masked = values_of(history, "history.mean_amount_90d")
    assert masked.masked
    assert masked.quantiles == {}
    assert masked.shape
    assert not values_of(history, "history.count_30d").masked
    assert values_of(basket, "basket.category").top == ()
    told = command(folder, "features").stdout
    assert "dresses" not in told
    assert "masked" in told
    assert "dresses" not in command(folder, "features", "--json").stdout


def test_the_command_fits_the_terminal_and_is_json_for_programs(project, monkeypatch):
    for columns in ("80", "120"):
        monkeypatch.setenv("COLUMNS", columns)
        for words in ((), ("history",), ("basket",)):
            told = command(project.folder, "features", *words).stdout
            assert max(map(len, told.splitlines())) <= int(columns)
            assert "Traceback" not in told
    monkeypatch.setenv("COLUMNS", "120")
    told = command(project.folder, "features", "history").stdout
    assert "mean of amount over 90 days up to the request, from orders available then" in told
    assert "basket" not in told
    assert [one["name"] for one in json.loads(command(project.folder, "features", "--json").stdout)] == [
        "history",
        "basket",
    ]
    missing = command(project.folder, "features", "nope", check=False)
    assert missing.returncode == 2
    assert "no such feature view; found 'nope'; expected one of history, basket" in missing.stderr


def test_it_changes_nothing_and_takes_no_time(project):
    revision = project.store.catalog.revision()
    began = time.perf_counter()
    project.features()
    assert time.perf_counter() - began < 1.0
    assert project.store.catalog.revision() == revision


def test_a_name_nothing_goes_by(project):
    with pytest.raises(UnknownName, match="no such feature view"):
        project.features("nope")
