"""What may not be seen is not sent: rows, reasons, requests, in pages and in JSON."""

from __future__ import annotations

import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivetrain.data.breach import show
from drivetrain.data.column import Column
from drivetrain.data.veil import MASKED, Veil, joined
from web.conftest import Caller
from web.seed import PRIVATE, SeededDesk

VEIL = Veil(frozenset({"email"}), frozenset({"email", "age"}))
_values = st.text(min_size=1).map(lambda text: f"Zq7{text}Zq7")


@given(_values, st.sampled_from(["an address", "", "one of 'a' or 'b'"]))
def test_a_reason_never_quotes_a_withheld_value(value: str, expected: str):
    wanted = f", expected {expected}" if expected else ""
    for subject in ("email", "unknown column", "e-mail and age disagree"):
        assert "Zq7" not in VEIL.reason(f"{subject}: found {show(value)}{wanted}")
    assert "Zq7" not in VEIL.reason(f"{value!r} is not a row")


def test_reasons_of_open_columns_stay_as_they_are():
    text = "age: found -3, expected at least 0"
    assert VEIL.reason(text) == text
    assert Veil().reason("anything: found 'x'") == "anything: found 'x'"


@given(
    st.dictionaries(st.sampled_from(["email", "age", "other"]), st.one_of(st.none(), st.text(), st.lists(st.text())))
)
def test_a_row_keeps_its_columns_and_loses_its_secrets(row: dict[str, object]):
    shown = VEIL.row(row)
    assert shown.keys() == row.keys()
    for name, value in row.items():
        hidden = name in {"email", "other"} and value is not None
        assert shown[name] == (MASKED if hidden else value)


def test_what_one_source_withholds_all_do():
    both = joined([VEIL, Veil(frozenset(), frozenset({"email"}))])
    assert both.hides("email")
    assert not both.hides("age")


@pytest.mark.parametrize(
    "path",
    ["/quarantine/flights", "/quarantine/flights?page_number=2", "/data/flights", "/api/v1/quarantine/flights",
     "/api/v1/tables/flights", "/api/v1/tables"],
)  # fmt: skip
def test_private_values_leave_neither_pages_nor_api(path: str, call: Caller):
    answer = call(path)
    assert answer.status_code == 200
    assert PRIVATE not in answer.text


@pytest.mark.parametrize("privacy", ["personal", "sensitive", "secret"])
def test_a_prediction_s_private_fields_are_masked(privacy: str, desk: SeededDesk, call: Caller):
    columns = dict(desk.sources["flights"].contract.columns)
    columns["crew_contact"] = Column("string", privacy=privacy)  # type: ignore[arg-type]
    object.__setattr__(desk.sources["flights"].contract, "columns", columns)
    link = next(part for part in call("/predictions").text.split('"') if part.startswith("/predictions/"))
    for path in (link, f"/api/v1{link}"):
        answer = call(path)
        assert answer.status_code == 200
        assert PRIVATE not in answer.text
        assert MASKED in answer.text


def test_a_prediction_says_who_else_answered_and_why_this_one_did(call: Caller):
    link = next(part for part in call("/predictions").text.split('"') if part.startswith("/predictions/"))
    text = call(link).text
    assert "In shadow, version 3 said 31%." in text
    assert "It led by 0.047" in text


def test_an_entity_that_is_private_is_masked(desk: SeededDesk, call: Caller):
    columns = dict(desk.sources["flights"].contract.columns)
    columns["flight_id"] = Column("string", privacy="personal")
    object.__setattr__(desk.sources["flights"].contract, "columns", columns)
    link = next(part for part in call("/predictions").text.split('"') if part.startswith("/predictions/"))
    assert "-EWR" not in call(link).text


def test_a_row_that_is_no_json_is_withheld_whole(desk: SeededDesk, call: Caller):
    broken = desk.store.tables.scan("quarantine/flights").tail(1).collect()
    broken = broken.with_columns(_row=pl.lit(f"broken,{PRIVATE}"), _reasons=pl.lit([f"line 3 is no row: '{PRIVATE}'"]))
    desk.store.tables.append("quarantine/flights", broken)
    rows = json.loads(call("/api/v1/quarantine/flights").text)["rows"]
    assert PRIVATE not in json.dumps(rows)
    assert any(row["text"] == MASKED for row in rows)
