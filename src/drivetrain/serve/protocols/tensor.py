"""One input tensor of Open Inference Protocol V2: its values, from JSON or from bytes.

Bytes are little-endian, row-major and without padding; a BYTES element is its length as four bytes, then itself. In
bytes, NaN is how an FP tensor says null; other types say it in JSON, and one request may have both.

Source: the binary tensor data extension,
https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from drivetrain.core.errors import RequestError
from drivetrain.serve.instance import show
from drivetrain.serve.plan import FieldType, RequestField
from drivetrain.serve.refusal import Malformed

_NUMPY: Mapping[str, np.dtype[Any]] = {
    "BOOL": np.dtype("u1"),
    "INT8": np.dtype("<i1"),
    "INT16": np.dtype("<i2"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "UINT8": np.dtype("<u1"),
    "UINT16": np.dtype("<u2"),
    "UINT32": np.dtype("<u4"),
    "UINT64": np.dtype("<u8"),
    "BF16": np.dtype("<u2"),  # the upper half of an FP32; NumPy has no such type
    "FP16": np.dtype("<f2"),
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
}
_FLOATS = frozenset({"BF16", "FP16", "FP32", "FP64"})
_INTEGERS = frozenset(_NUMPY) - _FLOATS - {"BOOL"}
_ACCEPTED: Mapping[FieldType, frozenset[str]] = {
    "string": frozenset({"BYTES"}),
    "int": _INTEGERS,
    "float": _FLOATS | _INTEGERS,
    "bool": frozenset({"BOOL"}),
    "time": frozenset({"BYTES"}),
    "date": frozenset({"BYTES"}),
}
DATATYPES: Mapping[FieldType, str] = {
    "string": "BYTES",
    "int": "INT64",
    "float": "FP64",
    "bool": "BOOL",
    "time": "BYTES",
    "date": "BYTES",
}
"""What a field of each type is declared as."""
_LENGTH = 4


def datatypes(field: RequestField) -> frozenset[str]:
    """Every datatype that suits a field."""
    if field.type == "int" and field.nullable:
        return _ACCEPTED["int"] | _FLOATS  # an integer has no NaN to stand for null
    return _ACCEPTED[field.type]


class Tensor(msgspec.Struct, gc=False):
    """An input tensor as the request's JSON describes it."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Any] | msgspec.UnsetType = msgspec.UNSET
    parameters: dict[str, Any] = {}

    @property
    def size(self) -> object:
        """How many bytes of the body it says are its data; ``None`` if its data is JSON."""
        return self.parameters.get("binary_data_size")

    def check(self, field: RequestField, where: str) -> int:
        """How many rows it says it has: one value each, so its shape is ``[n]`` or ``[n, 1]``.

        Raises:
            RequestError: Its datatype does not suit the field, or its shape is another.
        """
        accepted = datatypes(field)
        if self.datatype not in accepted:
            raise RequestError(
                f"{where} ({self.name}) is of the wrong type",
                field=f"{where}.datatype",
                found=show(self.datatype),
                expected=" or ".join(sorted(accepted)),
            )
        if len(self.shape) not in (1, 2) or self.shape[0] < 0 or self.shape[1:] not in ([], [1]):
            raise self._misshapen("", where)
        return self.shape[0]

    def from_json(self, where: str) -> list[Any]:
        """The values of ``data``.

        Raises:
            RequestError: There is none, or not one value a row.
        """
        if self.data is msgspec.UNSET:
            raise RequestError(
                f"{where} ({self.name}) has no data",
                field=f"{where}.data",
                found="nothing",
                expected="a list, or parameters.binary_data_size and its bytes after the JSON",
            )
        data = self.data
        if len(self.shape) == 2 and data and all(isinstance(item, list) for item in data):
            data = [value for item in data for value in item]
        if len(data) != self.shape[0]:
            raise self._misshapen(f" with {len(data)} values", where)
        return data

    def from_bytes(self, data: memoryview, field: RequestField, where: str) -> list[Any]:
        """The values that bytes hold; NaN is ``None`` where the field is nullable.

        Raises:
            RequestError: The bytes are not as many as the shape asks for, or hold what the field can't take.
        """
        count = self.shape[0]
        if self.datatype == "BYTES":
            return self._texts(data, count, where)
        kind = _NUMPY[self.datatype]
        if len(data) != count * kind.itemsize:
            raise self._missized(len(data), f"{count * kind.itemsize} for {count} of {self.datatype}", where)
        values: np.ndarray[Any, np.dtype[Any]] = np.frombuffer(data, kind)
        if self.datatype == "BOOL":
            if count and values.max() > 1:
                raise self._unfit(int(np.argmax(values > 1)), str(values.max()), "a byte of 0 or 1", where)
            values = values.view(np.bool_)
        elif self.datatype == "BF16":
            values = (values.astype("<u4") << 16).view("<f4")
        made: list[Any] = values.tolist()
        return self._floats(values, made, field, where) if self.datatype in _FLOATS else made

    def _floats(
        self, values: np.ndarray[Any, np.dtype[Any]], made: list[Any], field: RequestField, where: str
    ) -> list[Any]:
        finite = np.isfinite(values)
        for at in () if finite.all() else np.flatnonzero(~finite).tolist():
            if not (field.nullable and np.isnan(values[at])):
                raise self._unfit(at, str(made[at]), "a finite number" + " or NaN" * field.nullable, where)
            made[at] = None
        if field.type == "int":
            made = [int(value) if value is not None and value.is_integer() else value for value in made]
        return made

    def _texts(self, data: memoryview, count: int, where: str) -> list[str]:
        texts: list[str] = []
        at, end = 0, len(data)
        while at < end and len(texts) < count:
            start = at + _LENGTH
            if start > end:
                raise self._unfit(len(texts), f"{end - at} bytes", "four bytes of length", where)
            at = start + int.from_bytes(data[at:start], "little")
            if at > end:
                raise self._unfit(len(texts), f"{end - start} bytes", f"{at - start}, as its length says", where)
            try:
                texts.append(str(data[start:at], "utf-8"))
            except UnicodeDecodeError as error:
                raise self._unfit(len(texts), str(error), "UTF-8", where) from None
        if len(texts) != count or at != end:
            raise self._missized(end, f"those of {count} elements", where)
        return texts

    def _misshapen(self, rest: str, where: str) -> RequestError:
        return RequestError(
            f"{where} ({self.name}) has a shape that does not fit",
            field=f"{where}.shape",
            found=show(self.shape) + rest,
            expected="[n] or [n, 1] with n values",
        )

    def _missized(self, found: int, expected: str, where: str) -> RequestError:
        return Malformed(
            f"{where} ({self.name}) has another number of bytes than its shape asks for",
            field=f"{where}.parameters.binary_data_size",
            found=found,
            expected=expected,
        )

    def _unfit(self, at: int, found: str, expected: str, where: str) -> RequestError:
        path = f"{where}.data[{at}]"
        return RequestError(f"{path} ({self.name}) is no value of its type", field=path, found=found, expected=expected)
