"""Every page answers, seeded and empty; every link leads somewhere; nothing of the data becomes markup."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import urljoin

import msgspec
import polars as pl
import pytest

from drivetrain.core.records import MonitorReport
from drivetrain.features.derived import DerivedView
from drivetrain.web.app import create_app
from web.conftest import Caller
from web.seed import HOSTILE, SeededDesk

PAGES = (
    "/", "/monitoring/late", "/endpoints", "/endpoints/late", "/models", "/features", "/data", "/quarantine/flights",
    "/quarantine", "/privacy", "/audit",
    "/alerts", "/monitoring/late/report", "/timeline", "/timeline?show=all", "/timeline/late",
    "/predictions", "/steps", "/news?since=0",
)  # fmt: skip


class Links(HTMLParser):
    """Collects addresses, ids and tags that scripts could hide in."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.hrefs: set[str] = set()
        self.ids: list[str] = []
        self.suspects: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "a" and found.get("href") is not None:
            self.hrefs.add(str(found["href"]))
        if "id" in found:
            self.ids.append(str(found["id"]))
        if tag == "img" or any(name.startswith("on") or name == "style" for name in found):
            self.suspects.append(self.get_starttag_text() or tag)
        if tag == "script" and "src" not in found and found.get("type") != "application/json":
            self.suspects.append(self.get_starttag_text() or tag)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_answers_with_and_without_data(path: str, call: Caller, call_empty: Caller):
    for answer in (call(path), call_empty(path)):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html")


def test_every_link_leads_to_a_page(call: Caller):
    seen: set[str] = set()
    waiting = ["/"]
    while waiting:
        path = waiting.pop()
        answer = call(path)
        assert answer.status_code == 200 or answer.is_redirect, path
        if answer.is_redirect:
            waiting.append(answer.headers["location"])
            continue
        if path.endswith(("/card", "/report")):
            continue
        links = Links(answer.text)
        assert len(links.ids) == len(set(links.ids)), f"{path} repeats an id"
        assert not links.suspects, f"{path}: {links.suspects}"
        for href in links.hrefs:
            assert href.startswith(("/", "?", "#")) or not href, f"{path} links outside: {href}"
            target = urljoin(path, href).partition("#")[0]
            kind = re.sub(r"(?<==)[^&]+|(?<=/predictions/).+", "", target)
            if target and kind not in seen:
                seen.add(kind)
                waiting.append(target)
    assert len(seen) > 25


def test_hostile_rows_are_shown_as_text(call: Caller):
    text = call("/quarantine/flights").text
    assert HOSTILE not in text
    assert "&lt;img src=x onerror=alert(1)&gt;" in text


def test_hostile_text_in_records_and_figures_stays_text(desk: SeededDesk, call: Caller):
    desk.objective = HOSTILE
    desk.sources[HOSTILE] = desk.sources["planes"]
    for path in PAGES:
        assert HOSTILE not in call(path).text, path
    assert not Links(call("/").text).suspects


def test_a_chart_s_figures_can_t_close_their_script(call: Caller):
    text = call("/monitoring/late").text
    assert "Estimated before outcomes are known" in text
    assert "170 outcomes should be known by now." in text
    for block in re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', text, re.DOTALL):
        assert "<" not in block


@pytest.mark.parametrize(
    "path",
    ["/nowhere", "/data/none", "/quarantine/none", "/models/late/versions/9", "/models/none/versions/1",
     "/models/none/bias", "/models/late/bias?report=none", "/runs/none",
     "/endpoints/none", "/timeline/none",
     "/monitoring/none", "/monitoring/late?metric=none", "/monitoring/late?window=none",
     "/predictions/none"],
)  # fmt: skip
def test_an_unknown_name_is_a_plain_404(path: str, call: Caller):
    answer = call(path)
    assert answer.status_code == 404
    assert "Traceback" not in answer.text
    assert "Not found." in answer.text


@pytest.mark.parametrize(
    ("path", "status"), [("/models/late/versions/x", 422), ("/quarantine/flights?page_number=x", 422)]
)
def test_a_value_of_the_wrong_type_is_named(path: str, status: int, call: Caller):
    answer = call(path)
    assert answer.status_code == status
    assert "integer" in answer.text


