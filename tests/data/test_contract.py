from __future__ import annotations

import polars as pl
import pytest

from drivetrain.core.errors import ProjectError
from drivetrain.data.column import Column
from drivetrain.data.contract import Contract


def test_its_digest_follows_its_meaning():
    base = Contract({"a": Column("int", low=0)}, checks={"a is small": pl.col("a") < 10})
    same = Contract({"a": Column("int", low=0, description="x")}, checks={"a is small": pl.col("a") < 10})
    assert base.digest == same.digest
    others = [
        Contract({"a": Column("int", low=1)}, checks={"a is small": pl.col("a") < 10}),
        Contract({"a": Column("int", low=0)}, checks={"a is small": pl.col("a") < 11}),
        Contract({"a": Column("int", low=0)}, checks={"a is small": pl.col("a") < 10}, on_breach="warn"),
    ]
    assert len({base.digest, *(other.digest for other in others)}) == 4


def test_it_knows_which_tables_it_refers_to():
    contract = Contract({"dest": Column("string", references=("airports", "faa")), "other": Column("int")})
    assert contract.references == {"airports"}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"on_breach": "ignore"}, "on_breach is unknown"),
        ({"max_quarantine_share": 2}, "is a share"),
        ({"columns": {"_seq": Column("int")}}, "drivetrain's own"),
    ],
)
def test_an_impossible_setting_is_named(settings, words):
    with pytest.raises(ProjectError, match=words):
        Contract(**settings)
