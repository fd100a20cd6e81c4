"""How nouns look in a notebook: what they say, escaped, and nothing that is as by default."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import drivetrain as dt
from drivetrain.core.clock import DAY, micros_of
from drivetrain.core.notebook import framed, shown, table
from drivetrain.core.records import Evaluation, GateOutcome, GateReport, Measure, Run


@dataclass(frozen=True)
class Noun:
    name: str
    text: str = ""
    ttl: int = 0
    at: int = 0
    many: tuple[object, ...] = ()
    by_name: dict[str, object] = field(default_factory=dict)


def words(html: str) -> str:
    """What is read, without markup."""
    content = re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", content)).split())


def test_what_is_as_by_default_is_left_out() -> None:
    assert words(shown(Noun("a"))) == "Noun a"


def test_moments_lengths_and_numbers_are_written_as_people_write_them() -> None:
    noun = Noun("a", ttl=30 * DAY, at=micros_of("2013-07-01T09:30:00Z"), many=(1234, 0.123456, True, None))
    assert words(shown(noun)) == "Noun a ttl 30d at 2013-07-01T09:30:00Z many 1,234, 0.1235, yes, –"


def test_a_number_that_is_no_moment_stays_a_number() -> None:
    assert "at 17" in words(shown(Noun("a", at=17)))


@given(st.text(max_size=40))
def test_whatever_a_noun_holds_is_text_and_no_markup(text: str) -> None:
    html = shown(Noun("a", text=text, many=(text, text), by_name={text: text}))
    assert set(re.findall(r"</?([a-z]+)", html)) <= {
        "div",
        "style",
        "strong",
        "code",
        "table",
        "tbody",
        "tr",
        "th",
        "td",
    }


def test_long_lists_and_texts_are_cut_and_say_so() -> None:
    html = words(shown(Noun("a", text="x" * 1_000, many=tuple(range(100)))))
    assert "x" * 240 + "…" in html
    assert "23 and 76 more" in html
    assert words(table(["n"], [[at] for at in range(30)])).endswith("23 and 6 more")


def test_things_of_one_kind_are_rows_of_a_table() -> None:
    outcomes = [GateOutcome(gate, True, 0.8, 0.6, "it is") for gate in ("roc_auc", "recall")]
    gates = GateReport(tuple(outcomes), 0)
    assert words(shown(gates)).startswith("GateReport outcomes gate passed")
    contract = dt.Contract({"origin": dt.Column("string", among=["EWR", "JFK"]), "delay": dt.Column("float", low=-60)})
    assert words(shown(contract)) == "Contract columns type low among origin string EWR, JFK delay float -60"


def test_a_figure_has_its_interval_and_count() -> None:
    report = Evaluation(
        run_id="r", model="late", data="table:t@1", since=0, until=1, rows=1_200, positives=100, block="day",
        replicates=10, metrics={"roc_auc": Measure(0.8, 0.75, 0.85, 1_200), "bias": Measure(0.1)}, baselines={},
        comparisons=(), slices=(), calibration=(), importance={},
    )  # fmt: skip
    assert "roc_auc 0.8 (0.75 to 0.85), 1,200 rows bias 0.1" in words(shown(report))


@pytest.mark.parametrize(
    "noun", [dt.Entity("plane", keys=["tailnum"]), dt.Tune(trials=3), dt.Gate("roc_auc", at_least=0.6)]
)
def test_public_nouns_show_themselves(noun: object) -> None:
    html = noun._repr_html_()  # type: ignore[attr-defined]
    assert words(html).startswith(type(noun).__name__)


def test_records_show_themselves_by_their_ref() -> None:
    run = Run(run_id="r1", model="late", trainer="lightgbm", code="c", environment="e")
    assert "run:r1" in run._repr_html_()


def test_a_project_shows_what_it_declares(tmp_path) -> None:
    project = dt.Project("road", objective="Warn <early>")
    flights = project.source("flights", dt.files("raw/*.csv"), key="id", time="at")
    plane = dt.Entity("plane", keys=["tailnum"])
    view = project.feature_view("history", entity=plane, source=flights, features=[dt.count(windows=["1d"])])
    model = project.model(
        "late",
        label=dt.label(flights, pl.col("delay") >= 15),
        features=[view],
        trainer=dt.LightGBM(),
        split=dt.TimeSplit(),
    )
    project.endpoint("late", model=model)
    html = project._repr_html_()
    assert "Warn &lt;early&gt;" in html
    assert not (tmp_path / ".drivetrain").exists()
    for told in ("flights files raw/*.csv id at", "history plane flights 1", "late late no"):
        assert told in words(html)


def test_a_frame_without_a_heading() -> None:
    assert words(framed("", "", "<table></table>")) == ""
