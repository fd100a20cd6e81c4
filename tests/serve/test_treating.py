"""Values of a request become what ingestion makes of the same values, one at a time and many at once."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivetrain.core.clock import micros_of
from drivetrain.core.errors import ProjectError, RequestError, UsageError
from drivetrain.data.column import Column
from drivetrain.data.contract import Contract
from drivetrain.data.treating import treated
from drivetrain.data.treatment import WITHHELD, drop, generalise, kept_type, mask, pseudonym, pseudonym_of, truncate
from drivetrain.features.request import TYPES
from drivetrain.serve.log.keeping import Keeping
from drivetrain.serve.plan import EndpointPlan, RequestField
from drivetrain.serve.treating import RequestTreating
from serve import world
from serve.fakes import door
from serve.routing.test_router import logged

KEY = b"k" * 32
WAYS = {
    "who": ("string", pseudonym(key="env:K")),
    "number": ("int", pseudonym(key="env:K")),
    "real": ("float", pseudonym(key="env:K")),
    "mail": ("string", mask()),
    "zip": ("int", truncate(2)),
    "age": ("int", generalise(bins=[18, 30])),
    "town": ("string", generalise(groups={"Ulm": "south"})),
    "born": ("date", generalise(to="year")),
    "seen": ("time", generalise(to="month")),
    "gone": ("string", drop()),
}
PLAN = EndpointPlan(
    name="plain",
    model="plain",
    fields=tuple(
        RequestField(name, kind, treat=treat, kept=kept_type(treat, kind)) for name, (kind, treat) in WAYS.items()
    ),
    entity=("who",),
)
_texts = st.none() | st.text(max_size=12)
_ints = st.none() | st.integers(-(2**63), 2**63 - 1)
ROWS = st.fixed_dictionaries(
    {
        "who": _texts,
        "number": _ints,
        "real": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "mail": _texts,
        "zip": _ints,
        "age": _ints,
        "town": st.sampled_from([None, "Ulm", "Bonn"]),
        "born": st.none() | st.dates(date(1900, 1, 1), date(2100, 1, 1)),
        "seen": st.none() | st.datetimes(timezones=st.just(UTC)),
        "gone": _texts,
    }
)


class Keys:
    def key(self, place):
        return KEY

    def subjects(self, place, subjects):
        return {}


def ingested(rows):
    contract = Contract({name: Column(kind, treat=treat) for name, (kind, treat) in WAYS.items()})
    return treated(pl.DataFrame(rows, schema={name: TYPES[kind] for name, (kind, _) in WAYS.items()}), contract, Keys())


@settings(max_examples=60)
@given(st.lists(ROWS, min_size=1, max_size=3))
def test_a_request_becomes_what_its_row_becomes(rows):
    treating = RequestTreating(PLAN, Keys())
    wanted = ingested(rows).with_columns(pl.col("seen").to_physical()).to_dicts()
    for row, kept in zip(rows, wanted, strict=True):
        came = [micros_of(row[name]) if name == "seen" and row[name] else row[name] for name in WAYS]
        made = dict(zip(WAYS, treating.row(tuple(came)), strict=True))
        assert made == {**kept, "gone": None}
    together = treating.frame(pl.DataFrame(rows, schema={name: TYPES[kind] for name, (kind, _) in WAYS.items()}))
    assert together.drop("gone").equals(ingested(rows))


@settings(max_examples=60)
@given(ROWS)
def test_the_log_keeps_what_the_row_keeps(row):
    raw = msgspec.Raw(msgspec.json.encode(row))
    kept = json.loads(msgspec.msgpack.decode(bytes(Keeping((), 1.0, RequestTreating(PLAN, Keys())).request(raw))))
    [wanted] = json.loads(msgspec.json.encode(ingested([row]).to_dicts()))
    assert kept == {**wanted, "gone": None}


def test_a_pseudonym_is_taken_as_one_and_that_of_another_key_is_not():
    treating = RequestTreating(replace(PLAN, fields=PLAN.fields[:1]), Keys())
    own, other = pseudonym_of(KEY, "ada"), pseudonym_of(b"x" * 32, "ada")
    assert treating.row((own,)) == (own,)
    assert treating.row((other,)) == (pseudonym_of(KEY, other),)
    assert treating.frame(pl.DataFrame({"who": ["ada", own, None]}))["who"].to_list() == [own, own, None]


def test_a_prediction_is_named_as_its_request_named_it():
    two = replace(PLAN, fields=PLAN.fields[:2], entity=("who", "number"))
    assert RequestTreating(two, Keys()).entity("ada|7", "e") == f"{pseudonym_of(KEY, 'ada')}|{pseudonym_of(KEY, '7')}"
    for text in ("neither", "a|7|x", ""):
        with pytest.raises(RequestError, match=r"expected who\|number") as told:
            RequestTreating(two, Keys()).entity(text, "feedback[0].entity")
        assert told.value.field == "feedback[0].entity"
        assert "neither" not in str(told.value)
    kept = replace(two, fields=(PLAN.fields[1], RequestField("plain", "string")), entity=("plain",))
    assert RequestTreating(kept, Keys()).entity("a|b", "e") == "a|b"
    assert not RequestTreating(world.PLAIN, None)


def test_an_override_names_a_unit_as_rows_have_it():
    treating = RequestTreating(replace(PLAN, fields=(*PLAN.fields, RequestField("plain", "string"))), Keys())
    assert treating.unit(("who",), "a|b") == treating.row(("a|b", *[None] * 10))[0]
    assert treating.unit(("plain", "number"), "x|7") == f"x|{pseudonym_of(KEY, '7')}"
    assert treating.unit(("who",), pseudonym_of(KEY, "ada")) == pseudonym_of(KEY, "ada")
    assert treating.unit((), "r1/0") == "r1/0"
    assert treating.unit(("plain",), "a|b") == "a|b"
    with pytest.raises(UsageError, match=r"found 1 parts; expected plain\|number"):
        treating.unit(("plain", "number"), "x")
    with pytest.raises(ProjectError, match="can't name a unit by 'zip'"):
        treating.unit(("zip",), "12345")


@pytest.fixture
def store(tmp_path):
    opened = world.make(tmp_path)
    yield opened
    opened.close()


@pytest.mark.parametrize("shadow", [False, True])
@pytest.mark.parametrize("deadline", [None, 5.0])
def test_what_is_sensitive_is_predicted_from_and_not_kept_on_any_road(store, tmp_path, shadow, deadline):
    fields = tuple(replace(f, privacy="sensitive") if f.name in {"carrier", "seats"} else f for f in world.FIELDS)
    plan = replace(world.PLAIN, fields=fields, deadline=deadline)
    if shadow:
        world.add_version(store, "plain", 2, 10.0)
        world.point(store, "plain", "shadow", 2)
    ask_for = {"instances": [world.instance(carrier="UA", seats=5)]}
    with door(store, tmp_path / "log", plans=[plan]) as ask:
        assert ask.post("/v1/endpoints/plain/predict", ask_for)[1]["predictions"] == [106.0]
    for entry in logged(tmp_path / "log"):
        assert json.loads(bytes(entry.request)) == world.instance(carrier=WITHHELD, seats=WITHHELD)
        assert str(entry.values) == "[100.0, nan, nan]"
        assert entry.prediction in {106.0, 116.0}
    with door(store, tmp_path / "kept", plans=[replace(plan, keep_sensitive=True)]) as ask:
        ask.post("/v1/endpoints/plain/predict", ask_for)
    assert {json.loads(bytes(entry.request))["seats"] for entry in logged(tmp_path / "kept")} == {5}


def test_predictions_are_not_named_by_what_is_sensitive(store, tmp_path):
    plan = replace(world.PLAIN, fields=(replace(world.FIELDS[0], privacy="sensitive"), *world.FIELDS[1:]))
    with pytest.raises(ProjectError, match="which is sensitive"), door(store, tmp_path / "l", plans=[plan]):
        pass
