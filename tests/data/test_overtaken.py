"""Two processes take in one source that does not give both the same rows in the same order."""

from __future__ import annotations

import msgspec

from drivetrain.data import quarantine
from drivetrain.data.column import Column
from drivetrain.data.contract import Contract
from drivetrain.data.ledger import last_entry
from drivetrain.data.quarantine import Refused
from drivetrain.data.readers.rows import rows
from drivetrain.data.source import Source


def test_a_bad_row_is_kept_though_another_process_has_it_and_will_take_it_back(place):
    """The other kept it under a number that was ours already, has yet to find out, and will withdraw it."""
    tables = place.store.tables
    bad = Refused(
        None, ["x: expected at least 0"], ["x: found -1, expected at least 0"], '{"id":3,"x":-1}', prepared=True
    )

    def given(since):
        yield [{"id": 1, "x": 1}, {"id": 2, "x": 2}]
        yield [{"id": 3, "x": -1}, {"id": 4, "x": 4}]
        ours = last_entry(tables, "w")[0]
        quarantine.keep(tables, "w", msgspec.structs.replace(ours, batch="another"), [bad], 1)
        yield [{"id": 5, "x": 5}]

    contract = Contract({"id": Column("int"), "x": Column("int", low=0)})
    place.take(Source(name="w", reader=rows(given, batch_rows=2), key=("id",), contract=contract))
    quarantine.withdraw_overtaken(tables, "w", tables.version("w"))
    [kept] = quarantine.standing(tables, "w").select("_number", "_row", "_rules").rows()
    assert kept == (2, bad.row, bad.rules)
