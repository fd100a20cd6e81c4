"""A report: words that are right, a page that needs nothing beside it, JSON that is exact."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import msgspec
import pytest

from drivetrain.core.clock import DAY
from drivetrain.core.records import Decision, Measure
from drivetrain.monitor.alerting.quality import quality
from drivetrain.monitor.reporting.account import Account, metric_of_windows
from drivetrain.monitor.reporting.drawing import lines
from drivetrain.monitor.reporting.page import charts, furthest, to_html, to_json
from monitor.alerting.windows import alert, report
from monitor.reporting.happened import raised

HOSTILE = "<script>alert('x')</script>"


def account(**more) -> Account:
    windows = tuple(report(day, latency_p50_us=400.0) for day in range(5))
    alerts = (
        alert("a", severity="critical", message=f"late: it fell {HOSTILE}.", meaning="Answers are worse.",
              commands=("drivetrain trace r",)),
        alert("b", state="resolved", resolved=4 * DAY, useful=True, because="known", by="ines"),
    )  # fmt: skip
    given = {
        "project": "trains", "objective": "Warn passengers early.", "endpoint": "late", "model": "late",
        "metric": "roc_auc", "since": 0, "until": 5 * DAY, "made": 6 * DAY, "windows": windows, "alerts": alerts,
        "decisions": (
            Decision(id="d", at=DAY, about="late", what="promote", because="v2 led by 0.04"),
            Decision(id="i", at=DAY, about="late", what="ingest", because="900 rows came in"),
        ),
        "quality": tuple(quality(alerts)),
    }  # fmt: skip
    return Account(**given | more)


class Outside(HTMLParser):
    """Whatever a page would fetch, and scripts."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.tags = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.found += [
            (tag, name, value) for name, value in attrs if name in {"src", "href", "srcset", "action", "data"}
        ]


def test_the_first_screen_is_in_words():
    made = account()
    assert made.headline == f"late: it fell {HOSTILE}."
    assert made.level == "bad"
    assert made.sentences == [
        "Answers are worse.",
        "10,000 predictions in 5 windows: the outcome of 50 % is known; in the slowest window 99 of 100 answers took "
        "under 61.2 ms.",
        "ROC AUC was 0.700 [0.600, 0.800] in the window of 5 January 1970, within chance of the 0.800 [0.750, 0.850] "
        "of v1's evaluation.",
        "In the newest window weather.temp had drifted, of 1 features; something had in 5 of 5 windows.",
        "2 alerts were open in this time, 1 of them ended; 1 of 1 that people judged were useful.",
        "Decided last: v2 led by 0.04.",
    ]
    calm = account(alerts=(), windows=(report(0, drift=(), labelled=0, performance={}, latency_p99_us=0.0),))
    assert calm.headline == "late does what it was released for: no alert is open."
    assert calm.sentences[0] == "2,000 predictions in 1 window: no outcome is known yet."
    worse = account(windows=(report(0, performance={"roc_auc": Measure(0.6, 0.55, 0.65, 900)}),))
    assert "surely worse than the 0.800" in worse.sentences[2]


def test_the_page_fetches_nothing_runs_nothing_and_shows_what_is_hostile_as_text():
    text = to_html(account())
    page = Outside(text)
    assert page.found == []
    assert "script" not in page.tags
    assert not re.search(r"url\(|@import|https?://", text)
    assert HOSTILE not in text
    assert "900 rows came in" not in text
    assert "&lt;script&gt;" in text
    assert (text.count('class="chart"'), text.count('class="lanes"')) == (4, 1)
    assert 'name="viewport"' in text
    assert "prefers-color-scheme: dark" in text


def test_the_json_is_exact():
    made = account()
    assert msgspec.json.decode(to_json(made), type=Account) == made
    assert json.loads(to_json(made))["windows"][0]["performance"]["roc_auc"]["low"] == 0.6


@pytest.mark.parametrize("windows", [(), (report(0, drift=(), performance={}, latency_p99_us=0.0),)])
def test_a_time_in_which_little_was_seen_is_a_page_too(windows):
    made = account(windows=windows, alerts=(), decisions=(), quality=(), metric="")
    assert "<main>" in to_html(made)
    assert len(charts(made)) == len(windows)
    assert made.level == ("good" if windows else "")


def test_before_labels_come_estimates_are_told_and_no_quality_is_made_up():
    early = report(performance={}, labelled=0, label_share=0.0, estimated={"roc_auc": Measure(0.79, 0.7, 0.9, 2000)})
    made = account(windows=(early,), alerts=(raised("drift", 0, at=early.until),), decisions=())
    text = to_html(made)
    assert "No sure fall was estimated: ROC AUC was estimated at 0.790 [0.700, 0.900]" in text
    assert "No label was known yet." in text
    assert "ROC AUC, and its range" in text
    assert "ROC AUC by window" not in text, "a course without a figure is not drawn"
    assert len(charts(made)) == 3
    assert not any(one.startswith("ROC AUC was") for one in made.sentences)


def test_a_line_lies_where_its_values_do_and_breaks_where_there_is_none():
    drawn = str(lines("t", [0, DAY, 2 * DAY, 3 * DAY], [1.0, 2.0, None, 3.0], show=str, zero=True))
    heights = [float(y) for y in re.findall(r'cy="([\d.]+)"', drawn)]
    assert heights == sorted(heights, reverse=True)
    assert len(re.findall("<polyline", drawn)) == 1, "one value alone is no line"
    assert not lines("t", [0], [None], show=str)
    assert lines("t", [0], [float("nan")], show=str) == ""


def test_the_metric_shown_is_the_wanted_one_or_one_that_can_be_worse():
    assert metric_of_windows("roc_auc", [report()]) == "roc_auc"
    other = report(performance={"base_rate": Measure(0.3, 0.2, 0.4, 9), "roc_auc": Measure(0.7, 0.6, 0.8, 9)})
    assert metric_of_windows("brier", [other]) == "roc_auc"
    assert metric_of_windows("brier", []) == ""
    early = report(performance={}, estimated={"base_rate": Measure(0.3), "roc_auc": Measure(0.79, 0.7, 0.9, 2000)})
    assert [metric_of_windows(wanted, [early]) for wanted in ("roc_auc", "brier")] == ["roc_auc"] * 2
    assert metric_of_windows("roc_auc", [early, other]) == "roc_auc"
    assert metric_of_windows("base_rate", [other, report(performance={})]) == "base_rate"
    assert furthest(report(drift=())) is None
