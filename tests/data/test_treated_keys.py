"""Rules that look into a table know its rows by their pseudonyms."""

from __future__ import annotations

import pytest

from drivetrain.core.errors import ProjectError
from drivetrain.data.column import Column
from drivetrain.data.contract import Contract
from drivetrain.data.readers.files import files
from drivetrain.data.source import Source
from drivetrain.data.treatment import mask, pseudonym, pseudonym_of

KEY = "k" * 32
HIDDEN = pseudonym(key="env:TREATED_KEY")


@pytest.fixture(autouse=True)
def _key(monkeypatch):
    monkeypatch.setenv("TREATED_KEY", KEY)


def hidden(text):
    return pseudonym_of(KEY.encode(), text)


def people(**columns):
    declared = {
        "id": Column("string", treat=HIDDEN),
        "mail": Column("string", unique=True, treat=HIDDEN),
        "x": Column("int"),
        "gone": Column("bool"),
        **columns,
    }
    return Source(name="people", reader=files("raw/*.csv"), key=("id",), contract=Contract(declared), deleted="gone")


def test_a_value_that_another_key_has_is_refused_and_the_same_row_again_is_not(place):
    place.write("raw/1.csv", "id,mail,x,gone\na,a@x,1,\nb,b@x,2,\n")
    place.take(people())
    place.write("raw/2.csv", "id,mail,x,gone\na,a@x,5,\nc,b@x,3,\n")
    made = place.take(people())
    assert {row["id"]: row["x"] for row in place.rows("people")} == {hidden("a"): 5, hidden("b"): 2}
    assert made.reasons == {
        "mail: expected a value that no other row has": 1,
        "took the place of a row with the same key": 1,
    }


def test_of_raw_values_too_where_only_the_key_is_treated(place):
    source = people(mail=Column("string", unique=True))
    place.write("raw/1.csv", "id,mail,x,gone\na,a@x,1,\n")
    place.take(source)
    place.write("raw/2.csv", "id,mail,x,gone\na,a@x,5,\n")
    assert place.take(source).quarantined == 0


def test_a_tombstone_finds_its_row(place):
    place.write("raw/1.csv", "id,mail,x,gone\na,a@x,1,\nb,b@x,2,\nc,c@x,3,\n")
    place.take(people())
    place.write("raw/2.csv", "id,mail,x,gone\nb,,,true\nc,,,true\nc,d@x,4,\n")
    made = place.take(people())
    assert {row["id"]: row["x"] for row in place.rows("people")} == {hidden("a"): 1, hidden("c"): 4}
    assert made.rows == 2
    assert made.reasons == {"deleted where it came from": 1, "took the place of a row with the same key": 1}


def test_a_reference_finds_the_pseudonym_that_both_are_treated_to(place):
    place.write("raw/1.csv", "id,mail,x,gone\na,a@x,1,\n")
    place.take(people())
    orders = Source(
        name="orders",
        reader=files("more/*.csv"),
        key=("id",),
        contract=Contract({"id": Column("int"), "who": Column("string", references=("people", "id"), treat=HIDDEN)}),
    )
    place.write("more/1.csv", "id,who\n1,a\n2,b\n")
    made = place.take(orders)
    assert [row["who"] for row in place.rows("orders")] == [hidden("a")]
    assert made.reasons == {"who: expected a id of table people": 1}
    plain = Contract({"id": Column("int"), "who": Column("string", references=("people", "id"))})
    raw = Source(name="raw", reader=files("more/*.csv"), key=("id",), contract=plain)
    with pytest.raises(ProjectError, match=r"looks 'who' up in people\.id, which is treated"):
        place.take(raw)


def test_what_is_not_kept_apart_can_t_be_held_against_a_table():
    with pytest.raises(ProjectError, match="values that are treated can't be held against"):
        Column("string", unique=True, treat=mask())
    with pytest.raises(ProjectError, match="found increasing"):
        Column("int", increasing=True, treat=HIDDEN)
