"""The story of an endpoint: drawn as in the report, told newest first, reached from where people stand."""

from __future__ import annotations

import re

import msgspec

from drivetrain.core.clock import DAY, micros_of
from drivetrain.core.records import Decision, FeatureDrift, MonitorReport
from drivetrain.web.app import create_app
from monitor.alerting.windows import report
from web.conftest import Caller
from web.seed import SeededDesk


def drawing(text: str) -> str:
    (found,) = re.findall(r'<svg class="lanes".*?</desc>', text, re.DOTALL)
    return found


def test_the_drawing_is_the_report_s_and_chapters_are_told_newest_first(call: Caller):
    page, report = call("/timeline/late").text, call("/monitoring/late/report").text
    assert drawing(page) == drawing(report)
    titles = re.findall(r"<h3>(\d+)\. ", page)
    assert titles == [str(number) for number in range(len(titles), 0, -1)]
    assert len(titles) == 3
    assert "v2 was promoted" in page
    assert "v3 was refused, and the champion stayed, v2" in page
    assert "as the schedule asks" not in page, "the seeded decision keeps no evidence of a schedule"
    assert re.search(r'href="/models/late/versions/3">Version 3</a>', page)


def test_a_shorter_time_is_drawn_alone(call: Caller):
    page = call("/timeline/late?since=2013-11-01&until=2013-12-01").text
    assert 'value="2013-11-01"' in page
    assert "v3 was refused" in page
    assert "v2 was promoted" not in page
    assert "/monitoring/late/report?since=2013-11-01&amp;until=2013-12-01" in page
    assert call("/timeline/late?since=2013-12-01&until=2013-11-01").status_code == 422
    assert call("/timeline/late?since=soon").status_code == 422


def test_it_is_reached_from_the_overview_the_monitor_the_timeline_and_an_alert(call: Caller):
    for path in ("/", "/monitoring/late", "/timeline", "/alerts/0192-alert-2"):
        assert 'href="/timeline/late"' in call(path).text, path


def test_programs_get_lanes_and_chapters(call: Caller, call_empty: Caller):
    told = call("/api/v1/endpoints/late/story").json()
    assert set(told) == {"lanes", "chapters"}
    assert len(told["lanes"]["figures"]) == 26
    assert {one["version"] for one in told["lanes"]["answered"]} == {1, 2}
    assert [one["number"] for one in told["chapters"]] == list(range(1, len(told["chapters"]) + 1))
    assert call_empty("/api/v1/endpoints/late/story").json()["chapters"] == []
    assert call("/api/v1/endpoints/none/story").status_code == 404


def test_a_page_without_anything_says_so(call_empty: Caller):
    text = call_empty("/timeline/late").text
    assert "Nothing has happened to late yet" in text
    assert "<svg class" not in text


def test_a_healthy_endpoint_is_said_to_be_calm_and_a_time_without_anything_keeps_the_form(call: Caller):
    healthy = SeededDesk(empty=True)
    healthy.store.catalog.commit(*(report(day) for day in range(5)))
    text = Caller(create_app(healthy))("/timeline/late").text
    assert "<h1>No alarm and no decision for late</h1>" in text
    assert "1–5 Jan 1970: no alert was raised that alarms anybody" in text
    assert "Nothing has happened" not in text
    assert "drivetrain watch" not in text
    none = call("/timeline/late?since=2001-01-01&until=2001-02-01").text
    assert "<h1>Nothing in this time</h1>" in none
    assert "drivetrain watch" not in none
    assert 'name="since" value="2001-01-01"' in none
    assert "<svg class" not in none


def test_a_page_shows_the_newest_chapters_and_says_how_many_came_before(desk: SeededDesk, call: Caller):
    first = len(call("/api/v1/endpoints/late/story").json()["chapters"])
    begin = micros_of("2013-08-01")
    desk.store.catalog.commit(
        *(
            Decision(id=f"more-{day}", at=begin + day * DAY, about="late", what="rollback", because="so", version=1)
            for day in range(70)
        )
    )
    told = call("/api/v1/endpoints/late/story").json()["chapters"]
    assert len(told) >= 70 + first - 1
    for path in ("/timeline/late", "/monitoring/late/report"):
        text = call(path).text
        assert f"{len(told) - 60} more chapters came before these" in text
        assert len(re.findall(r"<h3>\d+\. ", text)) == 60


def test_what_a_window_is_held_against_and_further_statistics_are_shown(desk: SeededDesk, call: Caller):
    newest = desk.store.catalog.find(MonitorReport, "late", limit=1)[0]
    assert "Held against the rows that v2 was trained on." in call("/monitoring/late").text
    desk.store.catalog.commit(
        msgspec.structs.replace(
            newest,
            against="season",
            against_note="the version's own answers are too few",
            further=(
                FeatureDrift("weather.temp", "ks", 0.05, 0.1, False, 0.0, 0.0, 900),
                FeatureDrift("weather.visib", "wasserstein", 0.31, 0.2, True, 0.0, 0.0, 900),
            ),
        )
    )
    for text in (call("/monitoring/late").text, call("/monitoring/late/report").text):
        assert "Held against what v2 answered around the same days of earlier years. The version&#39;s own" in text
        table = text[text.index("What further statistics say") :]
        assert table.index("visib") < table.index("temp"), "the furthest comes first"
        assert "0.310" in table
