"""Fields of a request, treated as the columns they stand for: callers say what is so, and nothing else sees it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import polars as pl

from drivetrain.core.clock import micros_of
from drivetrain.core.errors import ProjectError, RequestError, UsageError
from drivetrain.data.treatment import Keys, Pseudonym, Treatment, is_pseudonym, pseudonym_of
from drivetrain.features.request import TYPES
from drivetrain.serve.instance import Row
from drivetrain.serve.plan import EndpointPlan, FieldType, RequestField

One: TypeAlias = Callable[[Any], Any]
"""A value → the value in its place; null stays null."""
_NAMED = ("string", "int")
"""Types whose values, as text, are what their pseudonyms are made of."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class RequestTreating:
    """What is done to the values of an endpoint's requests before anything is made of them.

    The keys are those that the source's rows are treated with, so that what is made of a request is what training rows
    are made of. A value that is a pseudonym of that key already is taken as one.

    Args:
        plan: The endpoint.
        keys: Where keys are.

    Raises:
        SettingsError: A key is not where it was said to be.
    """

    def __init__(self, plan: EndpointPlan, keys: Keys | None) -> None:
        self.fields = {field.name: field for field in plan.fields if field.treat is not None}
        assert keys is not None or not self.fields, "who declares treated fields has their keys"
        self._ones = {name: _one(field, keys) for name, field in self.fields.items() if keys is not None}
        self._places = tuple((at, self._ones[f.name]) for at, f in enumerate(plan.fields) if f.name in self._ones)
        self._names = plan.entity
        self._parts = [self._ones.get(name) for name in plan.entity]
        self._keys = keys

    def __bool__(self) -> bool:
        return bool(self.fields)

    def row(self, row: Row) -> Row:
        """An instance's values, in field order, as features read them."""
        values = list(row)
        for at, one in self._places:
            values[at] = one(values[at])
        return tuple(values)

    def instance(self, values: dict[str, Any]) -> None:
        """Puts what the log keeps in the place of an instance's values as they came, JSON."""
        for name, one in self._ones.items():
            if (value := values.get(name)) is not None:
                values[name] = _json(one(_read(value, self.fields[name].type)), self.fields[name].read_as)

    def entity(self, text: str, where: str) -> str:
        """What names a prediction, where a caller names it by what came in the request.

        Args:
            text: The entity, its parts parted by ``|``.
            where: Its path in the request.

        Raises:
            RequestError: It has not as many parts as it should, so that none can be treated.
        """
        if not any(self._parts):
            return text
        parts = text.split("|") if len(self._parts) > 1 else [text]
        if len(parts) != len(self._parts):
            raise RequestError(
                f"{where} does not name a prediction: its parts are treated, and can't be told apart",
                field=where,
                found=f"{len(parts)} parts",
                expected="|".join(self._names),
                do="Name the prediction by its request_id and row",
            )
        made = [part if one is None else one(part) for part, one in zip(parts, self._parts, strict=True)]
        return "|".join(map(str, made))

    def unit(self, names: Sequence[str], text: str) -> str:
        """A unit of a policy as rows have it, where a person says it by what comes in a request.

        Args:
            names: Fields that the policy sticks to.
            text: Their values, parted by ``|``.

        Raises:
            UsageError: It has not as many parts as there are fields.
            ProjectError: A field is treated so that many values become one, or is no text or whole number.
        """
        if not any(name in self._ones for name in names):
            return text
        for name in names:
            field = self.fields.get(name)
            if field is not None and not (isinstance(field.treat, Pseudonym) and field.type in _NAMED):
                raise ProjectError(
                    f"an override can't name a unit by {name!r}",
                    found="a field that is treated before a policy sees it",
                    expected="fields that are kept, or text or whole numbers under a pseudonym",
                )
        parts = text.split("|") if len(names) > 1 else [text]
        if len(parts) != len(names):
            raise UsageError("an override names no unit", found=f"{len(parts)} parts", expected="|".join(names))
        return "|".join(
            str(self._ones[name](part)) if name in self._ones else part for name, part in zip(names, parts, strict=True)
        )

    def frame(self, values: pl.DataFrame) -> pl.DataFrame:
        """Instances as a frame, a column a field, as features read them."""
        made = []
        for name, field in self.fields.items():
            assert field.treat is not None, "it is one of those"
            assert self._keys is not None, "as above"
            column = _treated(values, name, field.treat, self._keys)
            made.append(column.cast(TYPES[field.read_as]).alias(name))
        return values.with_columns(made)


def _treated(values: pl.DataFrame, name: str, treat: Treatment, keys: Keys) -> pl.Series:
    column = treat.apply(values, name, keys)
    if column is None:
        return pl.Series(name, [None] * values.height, dtype=values.schema[name])
    if isinstance(treat, Pseudonym) and values.schema[name] == pl.String:
        key = keys.key(treat.key)
        known = pl.Series([text is not None and is_pseudonym(text, key) for text in values[name]], dtype=pl.Boolean)
        column = pl.select(pl.when(known).then(values[name]).otherwise(column)).to_series()
    return column


def _one(field: RequestField, keys: Keys) -> One:
    treat = field.treat
    if isinstance(treat, Pseudonym) and field.type in _NAMED:
        key = keys.key(treat.key)
        return lambda value: value if value is None else _pseudonym(key, str(value))
    assert treat is not None, "it is one of those"
    dtype = TYPES[field.type]

    def one(value: object) -> object:
        if value is None:
            return None
        given = pl.Series("value", [value], dtype=pl.Int64).cast(dtype) if field.type == "time" else None
        frame = (pl.Series("value", [value], dtype=dtype) if given is None else given).to_frame()
        made = treat.apply(frame, "value", keys)
        if made is None:
            return None
        return made.to_physical()[0] if made.dtype == TYPES["time"] else made[0]

    return one


def _pseudonym(key: bytes, text: str) -> str:
    return text if is_pseudonym(text, key) else pseudonym_of(key, text)


def _read(value: Any, kind: FieldType) -> Any:  # noqa: ANN401 - JSON
    """A value of JSON as rows have it; it was let in before, so it can be read."""
    if kind == "float":
        return float(value)
    if kind == "time":
        return micros_of(value)
    return datetime.fromisoformat(value).date() if kind == "date" else value


def _json(value: Any, kind: FieldType) -> Any:  # noqa: ANN401 - JSON
    if kind == "time" and value is not None:
        return _EPOCH + timedelta(microseconds=value)
    return value
