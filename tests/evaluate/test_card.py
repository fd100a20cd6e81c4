import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from msgspec.structs import replace
from playwright.sync_api import sync_playwright

from drivetrain.core.records import Run
from drivetrain.core.records.run import Encoding, LeakageFinding
from drivetrain.core.records.selection import JudgedFeature, Selection
from drivetrain.core.records.version import Artifact, Candidate, Packaging
from drivetrain.evaluate.bootstrap import Bootstrap
from drivetrain.evaluate.card import Card, card_html, card_json
from drivetrain.evaluate.gate import Gate
from drivetrain.evaluate.operating import operate
from drivetrain.evaluate.report import Subject, evaluate
from drivetrain.evaluate.verdict import check
from drivetrain.train.packaging import choose
from evaluate.world import days_of_rows

CHROMIUM = Path("/usr/bin/chromium")


def card(**more) -> Card:
    labels, predictions, ats = days_of_rows(1, 20, 150)
    evaluation = evaluate(
        predictions,
        labels,
        ats,
        subject=Subject(run_id="r1", model="late", data="table:t@1", importance={"weather.temp": 0.6, "a<b": 0.4}),
        slices=pl.DataFrame({"carrier": np.where(np.arange(3000) < 20, "<script>", "UA")}),
        baselines={"constant": np.full(3000, 0.25)},
        bootstrap=Bootstrap(replicates=60),
    )
    packaging = Packaging(
        candidates=choose(
            [
                Candidate(engine="xgboost", name="model.ubj", size=409_051, agrees=True, difference=0.0, rows=4000,
                          row_us=130.5, batch_us=565.2),
                Candidate(engine="onnx", name="model.onnx", size=113_099, agrees=True, difference=2.6e-07, rows=4000,
                          row_us=11.3, batch_us=160.1),
                Candidate(engine="torch", name="model.pt", size=812, agrees=False, difference=0.25, rows=4000,
                          reason="It differs by 0.25; at most 0.0001 is <allowed>."),
            ]
        ),
        tolerance=1e-4,
        batch=64,
    )  # fmt: skip
    run = Run(
        run_id="r1",
        model="late",
        trainer="LightGBM",
        code="c" * 32,
        environment="e" * 32,
        parameters={"leaves": 31},
        packages={"numpy": "2"},
        inputs={"training_set": "table:t@1"},
        artifacts=(Artifact("model.txt", "lightgbm", "d" * 32, 10),),
        packaging=packaging,
    )
    settings = {
        "project": "flights",
        "objective": "Warn <passengers>.",
        "evaluation": evaluation,
        "gates": check([Gate("roc_auc", at_least=0.5), Gate.beats_champion()], evaluation),
        "run": run,
        "version": 3,
        "curve": operate(predictions, labels, ats, bootstrap=Bootstrap(replicates=60)),
    } | more
    return Card(**settings)


class Balance(HTMLParser):
    """Every element that must be closed is, in order."""

    VOID = {"meta", "br", "line", "circle", "polyline"}

    def __init__(self):
        super().__init__()
        self.open, self.outside = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)
        self.outside += [value for name, value in attrs if name in {"src", "href"}]

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_the_page_is_whole_stands_alone_and_escapes_what_it_is_told():
    page = card_html(card()).decode()
    reader = Balance()
    reader.feed(page)
    assert reader.open == []
    assert reader.outside == []
    assert "<script>" not in page
    assert "Warn &lt;passengers&gt;." in page
    assert "late v3" in page
    assert "may serve" in page


def test_a_refusal_and_an_exception_are_marked():
    refused = check([Gate("roc_auc", at_least=0.99)], card().evaluation)
    assert ">refused<" in card_html(card(gates=refused)).decode()
    forced = card_html(card(gates=refused, forced="the old one is broken")).decode()
    assert "serves by exception" in forced
    assert "the old one is broken" in forced


