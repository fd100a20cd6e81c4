"""Fields of requests by the names of features, whatever these hold."""

from __future__ import annotations

import json

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from drivetrain.monitor.requested import requested


@given(st.text(st.characters(exclude_characters=".", exclude_categories=["Cs"])))
def test_a_field_is_found_by_its_name(name):
    requests = pl.Series([json.dumps({name: "here", "another one": 1}), json.dumps({"another one": 2})])
    found = requested(requests, f"sms.{name}").to_list()
    assert found == (["1", "2"] if name == "another one" else ["here", None])


@given(st.text(st.sampled_from("\\\"'a]")))
def test_quotes_and_backslashes_hide_no_field(name):
    requests = pl.Series([json.dumps({name: "here"}), "{}", json.dumps({name: 7}), json.dumps({name: None}), "[]"])
    assert requested(requests, f"sms.{name}").to_list() == ["here", None, "7", None, None]
