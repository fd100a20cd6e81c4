from __future__ import annotations

import json
from importlib.resources import files as files_of

import jsonschema
import polars as pl
import pytest
from open_data_contract_standard.model import OpenDataContractStandard

from drivetrain.core.errors import SourceError, UnknownName
from drivetrain.core.plugins import load
from drivetrain.data.column import Column
from drivetrain.data.contract import Contract
from drivetrain.data.odcs import as_odcs, from_odcs
from drivetrain.data.readers.files import files
from drivetrain.data.source import Source

CONTRACT = Contract(
    {
        "id": Column("int", nullable=False, description="Its number"),
        "at": Column("time", nullable=False, low="2013-01-01T00:00:00Z", increasing=True),
        "day": Column("date", high="2014-01-01"),
        "x": Column("float", low=-1.5, high=9, complete=0.9),
        "code": Column("string", pattern="^[A-Z]{2}$", unique=True, privacy="personal"),
        "kind": Column("string", among=("a", "b")),
        "carrier": Column("string", references=("airlines", "carrier")),
        "ok": Column("bool", privacy="public"),
    },
    min_rows=3,
    volume=(0.5, 2.0),
    drift={"x": 0.2},
    balance={"ok": (0.1, 0.9)},
    freshness="2d",
    on_breach="fail",
    on_new_column="add",
    renamed={"key": "id"},
)


def source(**declared):
    settings = {"name": "events", "reader": files("x.csv"), "key": ("id",), "time": "at", "contract": CONTRACT}
    return Source(**{**settings, "description": "What happened", **declared})


def written(folder, declared):
    path = folder / "events.yaml"
    path.write_text(load("document", "yaml").write(as_odcs(declared, project="shop")))
    return path


def test_what_is_exported_keeps_the_standards_own_schema(tmp_path):
    odd = source(
        contract=Contract({"id": Column("int")}, checks={"positive": pl.col("id") > 0}, tables={"any": pl.len() > 0})
    )
    schema = json.loads(files_of("open_data_contract_standard").joinpath("schema.json").read_text("utf-8"))
    for declared in (source(), odd, source(contract=Contract({}), description="")):
        document = as_odcs(declared, project="shop")
        jsonschema.validate(document, schema)
        path = written(tmp_path, declared)
        assert OpenDataContractStandard.from_file(str(path)).id == "shop-events"


@pytest.mark.parametrize("suffix", ["yaml", "json"])
def test_what_is_exported_is_read_as_it_was(tmp_path, suffix):
    path = written(tmp_path, source())
    if suffix == "json":
        path = tmp_path / "events.json"
        path.write_text(json.dumps(as_odcs(source(), project="shop")))
    made = from_odcs(path)
    assert (made.name, made.key, made.time, made.unread) == ("events", ("id",), "at", ())
    assert made.contract == CONTRACT


FOREIGN = """
apiVersion: v3.0.2
kind: DataContract
id: 53581432-6c55-4ba2-a65f-72344a91553a
version: 1.1.0
status: active
schema:
  - name: tbl
    properties:
      - {name: txn_ref_dt, logicalType: date, partitioned: true, primaryKey: true, primaryKeyPosition: 2}
      - name: rcvr_id
        logicalType: string
        primaryKey: true
        primaryKeyPosition: 1
        required: true
        classification: restricted
        logicalTypeOptions: {minLength: 2, maxLength: 5, format: uuid}
      - name: amount
        logicalType: number
        logicalTypeOptions: {exclusiveMinimum: 0, maximum: 10}
        quality:
          - {metric: nullValues, mustBe: 0}
          - {type: sql, query: "SELECT 1", mustBe: 1, name: odd}
      - name: pieces
        logicalType: integer
        logicalTypeOptions: {exclusiveMinimum: 2, exclusiveMaximum: 9}
        quality:
          - {rule: invalidValues, mustBe: 0, arguments: {validValues: [3, 5]}}
      - {name: parts, logicalType: array}
    quality:
      - {metric: rowCount, mustBeGreaterOrEqualTo: 5}
      - {metric: rowCount, mustBeLessThan: 500, name: most}
slaProperties:
  - {property: freshness, value: 4, unit: hours}
"""


def test_a_contract_of_somebody_else_is_read_and_what_is_not_is_told(tmp_path):
    path = tmp_path / "tbl.yaml"
    path.write_text(FOREIGN)
    made = from_odcs(path)
    assert (made.key, made.contract.min_rows, made.contract.freshness) == (("rcvr_id", "txn_ref_dt"), 5, "4h")
    columns = made.contract.columns
    assert columns["rcvr_id"] == Column("string", nullable=False, pattern="(?s)^.{2,5}$", privacy="sensitive")
    assert columns["amount"].low == 5e-324
    assert (columns["amount"].high, columns["amount"].nullable) == (10, False)
    assert (columns["pieces"].low, columns["pieces"].high, columns["pieces"].among) == (3, 8, (3, 5))
    assert set(made.unread) == {
        "column 'rcvr_id': format",
        "column 'amount': quality odd",
        "column 'parts': no rule for type array",
        "quality most",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "is not YAML"),
        ("- 1", "is no data contract; found list"),
        ("kind: Other\nschema: []", "found kind 'Other'"),
        ("kind: DataContract\nschema: [{name: a}, {name: b}]", "describes several tables; found a, b"),
        (
            "kind: DataContract\nschema: [{name: a, properties: [{name: x, logicalTypeOptions: {pattern: '('}}]}]",
            "column 'x' can't be used",
        ),
    ],
)
def test_documents_that_can_not_be_used_are_named(tmp_path, text, said):
    path = tmp_path / "c.yaml"
    path.write_text(text)
    with pytest.raises((SourceError, UnknownName), match=said):
        from_odcs(path)
    with pytest.raises(SourceError, match="can't be read"):
        from_odcs(tmp_path / "none.yaml")