def test_what_is_not_known_is_shown_as_not_known():
    told = json.loads(card_json(card()))
    assert any("carrier <script>" in line for line in told["unknown"])
    assert any("20 days" in line for line in told["unknown"])
    assert any("Fairness" in line for line in told["unknown"])
    assert told["evaluation"]["metrics"]["roc_auc"]["low"] < told["evaluation"]["metrics"]["roc_auc"]["value"]


def test_a_card_of_the_least_still_renders():
    labels, predictions, ats = days_of_rows(1, 2, 150)
    bare = evaluate(predictions, labels, ats, subject=Subject(run_id="r", model="late", data="table:t@1"))
    page = card_html(card(evaluation=bare, gates=check([], bare), run=None, version=None, curve=None)).decode()
    assert "not known" in page


def test_the_engines_that_were_tried_are_told_with_the_reason():
    page = card_html(card()).decode()
    table = page[page.index("What it is served by") : page.index("How it was made")]
    assert table.count("<tr>") == 4
    assert table.count(">serves<") == 1
    assert table.index(">serves<") > table.index("<td>onnx")
    for said in (
        "It is 6.4 times as fast as xgboost, and agrees.",
        "3e-07",
        "11.3 µs",
        "160 µs",
        "409 kB",
        "&lt;allowed&gt;",
        "4,000 rows",
    ):
        assert said in table
    assert json.loads(card_json(card()))["run"]["packaging"]["candidates"][1]["chosen"] is True
    bare = card_html(card(run=replace(card().run, packaging=None))).decode()
    assert "What it is served by" not in bare


def test_leaks_that_were_looked_for_are_told():
    found = (
        LeakageFinding(check="id-like", feature="f.<id>", severity="warned", evidence="f.<id> names rows"),
        LeakageFinding(check="target", feature="f.b", severity="allowed", evidence="f.b equals the label"),
    )
    suspected = card(run=replace(card().run, leakage=found))
    page = card_html(suspected).decode()
    assert "F.&lt;id&gt; names rows." in page
    assert ">allowed<" in page
    assert [line for line in json.loads(card_json(suspected))["unknown"] if "f.<id> names rows" in line]
    clean = card_html(card(run=replace(card().run, leakage=()))).decode()
    assert "nothing was found" in clean
    assert "give the answer away" not in card_html(card()).decode()


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason="the system has no /usr/bin/chromium")
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_phone_shows_it_in_both_themes_without_scrolling_sideways(theme, tmp_path):
    path = tmp_path / "card.html"
    path.write_bytes(card_html(card()))
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync", "--no-first-run"]
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=flags)
        page = browser.new_context(viewport={"width": 390, "height": 800}, color_scheme=theme).new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.goto(path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(19, 20, 22)"
        assert dark is (theme == "dark")
        assert said == []
        browser.close()


def test_what_was_chosen_is_told_with_the_reason():
    judged = [
        JudgedFeature(feature=f"f{at}", kept=at < 2, value=9.5 - at, chance=0.02, why="stands out <from> chance")
        for at in range(60)
    ]
    selection = Selection(
        by="null_importance", level=0.05, measure="above chance", fits=42, rows=5_000, features=tuple(judged)
    )
    told = Encoding(feature="origin", by="time", smoothing=20, prior=0.26, categories=400, low=0.1, high=0.6, rows=10)
    made = card()
    assert made.run is not None
    page = card_html(replace(made, run=replace(made.run, selection=selection, encodings=(told,)))).decode()
    assert "2 of 60 features kept, chosen by null importance from 5,000 rows before anything was tuned" in page
    assert "stands out &lt;from&gt; chance" in page
    assert "and 20 more, in the run's record" in page or "and 20 more, in the run&#39;s record" in page
    assert "drawn toward that of all by 20 rows." in page
    plain = card_html(made).decode()
    assert "Which features it reads" not in plain
    assert "Categories read as numbers" not in plain
