"""What is watched without an endpoint, on the table's page, in reports, in the API and for Prometheus."""

from __future__ import annotations

import json
from urllib.parse import quote

import polars as pl
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.loop.watching.orders import TURN, deliver, make, taken

from drivetrain.core.clock import DAY
from drivetrain.web.app import create_app
from web.conftest import Caller


@pytest.fixture(scope="module")
def caller(tmp_path_factory):
    folder = make(tmp_path_factory.mktemp("watched") / "shop", watch='begin="2026-05-04"')
    deliver(folder, 0, 63)
    deliver(
        folder, 63, 70, lambda rows: rows.with_columns(pl.col("amount") * 60, email=pl.lit("<b>odd</b>@else.example"))
    )
    deliver(folder, 70, 71)
    project = taken(folder, now=TURN + 8 * DAY)
    yield Caller(create_app(project))
    project.store.close()


def test_the_table_s_page_tells_what_is_watched_and_nothing_personal(caller):
    text = caller("/data/orders").text
    for words in (
        'id="watched"',
        "is usual",
        "range.amount",
        "lie far outside",
        "Features of history",
        "masked",
        "psi,",
    ):
        assert words in text, words
    assert "else.example" not in text
    (before, after) = text.split('id="watched"')
    assert "Batches" in after
    assert "Watched" not in before


def test_an_alert_leads_to_the_table(caller):
    alerts = json.loads(caller("/api/v1/alerts").text)
    listed = alerts if isinstance(alerts, list) else next(iter(alerts.values()))
    key = next(one["id"] for one in listed if one["rule"] == "range.amount")
    text = caller(f"/alerts/{key}").text
    assert 'href="/data/orders#watched"' in text
    assert "drivetrain report table:orders" in text
    assert "range.amount on table:orders" in caller("/alerts").text


def test_a_report_is_a_page_and_figures(caller):
    page = caller(f"/watched/{quote('table:orders')}/report")
    assert page.status_code == 200
    assert "Columns in the newest window" in page.text
    assert "else.example" not in page.text
    told = json.loads(caller(f"/api/v1/watched/{quote('table:orders')}/report").text)
    assert told["windows"][0]["watched"] == "table:orders"
    assert caller("/watched/table:none/report").status_code == 404
    assert caller("/api/v1/watched/table:none/report").status_code == 404


def test_prometheus_reads_the_newest_window(caller):
    found = {
        (sample.name, sample.labels.get("watched"), sample.labels.get("column")): sample.value
        for family in text_string_to_metric_families(caller("/metrics").text)
        for sample in family.samples
    }
    assert found["drivetrain_monitor_watched_rows", "table:orders", None] > 800
    assert found["drivetrain_monitor_watched_null_share", "table:orders", "items"] == 0
    drift = found["drivetrain_monitor_watched_drift", "table:orders", "amount"]
    assert drift > found["drivetrain_monitor_watched_drift_threshold", "table:orders", "amount"]
    opened = [
        sample.value
        for family in text_string_to_metric_families(caller("/metrics").text)
        for sample in family.samples
        if sample.name == "drivetrain_monitor_alerts_open" and sample.labels["endpoint"] == "table:orders"
    ]
    assert sum(opened) >= 1
