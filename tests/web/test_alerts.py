"""The pages of alerts: what is open, who is told, what people may do about it, and what Prometheus reads."""

from __future__ import annotations

import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from drivetrain.core import clock
from drivetrain.core.records import Alert, Decision, Delivery, Silence
from web.conftest import Caller
from web.seed import HOSTILE, SeededDesk

OPEN, ENDED = "0192-alert-2", "0192-alert-1"
BECAUSE = "The weather service is being repaired."
OURS = {"origin": "http://localhost:8700", "sec-fetch-site": "same-origin"}


def kept(desk: SeededDesk, key: str = OPEN) -> Alert:
    found = desk.store.catalog.get(Alert, key)
    assert found is not None
    return found


def test_an_alert_s_page_says_all_that_a_person_on_call_needs(call: Caller):
    text = call(f"/alerts/{OPEN}").text
    for words in (
        "weather.visib is spread differently",
        "what is asked is unlike what the version learned from",
        "table weather stood still",
        "https://runbooks.example.org/drift",
        "drivetrain report late --since 2013-12-23",
        "drivetrain trace 0192-p-1",
        "The window, closely",
    ):
        assert words in text
    assert call("/alerts/none").status_code == 404


def test_a_person_sees_ends_and_judges_an_alert(desk: SeededDesk, call: Caller):
    assert call(f"/alerts/{OPEN}/acknowledge", form={}, headers=OURS).status_code == 303
    assert kept(desk).by == "dashboard"
    form = {"because": BECAUSE, "useful": "useful"}
    answer = call(f"/alerts/{OPEN}/resolve", form=form, headers=OURS)
    assert answer.status_code == 303
    assert (kept(desk).state, kept(desk).because, kept(desk).useful) == ("resolved", BECAUSE, True)
    assert "the alert was ended" in call(answer.headers["location"]).text
    assert call(f"/alerts/{ENDED}/resolve", form={"useful": "noise"}, headers=OURS).status_code == 303
    assert kept(desk, ENDED).useful is False
    page = call("/alerts").text
    assert "1 of 2 judged were useful (9% to 91%)" in page
    assert "No alert is open" in page


@pytest.mark.parametrize(
    ("path", "form", "words"),
    [
        (f"{OPEN}/resolve", {"because": "short"}, "too short"),
        (f"{OPEN}/resolve", {"because": BECAUSE, "useful": "maybe"}, "not a judgement"),
        (f"{ENDED}/resolve", {"useful": ""}, "has ended already"),
        (f"{OPEN}/silence", {"lasting": "soon", "because": BECAUSE}, "not a duration"),
        (f"{OPEN}/silence", {"lasting": "2h"}, "a reason is missing"),
    ],
)
def test_what_is_refused_is_said_and_changes_nothing(path, form, words, desk: SeededDesk, call: Caller):
    answer = call(f"/alerts/{path}", form=form, headers=OURS)
    assert 400 <= answer.status_code < 500
    assert words in answer.text
    assert kept(desk).state == "open"
    assert desk.alerts.silences() == []


def test_a_silence_is_begun_shown_and_ended(desk: SeededDesk, call: Caller):
    form = {"lasting": "4h", "because": BECAUSE}
    assert call(f"/alerts/{OPEN}/silence", form=form, headers=OURS).status_code == 303
    (silence,) = desk.alerts.silences()
    assert (silence.rule, silence.endpoint, silence.actor) == ("drift.weather.visib", "late", "dashboard")
    assert BECAUSE in call("/alerts").text
    assert call(f"/silences/{silence.id}/end", form={}, headers=OURS).status_code == 303
    assert desk.alerts.silences() == []
    assert [one.event for one in desk.store.catalog.find(Delivery, "waiting")] == ["still open"]
    assert call(f"/silences/{silence.id}/end", form={}, headers=OURS).status_code == 404


def test_programs_may_do_the_same(desk: SeededDesk, call: Caller):
    quiet = {"rule": "drift", "lasting": "2h", "because": BECAUSE, "actor": "ines"}
    made = call("/api/v1/silences", json=quiet, headers=OURS)
    assert made.status_code == 201
    assert [one["id"] for one in call("/api/v1/silences").json()] == [made.json()["id"]]
    assert call("/api/v1/silences", json={"rule": "drift"}, headers=OURS).status_code == 422
    assert call(f"/api/v1/alerts/{OPEN}/resolve", json={"because": "x"}, headers=OURS).status_code == 422
    assert call(f"/api/v1/alerts/{OPEN}/acknowledge", json={"actor": "ines"}, headers=OURS).json()["by"] == "ines"
    ended = call(f"/api/v1/alerts/{OPEN}/resolve", json={"because": BECAUSE, "useful": False}, headers=OURS)
    assert ended.json()["state"] == "resolved"
    assert call("/api/v1/alerts/quality").json()[0]["noise"] == 1
    assert {one.what for one in desk.store.catalog.find(Decision)} >= {"silence", "resolve"}


@pytest.mark.parametrize(
    "path", [f"/alerts/{OPEN}/acknowledge", f"/alerts/{OPEN}/resolve", f"/alerts/{OPEN}/silence", "/silences/x/end"]
)
def test_another_site_changes_nothing(path: str, desk: SeededDesk, call: Caller):
    form = {"because": BECAUSE, "lasting": "4h"}
    for prefix in ("", "/api/v1"):
        answer = call(
            prefix + path, form=form, headers={"sec-fetch-site": "cross-site", "origin": "http://evil.example"}
        )
        assert answer.status_code in {403, 404, 405}
    assert kept(desk).state == "open"
    assert desk.store.catalog.find(Silence) == []


def test_a_sink_that_is_away_is_named(desk: SeededDesk, call: Caller):
    desk.store.catalog.commit(
        Delivery(
            at=clock.now(), sink="slack SLACK_URL", monitor="late", alert=OPEN, event="opened", severity="warning",
            attempts=3, tried=clock.now(), due=clock.now(), error=f"slack SLACK_URL can't be reached: {HOSTILE}",
        )
    )  # fmt: skip
    text = call("/alerts").text
    assert "slack SLACK_URL can" in text
    assert "Away" in text
    assert "tried 3 times" in text
    assert HOSTILE not in text


def test_what_prometheus_reads(call: Caller, call_empty: Caller):
    answer = call("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    assert all(family.documentation and family.type == "gauge" for family in families.values())
    assert all(re.fullmatch(r"drivetrain_monitor_[a-z0-9_]+", name) for name in families)

    def value(name: str, **labels: str) -> float:
        found = [
            sample.value
            for sample in families[f"drivetrain_monitor_{name}"].samples
            if labels.items() <= sample.labels.items()
        ]
        assert len(found) == 1, (name, labels, found)
        return found[0]

    low, middle, high = (
        value("performance", metric="average_precision", bound=bound) for bound in ("low", "value", "high")
    )
    assert low < middle < high
    assert value("alerts_open", endpoint="late", severity="warning") == 1
    assert value("alerts_open", severity="critical") == 0
    visib = {"feature": "weather.visib", "endpoint": "late"}
    assert value("drift", **visib) > value("drift_threshold", **visib)
    assert 0 < value("label_share", version="2") < 1
    assert value("latency_seconds", quantile="0.99") < 0.01
    assert value("table_version_age_seconds", table="flights") > 0
    assert value("sink_up", sink="slack SLACK_URL") == 1
    assert value("window_end_timestamp_seconds") == 1_388_361_600
    assert list(text_string_to_metric_families(call_empty("/metrics").text))
