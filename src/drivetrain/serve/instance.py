"""Instances of a request: checked against the endpoint's fields, and named errors for those that do not fit."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any, TypeAlias

import msgspec

from drivetrain.core.clock import micros_of
from drivetrain.core.errors import RequestError
from drivetrain.serve.plan import FieldType, RequestField

Row: TypeAlias = tuple[Any, ...]
"""An instance's values in field order; times as microseconds."""

_INT64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_TYPES: Mapping[FieldType, Any] = {
    "string": str,
    "int": _INT64,
    "float": float,
    "bool": bool,
    "time": datetime,
    "date": date,
}
WORDS: Mapping[FieldType, str] = {
    "string": "a string",
    "int": "a 64-bit integer",
    "float": "a number",
    "bool": "true or false",
    "time": "a time such as 2013-07-01T09:30:00Z",
    "date": "a date such as 2013-07-01",
}
_SHOWN = 60


class InstanceSchema:
    """Decodes instances of one endpoint.

    Args:
        fields: What an instance must hold: no more, no less.
        treat: What is done to its values before anything is made of them.
    """

    def __init__(self, fields: Sequence[RequestField], treat: Callable[[Row], Row] | None = None) -> None:
        self.fields = tuple(fields)
        self.names = tuple(field.name for field in fields)
        self._struct = msgspec.defstruct(
            "Instance",
            [
                (f"f{at}", _TYPES[field.type] | None if field.nullable else _TYPES[field.type])
                for at, field in enumerate(fields)
            ],
            rename={f"f{at}": field.name for at, field in enumerate(fields)},
            forbid_unknown_fields=True,
            gc=False,
        )
        self._decode = msgspec.json.Decoder(self._struct).decode
        self._times = tuple(at for at, field in enumerate(fields) if field.type == "time")
        self._treat = treat
        self._as_read = not self._times and treat is None

    def decode(self, raw: msgspec.Raw, where: str) -> Row:
        """The values of an instance given as JSON.

        Args:
            raw: The instance, JSON.
            where: Its path in the request, for example ``instances[0]``.

        Raises:
            RequestError: It does not fit; the message names the field, what was found and what was expected.
        """
        try:
            row: Row = msgspec.structs.astuple(self._decode(raw))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise self._explain(raw, where, error) from None
        return row if self._as_read else self._finished(row)

    def convert(self, instance: Mapping[str, object], where: str) -> Row:
        """The values of an instance given as a mapping; raises as :meth:`decode`."""
        try:
            row: Row = msgspec.structs.astuple(msgspec.convert(instance, self._struct))
        except msgspec.ValidationError as error:
            raise self._diagnose(instance, where) or RequestError(str(error), field=where) from None
        return row if self._as_read else self._finished(row)

    def _finished(self, row: Row) -> Row:
        values = list(row)
        for at in self._times:
            moment = values[at]
            if moment is not None:
                values[at] = micros_of(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
        return tuple(values) if self._treat is None else self._treat(tuple(values))

    def _explain(self, raw: msgspec.Raw, where: str, error: Exception) -> RequestError:
        try:
            instance = msgspec.json.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return RequestError(f"{where} is not JSON that can be read: {error}", field=where)
        return self._diagnose(instance, where) or RequestError(str(error), field=where)

    def _diagnose(self, instance: object, where: str) -> RequestError | None:
        if not isinstance(instance, dict):
            return RequestError(
                f"{where} is not an object",
                field=where,
                found=show(instance),
                expected=f"fields {', '.join(self.names)}",
            )
        for name in instance:
            if name not in self.names:
                near = difflib.get_close_matches(name, self.names, 1)
                return RequestError(
                    f"{where} has a field that is not known",
                    field=f"{where}.{_short(name)}",
                    found=show(name),
                    expected=f"only {', '.join(self.names)}",
                    do=f"Perhaps {near[0]!r} is meant" if near else None,
                )
        for field in self.fields:
            path = f"{where}.{field.name}"
            expected = WORDS[field.type] + (" or null" if field.nullable else "")
            if field.name not in instance:
                return RequestError(f"{where} lacks {field.name}", field=path, found="nothing", expected=expected)
            value = instance[field.name]
            if value is None and field.nullable:
                continue
            try:
                msgspec.convert(value, _TYPES[field.type])
            except msgspec.ValidationError:
                return RequestError(f"{path} is of the wrong type", field=path, found=show(value), expected=expected)
        return None


def show(value: object) -> str:
    """A value as an error shows it: JSON, cut short."""
    try:
        text = msgspec.json.encode(value).decode("utf-8", "replace")
    except (TypeError, ValueError, RecursionError):
        text = type(value).__name__
    return _short(text)


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
