from __future__ import annotations

import random

import polars as pl

from drivetrain.data.personal import verdicts


def frame(**columns):
    return pl.DataFrame(columns)


def test_what_values_are_and_what_they_mention_are_told_apart():
    found = verdicts(
        frame(
            contact=[f"user{n}@example.org" for n in range(50)],
            note=["all is well"] * 45 + ["write to eve@example.org"] * 5,
            amount=[float(n) for n in range(50)],
        )
    )
    assert [(one.column, one.kind, one.whole) for one in found] == [
        ("contact", "email", True),
        ("note", "email", False),
    ]
    assert found[0].share == 1.0
    assert found[1].share == 0.1
    assert "user" not in str(found)
    assert "eve@" not in str(found)
    assert found[0].examples


def test_a_name_counts_where_values_cannot_show_it_and_not_where_they_contradict_it():
    births = ["1990-01-01", "1991-01-01"]
    found = verdicts(frame(last_name=["Weber", "Okafor"], birth_date=births, email=["none", "none"], lat=[1.5, 2.5]))
    kinds = {one.column: one.kind for one in found}
    assert kinds == {"last_name": "name", "birth_date": "birth date", "lat": "location"}


def test_long_numbers_are_not_cards_because_some_pass_the_check():
    dice = random.Random(0)
    numbers = [str(dice.randrange(4 * 10**15, 5 * 10**15)) for _ in range(1000)]
    tenth = verdicts(frame(serial=numbers))
    assert not tenth or tenth[0].share < 0.2
    assert verdicts(frame(serial=list(range(10**6, 10**6 + 500)))) == []


def test_classes_follow_from_kinds_and_what_is_declared_is_told():
    found = verdicts(frame(iban=["DE89370400440532013000"] * 3, mail=["a@example.org"] * 3), {"mail": "internal"})
    assert {one.column: (one.privacy, one.declared) for one in found} == {
        "iban": ("sensitive", None),
        "mail": ("personal", "internal"),
    }


def test_nothing_is_said_of_columns_without_values():
    assert verdicts(frame(b=pl.Series([None, None], dtype=pl.String))) == []
