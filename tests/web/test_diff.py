"""Two versions compared on a page, of a project that really ran."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from drivetrain.loop.project import Project
from drivetrain.web.app import create_app
from web.conftest import Caller
from web.process import serving
from web.rivals import make_rivals
from web.test_browser import _TOO_WIDE, CHROMIUM, watched


@pytest.fixture(scope="module")
def rivals(made_shop, tmp_path_factory) -> Path:
    return make_rivals(made_shop, tmp_path_factory.mktemp("rivals") / "shop")


def test_the_page_tells_what_the_comparison_says(rivals):
    project = Project.load(rivals)
    call, found = Caller(create_app(project)), project.diff(1, 2)
    page = call("/models/returned/diff?a=1&b=2").text
    assert f"On the same {found.metrics.rows} rows that neither has learned from" in page
    assert "mean of amount over 60 days" in page
    for row in found.predictions.changed:
        assert row.entity in page
    assert call("/models/returned/diff").text == page.replace("?a=1&b=2", "")
    assert call("/models/returned/diff?a=1&b=7").status_code == 404
    assert call("/models/nothing/diff").status_code == 404
    told = call("/api/v1/models/returned/diff?a=1&b=2").json()
    assert told["metrics"]["rows"] == found.metrics.rows
    assert [change["name"] for change in told["features"]] == [change.name for change in found.features]
    assert "Compare two versions" in call("/models").text


def test_one_version_has_nothing_to_be_compared_with(made_shop):
    assert "has one version" in Caller(create_app(Project.load(made_shop)))("/models/returned/diff").text


@pytest.mark.browser
def test_it_is_whole_in_both_themes_and_on_a_phone(rivals, monkeypatch):
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is missing")
    monkeypatch.setenv("YARD", str(rivals))
    with serving("web.serving:yard") as (address, _), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        for scheme, width in (("light", 1280), ("dark", 390)):
            context = browser.new_context(
                base_url=address, color_scheme=scheme, viewport={"width": width, "height": 844}
            )
            page, said = watched(context)
            page.goto("/models")
            page.get_by_role("link", name="Compare two versions").click()
            page.get_by_label("From").select_option("2")
            page.get_by_label("To").select_option("1")
            page.get_by_role("button", name="Compare").click()
            page.get_by_role("heading", name="Version 2 and version 1").wait_for()
            assert page.get_by_role("heading", name="The rows that changed most").is_visible()
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), scheme
            assert page.evaluate(_TOO_WIDE) == [], scheme
            assert said == []
            context.close()
        browser.close()
