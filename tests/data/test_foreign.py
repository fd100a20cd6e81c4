from __future__ import annotations

import dataframely as dy
import pandera.polars as pa
import polars as pl
import pytest

from drivetrain.core.errors import ProjectError
from drivetrain.data.checks import check
from drivetrain.data.column import Column
from drivetrain.data.contract import Contract

ROWS = pl.DataFrame(
    {
        "n": [5, -1, 12, None, 3],
        "code": ["AB", "A", "ABCDE", "AB", "xx"],
        "kind": ["p", "q", "r", "p", "p"],
        "x": [0.5, 1.0, 0.0, 0.5, 7.5],
    }
)


class Sent(dy.Schema):
    n = dy.Int64(nullable=True, min=0, max=9)
    code = dy.String(regex="^[A-Z]", min_length=2, max_length=4)
    kind = dy.Enum(["p", "q"])
    x = dy.Float64(min=0, max_exclusive=1, description="A share")

    @dy.rule()
    def n_above_x(cls) -> pl.Expr:  # noqa: N805 - dataframely gives the class
        return cls.n.col > cls.x.col


SCHEMA = pa.DataFrameSchema(
    {
        "n": pa.Column(int, pa.Check.in_range(0, 9), nullable=True),
        "code": pa.Column(str, [pa.Check.str_matches("[A-Z]"), pa.Check.str_length(2, 4)]),
        "kind": pa.Column(str, pa.Check.isin(["p", "q"])),
        "x": pa.Column(float, [pa.Check.ge(0), pa.Check.lt(1)], description="A share"),
    }
)


def bad_rows(contract):
    broken = pl.Series([False] * ROWS.height)
    for breach in check(ROWS, contract, {}, lambda *_: pl.Series([])):
        broken |= breach.rows
    return broken.to_list()


def test_a_dataframely_schema_refuses_what_the_library_refuses():
    contract = Contract.of(Sent)
    rows = ROWS.with_columns(pl.col("kind").cast(pl.String))
    good, _ = Sent.filter(rows, cast=True)
    expected = [row not in good.with_columns(pl.col("kind").cast(pl.String)).rows() for row in ROWS.rows()]
    assert bad_rows(contract) == expected
    assert contract.columns["x"] == Column("float", nullable=False, low=0, description="A share")
    assert set(contract.checks) == {"code: min_length", "code: max_length", "x: max_exclusive", "n_above_x"}


def test_a_pandera_schema_refuses_what_the_library_refuses():
    contract = Contract.of(SCHEMA, max_quarantine_share=0.1)
    expected = []
    for at in range(ROWS.height):
        try:
            SCHEMA.validate(ROWS[at : at + 1], lazy=True)
            expected.append(False)
        except pa.errors.SchemaErrors:
            expected.append(True)
    assert bad_rows(contract) == expected
    assert contract.max_quarantine_share == 0.1
    assert contract.columns["n"] == Column("int", low=0, high=9)


def test_a_pandera_model_is_a_schema_too():
    class Model(pa.DataFrameModel):
        a: int = pa.Field(ge=3, unique=True)

        class Config:
            strict = True

    contract = Contract.of(Model)
    assert contract.columns == {"a": Column("int", nullable=False, low=3, unique=True)}
    assert contract.on_new_column == "fail"


def test_what_a_contract_can_not_say_is_refused_by_name():
    custom = pa.DataFrameSchema(
        {"a": pa.Column(int, pa.Check(lambda _: True, name="odd")), "b": pa.Column(str, required=False)}
    )
    with pytest.raises(ProjectError, match=r"column 'b' need not be there; the check 'odd' of column 'a'"):
        Contract.of(custom)
    with pytest.raises(ProjectError, match="a contract can't be made of that"):
        Contract.of({"a": int})
    with pytest.raises(ProjectError, match="column 'a' has a type that no contract holds"):
        Contract.of(pa.DataFrameSchema({"a": pa.Column(pl.List(pl.Int64))}))
