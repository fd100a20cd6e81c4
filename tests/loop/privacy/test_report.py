"""What personal data there is is told: where, why, how long, and who read it; and what is too old goes."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from tests.loop.shop import copy_shop, edit, make_shop

from drivetrain.core.clock import DAY, datetime_of, now
from drivetrain.loop.privacy.retention import retain_tables
from drivetrain.loop.project import Project
from drivetrain.serve.log.columns import predictions_frame
from drivetrain.serve.log.retain import retain
from serve.records import prediction


@pytest.fixture
def shop(made_shop, tmp_path):
    return copy_shop(made_shop, tmp_path / "shop")


def declare(folder, more):
    path = folder / "project.py"
    path.write_text(path.read_text().replace('key="order_id",', f'key="order_id",\n    {more},', 1))
    return Project.load(folder)


def test_a_report_says_where_why_how_long_and_who_read_it(shop):
    project = declare(shop, 'purpose="returns are expected before they come", retain="3000d"')
    project.run(only="data")
    project.training_set()
    project.forget("customer", "c399")
    [one] = project.privacy.report().columns
    assert (one.source, one.column, one.privacy, one.treated) == ("orders", "customer", "personal", None)
    assert one.purpose == "returns are expected before they come"
    places = {place.where: (place.rows > 0, place.kept) for place in one.places}
    assert places["orders"] == (True, "3000d")
    assert places["online rows of history"][0]
    assert places["training/returned"] == (True, "for ever")
    assert one.reads == 1
    assert one.last_read.startswith(str(datetime.now(UTC).year))
    assert project.privacy.report().forgotten == 1


def test_a_training_set_is_told_as_a_place_of_what_rows_are_told_apart_by(tmp_path):
    folder = make_shop(tmp_path / "shop")
    path = folder / "raw" / "orders.csv"
    orders = pl.read_csv(path)
    orders.with_columns(faith=pl.Series(["a", "b"] * (len(orders) // 2))).write_csv(path)
    edit(
        folder,
        '"returned": dt.Column',
        '"faith": dt.Column("string", privacy="sensitive"),\n            "returned": dt.Column',
    )
    edit(folder, 'slices=["basket.category"],\n', 'protected=["faith"],\n')
    project = Project.load(folder)
    project.run(only="data")
    assert "faith" in project.training_set().columns
    [faith] = [one for one in project.privacy.report().columns if one.column == "faith"]
    assert {place.where: place.kept for place in faith.places}["training/returned"] == "for ever"
    project.store.close()


def test_what_nobody_gave_a_purpose_is_named(shop):
    assert Project.load(shop).privacy.report().without_purpose == ("orders.customer",)
    words = [sys.executable, "-m", "drivetrain", "privacy", "report", "--project", str(shop)]
    shown = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    assert "why: nobody says" in shown
    assert "in orders: 6,000 rows, kept for ever" in shown
    told = json.loads(subprocess.run([*words, "--json"], check=True, capture_output=True).stdout)
    assert told["columns"][0]["column"] == "customer"


def test_rows_that_are_too_old_go_with_the_files_they_were_in(shop):
    project = Project.load(shop)
    rows = project.store.tables.read("orders")
    middle = rows["ordered"].sort()[3000]
    days = (datetime.now(UTC) - middle) // timedelta(days=1)
    project = declare(shop, f'retain="{days}d"')
    project.run(only="data")
    kept = project.store.tables.read("orders")
    assert 2000 < kept.height < 4000
    limit = datetime_of(now()) - timedelta(days=days)
    assert kept["ordered"].min() >= limit - timedelta(days=1)
    old = rows.filter(pl.col("ordered") < limit - timedelta(days=1))["order_id"].to_list()
    files = list((shop / ".drivetrain/tables/orders").glob("*.parquet"))
    assert not [one for path in files for one in pl.read_parquet(path)["order_id"].to_list() if one in set(old)]
    assert project.features("history")[0].online.behind == 0
    assert retain_tables(project, now()) == {}
    project.run(only="data")
    assert project.store.tables.read("orders").height == kept.height
    path = shop / "raw" / "orders.csv"
    path.write_text(path.read_text() + "o-old,c001,2001-01-01T00:00:00Z,2001-01-02T00:00:00Z,lamps,1,0\n")
    project.run(only="data")
    assert project.store.tables.read("orders").height == kept.height
    later = retain_tables(project, now() + 40 * DAY)
    assert later["orders"] > 0


def test_the_log_keeps_days_and_no_old_files(shop):
    project = Project.load(shop)
    entries = [prediction(f"r{n}", endpoint="returned", at=n * DAY, logged_at=n * DAY) for n in range(10)]
    table = "log/returned/predictions"
    project.store.tables.append(table, predictions_frame(entries[:5]))
    project.store.tables.append(table, predictions_frame(entries[5:]))
    assert retain(project.store, "returned", 7 * DAY, project.log_folder) == 7
    files = (shop / ".drivetrain/tables" / table).glob("*.parquet")
    assert sorted(one for path in files for one in pl.read_parquet(path)["request_id"]) == ["r7", "r8", "r9"]
