"""The drawing lies where time and figures say, is read aloud, and is styled wherever it is shown."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import drivetrain
from drivetrain.core.clock import DAY, WEEK, micros_of
from drivetrain.monitor.reporting.canvas import Canvas
from drivetrain.monitor.reporting.lanes import FAMILIES
from drivetrain.monitor.reporting.page import to_html
from drivetrain.monitor.reporting.story import tell
from drivetrain.monitor.reporting.timeline import drawing
from monitor.reporting.happened import account, asked, decided, drifted, raised, week
from monitor.reporting.test_story import chain

HOSTILE = "<script>alert('x')</script>"
SOURCE = Path(drivetrain.__file__).parent


def parsed(story) -> ElementTree.Element:
    return ElementTree.fromstring(str(drawing(story)))


def of(root: ElementTree.Element, kind: str) -> list[ElementTree.Element]:
    return [one for one in root.iter() if kind in one.get("class", "").split()]


def share(text: str | None) -> float:
    assert text is not None
    assert text.endswith("%")
    return float(text[:-1])


def test_shapes_lie_where_their_times_do():
    root = parsed(chain("promote"))
    at = Canvas(0, 6 * WEEK).x
    first, second = of(root, "chapter")
    assert share(first.get("x")) == at(0)
    assert (share(second.get("x")), share(second.get("width"))) == (at(2 * WEEK), round(at(6 * WEEK) - at(2 * WEEK), 2))
    (shadow,) = of(root, "shadow")
    assert share(shadow.get("x")) == at(4 * WEEK)
    bars = of(root, "alert")
    assert [share(one.get("x")) for one in bars] == [at(2 * WEEK), at(3 * WEEK), at(4 * WEEK)]
    assert "critical" in bars[-1].get("class", "")
    assert len(of(root, "drift")) == 6
    assert len(of(root, "over")) == 3
    assert [share(one.get("x1")) for one in of(root, "cut")] == [at(0), at(4 * WEEK), at(6 * WEEK)]
    heights = [float(one.get("height", "0")) for one in of(root, "drift")]
    assert heights[1] == max(heights) == 58.0, "the furthest drift is as high as its lane"


def test_better_figures_lie_higher_and_a_gap_stays_a_gap():
    windows = [week(0), week(1, performance={}), week(2), drifted(3)]
    root = parsed(tell(account(windows)))
    assert len([one for one in of(root, "course") if "real" in one.get("class", "")]) == 1
    assert len([one for one in of(root, "course") if "estimated" in one.get("class", "")]) == 3
    ranges = of(root, "range")
    assert len(ranges) == 7
    assert all(float(one.get("y1", "0")) > float(one.get("y2", "0")) for one in ranges), "low ends lie below high ones"


def test_it_says_aloud_what_it_shows_and_every_mark_has_its_words():
    root = parsed(chain("refuse"))
    assert root.get("role") == "img"
    named = {one.get("id"): one.text for one in root.iter() if one.get("id")}
    assert [named[name] for name in root.get("aria-labelledby", "").split()] == [
        "The story of late, 1 January – 11 February 1970",
        "1: v1 was promoted, 1 January 1970. 2: Drift, an estimated fall and a fall on labels: v2 was refused, 15 "
        "January – 12 February 1970.",
    ]
    for kind in ("alert", "drift", "shadow", "reign", "mark", "cut"):
        unsaid = [one for one in of(root, kind) if one.find("title") is None]
        assert len(unsaid) <= (2 if kind == "mark" else 0), "two marks are the legend's"


def test_every_class_is_styled_in_the_report_and_in_the_dashboard_for_light_and_dark():
    alerts = [raised("drift", 0, severity="info"), raised("latency", 0), raised("slow", 0, severity="critical")]
    more = [decided("wait", 8, 3), decided("rollback", 9, 1), decided("approve", 10, 3)]
    stories = [chain("promote"), chain("refuse"), tell(account([week(0), week(1, version=2)], alerts, more))]
    classes = {name for story in stories for one in parsed(story).iter() for name in one.get("class", "").split()}
    plain = {"lanes", "tick", "value", "small", "even", "warning"}
    for file in ("monitor/templates/sheet.html.jinja", "web/static/drawn.css"):
        text = (SOURCE / file).read_text()
        rules = "\n".join(line for line in text.splitlines() if ".lanes" in line or "svg .grid" in line)
        assert classes - plain <= set(re.findall(r"\.([a-z]+)", rules)), file
        assert not re.search(r"#[0-9a-f]{3}", rules.replace("light-dark(#e2a23b, #b98326)", "")), "colours by name only"


def test_hostile_words_stay_words_and_it_needs_nothing_beside_it():
    alerts = [raised("drift", 0, message=HOSTILE)]
    made = account([drifted(0)], alerts, [asked(7, "drift-0", because=HOSTILE)], endpoint=HOSTILE)
    drawn = str(drawing(tell(made)))
    assert HOSTILE not in drawn
    assert "&lt;script&gt;" in drawn
    assert "style=" not in drawn
    assert not re.search(r"href|url\(|https?://", drawn)
    ElementTree.fromstring(drawn)


def test_every_family_has_its_name_and_only_a_project_s_own_rules_are_called_so():
    rules = [*FAMILIES, "fairness.demographic_parity", "drift.joint"]
    drawn = str(drawing(tell(account([week(0)], [raised(rule, 0) for rule in rules]))))
    assert "own rules" not in drawn
    named = {line for line in re.findall(r">([^<]+)</text>", drawn) if line.startswith("on ")}
    assert {"on fairness", "on segments", "on worth", "on errors, one by one", "on what moves the answers"} <= named
    assert len([one for one in named if one != "on labels"]) == len(FAMILIES)
    assert "of the project&#39;s own rules" in drawing(tell(account([week(0)], [raised("slow trains", 0)])))


def test_words_are_drawn_as_they_are_whatever_is_in_them():
    made = account([drifted(0)], [raised("drift", 0)], [asked(7, "drift-0", because="HEIGHT_CM drifted.")])
    root = parsed(tell(made))
    assert [one.findtext("title") for one in of(root, "cut")] == ["8 January 1970: HEIGHT_CM drifted."]
    (band,) = of(root, "chapter")
    assert band.get("height") == root.get("height")


def test_little_is_drawn_as_little_and_nothing_not_at_all():
    assert drawing(tell(account())) == ""
    assert "Decided" in drawing(tell(account(decisions=[decided("promote", 1, 1)])))
    assert "No alert, and no decision." in drawing(tell(account([week(0, drift=(), estimated={}, performance={})])))


def test_names_in_a_row_stay_apart():
    close = [decided("promote", day, day) for day in (10, 11, 12, 40)]
    root = parsed(tell(account([week(0), week(5)], decisions=close)))
    named = [one for one in root.iter("text") if (one.text or "").endswith("promoted")]
    assert [one.text for one in named] == ["v12 promoted", "v40 promoted"]
    assert named[-1].get("text-anchor") == "end"


def test_the_axis_names_days_or_months_and_never_too_many():
    def names(since: str, until: str) -> list[str]:
        canvas = Canvas(micros_of(since), micros_of(until))
        canvas.axis()
        root = ElementTree.fromstring(str(canvas.drawn("t", "w", "n")))
        return [str(one.text) for one in root.iter("text")]

    assert names("2013-07-01", "2014-01-01") == ["Jul 2013", "Aug", "Sep", "Oct", "Nov", "Dec", "Jan 2014"]
    assert names("2013-07-03", "2013-07-08") == ["3 Jul", "4 Jul", "5 Jul", "6 Jul", "7 Jul", "8 Jul"]
    assert names("2012-02-10", "2013-12-20") == ["Jul 2012", "Jan 2013", "Jul"]
    for days in (1, 10, 40, 100, 400, 1500, 9000):
        canvas = Canvas(0, days * DAY)
        canvas.axis()
        assert 1 <= len(re.findall("<text", str(canvas.drawn("t", "w", "n")))) <= 7


def test_the_report_tells_the_story_in_chapters():
    text = to_html(account([drifted(0)], [raised("drift", 0)], [asked(7, "drift-0")]))
    assert "The story on one timeline" in text
    assert 'class="lanes"' in text
    assert "1. Drift: retraining" in text
    assert "No version answered in the shadow yet." in text
    assert "The story on one timeline" not in to_html(account())
