"""Tables as CSV (RFC 4180): a header line that names the endpoint's fields, then a line an instance."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from math import inf, isfinite
from typing import Any

from drivetrain.core.errors import RequestError
from drivetrain.core.settings import ServeSettings
from drivetrain.serve.call import Call
from drivetrain.serve.instance import InstanceSchema
from drivetrain.serve.plan import FieldType
from drivetrain.serve.protocols.columns import check_names
from drivetrain.serve.protocols.instances import Taken, table_call
from drivetrain.serve.refusal import Malformed
from drivetrain.serve.version import Output

_INTEGER = re.compile(r"[+-]?[0-9]{1,30}(\.0*)?")  # pandas writes whole numbers beside unknown ones as 5.0
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_FLAGS = {"true": True, "false": False, "1": True, "0": False}


def csv_call(body: bytes, schema: InstanceSchema, settings: ServeSettings, taken: Taken) -> Call:
    """The call of a table; an empty cell is null.

    Raises:
        RequestError: The table does not fit; the message names the cell, what was found and what was expected.
    """
    names, *lines = _lines(body, settings)
    check_names(names, schema, "header")
    types = {field.name: field.type for field in schema.fields}
    readers = [_READERS.get(types[name], _as_it_is) for name in names]
    rows = []
    for at, line in enumerate(lines):
        if len(line) != len(names):
            raise RequestError(
                f"rows[{at}] has another number of cells than the header",
                field=f"rows[{at}]",
                found=len(line),
                expected=len(names),
            )
        rows.append([read(cell) if cell else None for read, cell in zip(readers, line, strict=True)])
    return table_call(names, rows, schema, settings, taken)


def csv_text(predictions: Sequence[Output], name: str) -> bytes:
    """Predictions as a table: one column, or one for each class."""
    first = predictions[0]
    header = [f"{name}_{at}" for at in range(len(first))] if isinstance(first, list) else [name]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(one if isinstance(one, list) else [one] for one in predictions)
    return text.getvalue().encode()


def _lines(body: bytes, settings: ServeSettings) -> list[list[str]]:
    """The header and every line after it that is not empty, up to one more than a request may have."""
    lines: list[list[str]] = []
    try:
        reader = csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True)
        for line in reader:
            if line:
                lines.append(line)
            if len(lines) > settings.max_rows + 1:
                break
    except (csv.Error, UnicodeDecodeError) as error:
        raise Malformed(f"the body is not CSV that can be read: {error}", expected="a header line, then rows") from None
    if not lines:
        raise RequestError("the table has no header line", field="header", found="nothing", expected="the fields")
    return lines


def _as_it_is(cell: str) -> str:
    return cell


def _integer(cell: str) -> int | str:
    return int(cell.partition(".")[0]) if _INTEGER.fullmatch(cell) else cell


def _number(cell: str) -> float | str:
    value = float(cell) if _NUMBER.fullmatch(cell) else inf
    return value if isfinite(value) else cell


def _flag(cell: str) -> bool | str:
    return _FLAGS.get(cell.lower(), cell)


# What can't be read stays text: the schema then names it as it names anything else of the wrong type.
_READERS: Mapping[FieldType, Callable[[str], Any]] = {"int": _integer, "float": _number, "bool": _flag}
