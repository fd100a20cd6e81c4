"""Every page in a real Chromium: both themes, a phone's width, the keyboard, and no script at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from web.process import serving
from web.yard import make_yard

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = pytest.mark.browser
PAGES = (
    "/", "/monitoring/late", "/endpoints", "/endpoints/late", "/models", "/models/late/versions/3",
    "/models/late/versions/1", "/runs/0192-run-2", "/runs/0192-failed", "/features", "/data", "/data/flights",
    "/data/flights?version=55&against=50", "/data/training/late", "/quarantine", "/quarantine/flights", "/privacy",
    "/audit", "/alerts", "/alerts/0192-alert-2", "/timeline", "/timeline?show=all", "/timeline/late",
    "/predictions", "/steps",
    "/models/late/bias", "/experiments", "/experiments/1385000000000000", "/runs/0193-tracked-1",
    "/experiments/1385000000000000?filter=metrics.`valid+loss`+<+1", "/runs/0193-tracked-3",
    "/models/late/bias", "/models/late/diff", "/models/late/diff?a=1&b=3",
)  # fmt: skip
_TOO_WIDE = """() => [...document.querySelectorAll("main *")]
    .filter((one) => !one.closest(".scroll, svg") && one.getBoundingClientRect().right > innerWidth + 1)
    .map((one) => one.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        if os.environ.get("DRIVETRAIN_REQUIRE_SERVICES") == "1":
            pytest.fail(f"{CHROMIUM} is missing and services are required")
        pytest.skip(f"{CHROMIUM} is missing")
    options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=[*options, "--disable-component-update"]
        )
        yield started
        started.close()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving("web.serving:seeded") as (found, _):
        yield found


@pytest.fixture
def context(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    wanted = {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"} | getattr(request, "param", {})
    made = browser.new_context(base_url=address, **wanted)
    yield made
    made.close()


def watched(context: BrowserContext) -> tuple[Page, list[str]]:
    """A page, and everything it complains of or asks of another host."""
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda asked: None if "//127.0.0.1:" in asked.url else said.append(asked.url))
    return page, said


@pytest.mark.parametrize(
    ("context", "dark"),
    [
        ({"color_scheme": "light"}, False),
        ({"color_scheme": "dark"}, True),
        ({"color_scheme": "light", "viewport": {"width": 390, "height": 844}, "is_mobile": True}, False),
        ({"color_scheme": "dark", "viewport": {"width": 390, "height": 844}, "is_mobile": True}, True),
    ],
    indirect=["context"],
    ids=["light", "dark", "phone", "phone in the dark"],
)
def test_every_page_is_whole(context: BrowserContext, dark: bool):
    page, said = watched(context)
    page.goto("/predictions")
    prediction = page.locator("tbody a").first.get_attribute("href")
    for path in (*PAGES, prediction):
        page.goto(path)
        assert page.locator("h1").count() == 1, path
        expect(page.locator(".plot canvas")).to_have_count(page.locator(".plot").count())
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} scrolls sideways"
        assert page.evaluate(_TOO_WIDE) == [], path
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).map(Number)")
        assert (sum(paper) < 200) is dark, f"{path} is drawn on {paper}"
        assert said == [], path


def test_colours_can_be_read_in_both_themes(browser: Browser, address: str):
    contrast = """() => {
        const light = (rgb) => rgb.map((one) => (one /= 255) <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)
            .reduce((sum, one, at) => sum + one * [0.2126, 0.7152, 0.0722][at], 0);
        const rgb = (text) => text.match(/[0-9.]+/g).slice(0, 3).map(Number);
        const behind = (one) => { for (; one; one = one.parentElement) {
            const found = getComputedStyle(one).backgroundColor;
            if (!/, 0\\)$|transparent/.test(found)) return rgb(found); } };
        return [...document.querySelectorAll("main *, header *")].filter((one) => one.checkVisibility()
            && [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())).map((one) => {
            const [a, b] = [light(rgb(getComputedStyle(one).color)), light(behind(one))].sort((x, y) => y - x);
            return [(a + 0.05) / (b + 0.05), one.outerHTML.slice(0, 90)]; }).filter(([ratio]) => ratio < 4.5); }"""
    for scheme in ("light", "dark"):
        context = browser.new_context(base_url=address, color_scheme=scheme)
        page = context.new_page()
        for path in (
            "/",
            "/monitoring/late",
            "/endpoints/late",
            "/models/late/versions/3",
            "/alerts",
            "/steps",
            "/data/flights",
            "/quarantine/flights",
            "/privacy",
            "/audit",
        ):
            page.goto(path)
            assert page.evaluate(contrast) == [], f"{path} in the {scheme} theme"
        context.close()


