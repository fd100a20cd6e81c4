"""What pages say: health, story, figures."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise
from typing import get_args, get_type_hints

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivetrain.core.clock import DAY, HOUR, MINUTE
from drivetrain.core.records import Alert, Alias, Decision, Measure
from drivetrain.web import words
from drivetrain.web.figures import Scale, heat, scale_of, spark
from drivetrain.web.health import assess, standing
from drivetrain.web.picture import take
from drivetrain.web.story import decided, tell
from web.seed import SeededDesk


def test_a_warning_makes_it_worth_a_look(desk: SeededDesk):
    health = assess(take(desk, "late"))
    assert health.level == "watch"
    assert "as well as when tested" in health.headline
    assert any("5,640 requests" in sentence for sentence in health.sentences)
    assert any("0.408 to 0.474" in sentence for sentence in health.sentences)
    assert any("logistic regression, reached 0.389" in sentence for sentence in health.sentences)


def test_without_open_alerts_it_is_healthy(desk: SeededDesk):
    for one in desk.store.catalog.find(Alert):
        desk.store.catalog.commit(msgspec.structs.replace(one, state="resolved"))
    health = assess(take(desk, "late"))
    assert health.level == "good"
    assert health.headline.startswith("All is well")
    assert health.sentences[-1] == "No alert is open."


def test_a_critical_alert_needs_attention(desk: SeededDesk):
    one = desk.store.catalog.find(Alert)[0]
    desk.store.catalog.commit(msgspec.structs.replace(one, severity="critical"))
    health = assess(take(desk, "late"))
    assert health.level == "bad"
    assert "needs attention" in health.headline


def test_worse_than_tested_is_said_without_any_alert(desk: SeededDesk):
    for one in desk.store.catalog.find(Alert):
        desk.store.catalog.commit(msgspec.structs.replace(one, state="resolved"))
    last = take(desk, "late").reports[-1]
    fallen = {"average_precision": Measure(0.3, 0.27, 0.33, 5_000)}
    desk.store.catalog.commit(msgspec.structs.replace(last, performance=fallen))
    health = assess(take(desk, "late"))
    assert health.level == "watch"
    assert "worse" in health.headline


def test_no_traffic_and_no_champion_are_said(desk: SeededDesk):
    empty = assess(take(SeededDesk(empty=True), "late"))
    assert (empty.level, empty.headline) == ("unknown", "Nothing answers on late yet.")
    fresh = SeededDesk(empty=True)
    fresh.store.catalog.commit(Alias(at=1, model="late", alias="champion", version=2))
    assert "No traffic" in assess(take(fresh, "late")).headline


def test_a_late_window_without_outcomes_is_not_judged(desk: SeededDesk):
    last = take(desk, "late").reports[-1]
    young = msgspec.structs.replace(
        last, since=last.until, until=last.until + 7 * DAY, performance={}, labelled=0, label_share=0.0
    )
    desk.store.catalog.commit(young)
    health = assess(take(desk, "late"))
    assert "no outcome is known yet" in health.sentences[0]
    assert health.sentences[1].startswith("In 23")


@pytest.mark.parametrize(
    ("metric", "measure", "expected"),
    [
        ("average_precision", Measure(0.5, 0.45, 0.55), "better"),
        ("average_precision", Measure(0.3, 0.25, 0.35), "worse"),
        ("average_precision", Measure(0.41, 0.37, 0.45), "alike"),
        ("log_loss", Measure(0.5, 0.45, 0.55), "worse"),
        ("log_loss", Measure(0.3), "better"),
    ],
)
def test_standing_knows_which_way_is_better(metric: str, measure: Measure, expected: str):
    assert standing(measure, Measure(0.4), metric) == expected
    assert standing(measure, None, metric) is None


def _decision(number: int, what: str) -> Decision:
    return Decision(at=number * DAY, id=f"{number:04}", about="late", what=what, because=f"reason {number}.")  # type: ignore[arg-type]


@given(st.lists(st.sampled_from(["ingest", "promote", "alert", "replay"]), max_size=30))
def test_a_story_leaves_nothing_out(kinds: list[str]):
    decisions = [_decision(number, what) for number, what in enumerate(kinds)][::-1]
    chapters = tell(decisions)
    assert [one.what for one in decided(chapters)] == [what for what in reversed(kinds) if what in {"promote", "alert"}]
    assert sum(1 for _ in chapters) <= len(kinds)
    if decisions:
        assert chapters[0].at == decisions[0].at
        assert chapters[-1].since == decisions[-1].at
    for one, after in pairwise(chapters):
        assert (one.what, after.what) not in {("ingest", "ingest"), ("replay", "replay")}


@pytest.mark.parametrize("what", get_args(get_type_hints(Decision)["what"]))
def test_every_kind_of_decision_has_a_title(what: str):
    (chapter,) = tell([_decision(1, what)])
    assert chapter.title


def test_deliveries_in_a_row_are_told_once():
    (chapter,) = tell([_decision(number, "ingest") for number in (3, 2, 1)])
    assert chapter.title == "3 deliveries of new data"
    assert (chapter.since, chapter.at) == (DAY, 3 * DAY)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (4e-4, "400 µs"),
        (0.0123, "12 ms"),
        (1.5, "1.5 s"),
        (61.4, "61 s"),
        (150, "2.5 min"),
        (3600, "1 h"),
        (90_000, "25 h"),
        (400_000, "4.6 days"),
    ],
)
def test_a_span_in_its_unit(seconds: float, shown: str):
    assert words.span(seconds) == shown


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_what_is_not_known_is_a_dash(value: float | None):
    assert words.figure(value) == words.share(value) == words.span(value) == words.DASH


@given(st.floats(allow_nan=False, min_value=0, max_value=1))
def test_a_share_never_claims_all_or_nothing(value: float):
    shown = words.share(value)
    assert (shown == "100%") == (value == 1)
    assert (shown == "0%") == (value == 0)


def test_a_negative_that_rounds_to_nothing_has_no_sign():
    assert words.figure(-0.0001) == "0.000"
    assert words.signed(-0.25, 2) == "\u22120.25"


@pytest.mark.parametrize(
    ("past", "said"),
    [(30_000_000, "just now"), (MINUTE, "1 minute ago"), (5 * HOUR, "5 hours ago"), (3 * DAY, "3 days ago")],
)
def test_near_moments_are_relative(past: int, said: str):
    assert words.relative(10**15 - past, present=10**15) == said
    assert str(words.when(10**15, exact=True)).startswith('<time datetime="2001-09-09T01:46:40Z"')


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20))
def test_a_drawing_stays_in_its_box(values: list[float]):
    scale = scale_of([Measure(value, value - 1, value + 1) for value in values])
    assert all(0 < scale.at(value) < 100 for value in values)
    points = [tuple(map(float, pair.split(","))) for pair in spark(values).split()]
    assert all(0 <= x <= 100 and 0 <= y <= 30 for x, y in points)
    assert Scale(1, 1).at(5) == 50


def test_the_heat_shows_every_feature_and_every_window(desk: SeededDesk):
    reports = take(desk, "late").reports
    rows = heat(reports)
    assert len(rows) == 22
    assert all(len(row.cells) == 26 for row in rows)
    drifted = Counter(one.feature for report in reports for one in report.drift if one.drifted)
    assert {row.feature: row.drifted for row in rows if row.drifted} == drifted
    assert [row.drifted for row in rows] == sorted((row.drifted for row in rows), reverse=True)
    assert heat([msgspec.structs.replace(reports[0], drift=())]) == []