def test_a_failure_nobody_foresaw_shows_no_traceback(desk: SeededDesk, call: Caller, monkeypatch: pytest.MonkeyPatch):
    def fails() -> list[object]:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(desk, "plan", fails)
    answer = call("/steps")
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    assert "See the server" in answer.text


def test_features_made_from_other_features_are_told_with_what_they_read():
    desk = SeededDesk()
    view = desk.views["plane_history"]
    rise = (pl.col("plane_history.mean_arr_delay_1d") / pl.col("plane_history.mean_arr_delay_30d")).alias("rise")
    desk.derived["ratios"] = DerivedView(name="ratios", of=(view,), expressions=(rise,), owner="planes")
    call = Caller(create_app(desk))
    page = call("/features").text
    assert "Plane_history.mean_arr_delay_1d / plane_history.mean_arr_delay_30d, at the moment" in page
    assert "owned by planes" in page
    (told,) = call("/api/v1/features").json()["derived"]
    assert (told["entity"], told["keys"]) == ("other features", ["plane_history"])
    assert "6 views" in call("/").text


def test_pages_of_a_project_with_nothing_declared():
    desk = SeededDesk(empty=True)
    for nouns in (desk.sources, desk.views, desk.requests, desk.models, desk.endpoints, desk.monitors):
        nouns.clear()
    desk.plan = list  # type: ignore[method-assign]
    call = Caller(create_app(desk))
    for path in ("/", "/monitoring", "/endpoints", "/models", "/features", "/data", "/alerts", "/steps"):
        answer = call(path)
        assert answer.status_code == 200, path
        assert "project.py" in answer.text or path in {"/steps", "/alerts"}, path


def test_a_browser_is_told_to_run_nothing_but_ours(call: Caller):
    answer = call("/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_model_card_is_kept_to_itself(call: Caller):
    answer = call("/models/late/versions/2/card")
    assert answer.status_code == 200
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "script-src" not in answer.headers["content-security-policy"]


def test_news_only_once_something_was_kept(desk: SeededDesk, call: Caller):
    revision = desk.store.catalog.revision()
    assert "Something new" not in call(f"/news?since={revision}").text
    desk.store.catalog.commit()
    assert "Something new" in call(f"/news?since={revision}").text


def test_static_files_are_named_by_their_content(call: Caller):
    links = re.findall(r'(?:href|src)="(/static/[^"]+)"', call("/").text)
    assert len(links) >= 7
    for link in links:
        assert re.search(r"\?[0-9a-f]{8}$", link)
        assert call(link).status_code == 200


def test_a_decision_shows_the_figures_it_rests_on(call: Caller):
    text = call("/timeline").text
    assert "Version 3 was refused" in text
    assert "&#34;count&#34;: 6184" in text


def test_leaks_that_were_found_are_told_of_the_run_and_of_the_version(call: Caller):
    for path in ("/runs/0192-run-2", "/models/late/versions/2"):
        text = call(path).text
        assert "What might give the answer away" in text
        assert "alone reaches a ROC AUC of 0.941" in text
        assert "Warned" in text


def test_a_window_that_is_worse_says_why(call, desk):
    report = next(one for one in desk.store.catalog.find(MonitorReport, "late") if one.why is not None)
    text = call(f"/monitoring/late?window={report.key}").text
    assert "Why it is worse" in text
    assert "Weather.visib comes from table weather: the contract refused 310 of 1,002 rows" in text
    assert "Estimate missed it" in text
    assert "This window's inputs are told from those of the test in part" in text


def test_features_together_and_errors_are_told_of_a_window(call, desk):
    calm, apart = (
        next(one for one in desk.store.catalog.find(MonitorReport, "late") if bool(one.concept.rise) is rose)
        for rose in (False, True)
    )
    text = call(f"/monitoring/late?window={apart.key}").text
    assert "They are no longer as they were together" in text
    assert "Version 3 errs more than it did." in text or "errs more than it did. The change was found" in text
    assert "Rows rebuilt worse" in text
    text = call(f"/monitoring/late?window={calm.key}").text
    assert "They are as they were together" in text
    assert "errs no more than it did" in text


def test_before_any_outcome_the_estimate_is_the_headline(call, desk):
    for one in desk.store.catalog.find(MonitorReport, "late"):
        desk.store.catalog.commit(msgspec.structs.replace(one, performance={}, labelled=0, label_share=0.0))
    assert "Average precision is estimated at 0." in call("/monitoring/late").text
