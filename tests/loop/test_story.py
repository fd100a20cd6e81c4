"""What a replay went through is told on one timeline: in the report, on the page, and as JSON."""

from __future__ import annotations

import re
import sys

import pytest
from tests.docs.executed import REPOSITORY, write
from tests.loop.shop import copy_shop, edit, free_port, serving
from tests.loop.test_tick import CALM, RETRAIN, START, log, second_version
from tests.web.conftest import Caller

from drivetrain.core.clock import DAY, micros_of
from drivetrain.evaluate.metrics import METRICS
from drivetrain.loop.project import Project
from drivetrain.monitor.reporting.story import Story
from drivetrain.registry.aliases import point
from drivetrain.web.app import create_app

SINCE, UNTIL = "2026-02-10", "2026-03-17"
WATCHED = """drift=dt.Drift(also=["ks"]),
    performance=dt.Performance(metric="roc_auc", drop=0.05, also={}, calibration=None, min_labels=100),
    retrain=dt.Retrain(when=["performance", "drift"], cooldown="30d", shadow="7d"),
)
"""


def shown(project: Project, endpoint: str, folder) -> tuple[Story, str, str]:
    """The story, and the texts of the report and of the page that tell it."""
    project.report(endpoint, output=folder / "report.html")
    call = Caller(create_app(project), f"http://localhost:{project.settings.web.port}")
    page = call(f"/timeline/{endpoint}")
    assert page.status_code == 200
    story = project.story(endpoint)
    asked = call(f"/api/v1/endpoints/{endpoint}/story").json()
    assert [one["title"] for one in asked["chapters"]] == [one.title for one in story.chapters]
    return story, (folder / "report.html").read_text(), page.text


def drawn(text: str) -> str:
    (found,) = re.findall(r'<svg class="lanes".*?</desc>.*?Decided.*?</svg>', text, re.DOTALL)
    return re.sub(r"\s+", " ", found)


@pytest.fixture(scope="module")
def clicks(tmp_path_factory):
    """The project of docs/policies.md, whose inputs move as well when something else begins to decide."""
    folder = tmp_path_factory.mktemp("clicks")
    text = (REPOSITORY / "docs" / "policies.md").read_text("utf-8")
    for about, code in re.findall(r"^```python file=(\S+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        write(folder / about, code)
    made = folder / "clicks"
    (made / "drivetrain.toml").write_text(
        f"[serve]\nport = {free_port()}\nallow_at = true\n[web]\nport = {free_port()}\n[compute]\nthreads = 1\n"
    )
    world = (made / "world.py").read_text()
    moved = "    a, b = chance.normal(size=(2, len(number)))\n"
    assert moved in world
    (made / "world.py").write_text(world.replace(moved, moved + "    b = b + np.where(number < TURN * A_DAY, 0, 2)\n"))
    declared = (made / "project.py").read_text()
    (made / "project.py").write_text(declared[: declared.index("drift=None")] + WATCHED)
    yield made
    for name in ("world", "project"):
        sys.modules.pop(name, None)


@pytest.mark.slow
def test_a_replay_is_told_from_drift_to_promotion_on_one_timeline(clicks):
    project = Project.load(clicks)
    project.run(at=SINCE)
    with serving(clicks, endpoint="clicked"):
        project.replay("clicked", since=SINCE, until=UNTIL)
    story, report, page = shown(project, "clicked", clicks)
    first, second, *_ = story.chapters
    assert (first.outcome, first.since) == ("released", micros_of(SINCE))
    happened = {one.kind: one for one in second.steps if one.happened}
    assert {"drift", "real", "cause", "retrain", "shadow", "end"} <= set(happened)
    assert happened["drift"].at <= happened["retrain"].at < happened["end"].at
    assert "b furthest" in happened["drift"].words
    assert second.outcome in {"promoted", "refused"}
    assert "in the shadow of v1" in happened["end"].words
    (shadow,) = story.lanes.shadows
    assert (shadow.version, shadow.since, shadow.until) == (2, happened["shadow"].at, happened["end"].at)
    windows = project.report("clicked").windows
    assert [one.ratio for one in story.lanes.drift] == [
        max(each.value / each.threshold for each in window.drift) for window in windows
    ]
    assert any(one.estimated for one in story.lanes.figures)
    assert any(one.real for one in story.lanes.figures)
    for step in second.steps:
        for text in (report, page):
            assert step.words.split(" [")[0].replace("'", "&#39;") in text
    assert drawn(report) == drawn(page), "one drawing, in both"
    further = [one for window in windows for one in window.further]
    assert {one.statistic for one in further} == {"ks"}
    assert "What further statistics say" in report
    project.store.close()


@pytest.fixture
def shop(made_shop, tmp_path):
    folder = copy_shop(made_shop, tmp_path / "shop")
    edit(folder, RETRAIN, CALM + RETRAIN)
    loaded = Project.load(folder)
    yield loaded
    loaded.store.close()


def test_a_shadow_that_was_refused_is_told_beside_the_champion_that_stayed(shop, tmp_path):
    second_version(shop)
    point(shop.store, "returned", "shadow", 2, because="to be seen", actor="test", at=START)
    log(shop, 7, skill=0.9, shadow_skill=0.2)
    shop.tick(START + 7 * DAY)
    story, report, page = shown(shop, "returned", tmp_path)
    told = story.chapters[-1]
    assert (told.outcome, told.version, told.until) == ("refused", 2, START + 7 * DAY)
    assert [(one.version, one.since, one.until) for one in story.lanes.shadows] == [(2, START, START + 7 * DAY)]
    for text in (report, page):
        assert "v2 was refused, and the champion stayed, v1: After 7 days in the shadow of v1" in text
        assert f"its {METRICS[story.lanes.metric].title} was" in text


def test_a_fall_that_no_training_mends_says_that_nothing_came_of_it(shop, tmp_path):
    log(shop, 7, skill=0.0)
    shop.tick(START + 7 * DAY)
    story, report, page = shown(shop, "returned", tmp_path)
    told = story.chapters[-1]
    assert told.title == "A fall on labels: nothing came of the training"
    assert [one.kind for one in told.steps if one.happened and one.kind != "cause"][-3:] == ["real", "retrain", "end"]
    for text in (report, page):
        assert "Retraining began, as an alert was open: performance.roc_auc." in text
        assert "Nothing came of it, and the champion stayed, v1: Nothing changed since the last training" in text
