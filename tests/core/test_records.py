from __future__ import annotations

import inspect

import msgspec
import pytest

from drivetrain.core import records
from drivetrain.core.records import Alias, Record, TableVersion

KINDS = [
    value
    for value in vars(records).values()
    if inspect.isclass(value) and issubclass(value, Record) and value is not Record
]


def test_kinds_are_unique_and_hold_no_colon():
    kinds = [kind.kind for kind in KINDS]
    assert len(set(kinds)) == len(kinds)
    assert all(kind.isidentifier() for kind in kinds)


def test_a_ref_is_kind_and_key():
    version = TableVersion(table="training/late", version=3, digest="d", rows=1)
    assert (version.key, version.subject, version.ref) == ("training/late@3", "training/late", "table:training/late@3")
    assert Alias(model="late", alias="champion", version=1).ref == "alias:late:champion"


@pytest.mark.parametrize("kind", KINDS)
def test_records_are_frozen_and_decode_by_name(kind):
    assert kind.__struct_config__.frozen
    assert not kind.__struct_config__.array_like, "fields are added over the years: names, not places"
    assert msgspec.msgpack.Decoder(kind)


def test_a_field_of_a_newer_release_is_passed_over():
    raw = msgspec.msgpack.encode({"model": "late", "alias": "champion", "version": 1, "colour": "red"})
    assert msgspec.msgpack.decode(raw, type=Alias) == Alias(model="late", alias="champion", version=1)


def test_the_base_has_no_key():
    for name in ("key", "subject"):
        with pytest.raises(NotImplementedError):
            getattr(Record(), name)