def test_a_chosen_theme_stays(context: BrowserContext):
    page, said = watched(context)
    page.goto("/")
    page.get_by_role("button", name="Dark theme").click()
    page.goto("/monitoring/late")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.get_by_role("button", name="Light theme").is_visible()
    assert said == []


def test_help_opens_and_closes_by_keyboard(context: BrowserContext):
    page, _ = watched(context)
    page.goto("/")
    page.get_by_role("button", name="What is meant by Average precision?").focus()
    page.keyboard.press("Enter")
    meaning = page.locator("#meaning-average_precision")
    assert meaning.is_visible()
    box = meaning.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 1280
    page.keyboard.press("Escape")
    assert not meaning.is_visible()


def test_the_first_tab_leads_to_the_content(context: BrowserContext):
    page, _ = watched(context)
    page.goto("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for _ in range(12):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement !== document.body")


def test_a_window_is_chosen_without_leaving_the_page(context: BrowserContext):
    page, said = watched(context)
    page.goto("/monitoring/late")
    page.evaluate("window.stayed = true")
    page.get_by_label("Window", exact=True).select_option(index=12)
    page.locator("#window").get_by_text("by version 1").wait_for()
    assert page.evaluate("window.stayed") is True
    assert said == []


def test_older_rows_come_into_the_same_page(context: BrowserContext):
    page, said = watched(context)
    page.goto("/quarantine/flights")
    page.get_by_role("link", name="Older").click()
    page.get_by_text("Page 2 of 2").wait_for()
    assert "page_number=2" in page.url
    assert said == []


def test_a_person_promotes_in_the_browser(browser: Browser):
    with serving("web.serving:seeded") as (address, _):
        page = browser.new_context(base_url=address).new_page()
        page.goto("/endpoints/late")
        promote = page.locator("#promote")
        promote.get_by_role("button").click()
        assert page.url.endswith("/endpoints/late"), "a reason is required"
        promote.get_by_label("Why").fill("Version 1 did better in the storms of last week.")
        promote.get_by_role("button").click()
        page.get_by_text("Done: the version was promoted.").wait_for()
        page.locator("#rollback").get_by_label("Why").fill("That was a mistake after all.")
        page.get_by_role("button", name="Go back to version 2").click()
        page.get_by_text("Done: the previous champion answers again.").wait_for()
        page.context.close()


def test_a_person_brings_rows_back_in_the_browser(browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("YARD", str(make_yard(tmp_path / "yard")))
    with serving("web.serving:yard") as (address, _):
        page, said = watched(browser.new_context(base_url=address, viewport={"width": 390, "height": 844}))
        page.goto("/data/orders")
        page.get_by_role("link", name="see those that still are").click()
        page.get_by_role("link", name="country: expected one of").click()
        page.get_by_label("Batch").select_option("2")
        page.get_by_role("button", name="Show").click()
        page.get_by_role("heading", name="41 rows of these").wait_for()
        page.get_by_role("checkbox").first.check()
        page.get_by_role("checkbox").nth(1).check()
        page.get_by_label("Set a column first").select_option("country")
        page.get_by_label("to", exact=True).fill("it")
        page.get_by_label("Why").fill("Two orders from Italy, as the shop says.")
        page.get_by_role("button", name="Bring back").click()
        page.get_by_text("Done: 2 of 2 rows are back").wait_for()
        page.get_by_role("heading", name="58 rows of orders set aside").wait_for()
        page.goto("/audit?what=readmit")
        assert page.get_by_role("link", name="dashboard").is_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert said == []
        page.context.close()


@pytest.mark.parametrize("context", [{"java_script_enabled": False}], indirect=True)
def test_without_scripts_everything_is_still_said(context: BrowserContext):
    page = context.new_page()
    page.goto("/monitoring/late")
    page.get_by_text("The figures as a table").first.click()
    assert page.get_by_role("cell", name="23\u201329 Dec 2013").first.is_visible()
    assert page.get_by_text("The chart needs JavaScript").first.is_visible()
    page.get_by_label("Window", exact=True).select_option(index=3)
    page.get_by_role("button", name="Show").click()
    assert "window=late" in page.url


def test_an_empty_project_looks_meant(browser: Browser):
    with serving("web.serving:empty") as (address, _):
        page, said = watched(browser.new_context(base_url=address, viewport={"width": 390, "height": 844}))
        for path in (
            "/",
            "/monitoring/late",
            "/endpoints/late",
            "/models",
            "/data",
            "/alerts",
            "/predictions",
            "/quarantine",
            "/quarantine/flights",
            "/privacy",
            "/audit",
        ):
            page.goto(path)
            assert page.locator(".empty, .lede").count() >= 1, path
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert said == []
        page.context.close()
