"""Contracts as documents of the Open Data Contract Standard (bitol.io), version 3: read, and written.

What the standard has a field for is there; what it has none for is written as custom properties, and checks in Polars
as text for people. They are not read back: a document is data, and an expression would be code.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, cast

import msgspec

from drivetrain.core import plugins
from drivetrain.core.errors import ProjectError, SourceError, UnknownName
from drivetrain.data.column import Column, Privacy, TypeName
from drivetrain.data.contract import Contract
from drivetrain.data.source import Source

VERSION = "v3.2.0"
_TO: dict[TypeName, str] = {
    "string": "string",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "time": "timestamp",
    "date": "date",
}
_FROM: dict[str, TypeName] = {**{theirs: ours for ours, theirs in _TO.items()}, "time": "string"}
_PRIVACY: dict[str, Privacy] = {
    "public": "public",
    "internal": "internal",
    "personal": "personal",
    "pii": "personal",
    "sensitive": "sensitive",
    "confidential": "sensitive",
    "restricted": "sensitive",
    "secret": "secret",
}
_SETTINGS = {
    "volume": "volume",
    "drift": "drift",
    "reference": "reference",
    "onBreach": "on_breach",
    "maxQuarantineShare": "max_quarantine_share",
    "onNewColumn": "on_new_column",
    "onLostColumn": "on_lost_column",
    "onRetypedColumn": "on_retyped_column",
    "renamed": "renamed",
    "balance": "balance",
}
"""Custom property of the table → the contract's own setting."""
_UNITS = {"d": "d", "day": "d", "h": "h", "hr": "h", "hour": "h", "m": "m", "min": "m", "minute": "m", "s": "s"}
_DEFAULTS = Contract({})


@dataclass(frozen=True)
class Table:
    """A table as a document describes it.

    Attributes:
        name: Its name.
        key: Its primary key; empty if it names none.
        time: Column of the event's time, if it names one.
        contract: What rows must be.
        unread: What the document says beside, that no contract here holds.
    """

    name: str
    key: tuple[str, ...]
    time: str | None
    contract: Contract
    unread: tuple[str, ...] = ()


@dataclass
class _Reading:
    unread: list[str] = field(default_factory=list)


def as_odcs(source: Source, *, project: str) -> dict[str, object]:
    """A source's contract as a document.

    Args:
        source: The source.
        project: Name of the project, for the document's id.
    """
    contract = source.contract
    columns = [_property(name, column, source) for name, column in contract.columns.items()]
    table: dict[str, object] = {"name": source.name, "logicalType": "object", "physicalType": "table"}
    if source.description:
        table["description"] = source.description
    table["properties"] = columns
    quality: list[dict[str, object]] = []
    if contract.min_rows:
        quality.append({"type": "library", "metric": "rowCount", "mustBeGreaterOrEqualTo": contract.min_rows})
    quality += [{"type": "text", "name": says, "description": str(check)} for says, check in contract.checks.items()]
    quality += [
        {"type": "text", "name": says, "description": f"of the whole table: {check}"}
        for says, check in contract.tables.items()
    ]
    if quality:
        table["quality"] = quality
    own = [
        {"property": theirs, "value": _plain(getattr(contract, ours))}
        for theirs, ours in _SETTINGS.items()
        if getattr(contract, ours) != getattr(_DEFAULTS, ours)
    ]
    own += [{"property": "eventTime", "value": source.time}] if source.time else []
    if own:
        table["customProperties"] = own
    document: dict[str, object] = {
        "apiVersion": VERSION,
        "kind": "DataContract",
        "id": "-".join(filter(None, (project, source.name))),
        "name": source.name,
        "version": "1.0.0",
        "status": "active",
    }
    if source.description:
        document["description"] = {"purpose": source.description}
    document["schema"] = [table]
    if contract.freshness:
        number, unit = contract.freshness.rstrip("dhmsw"), contract.freshness.lstrip("0123456789")
        whole = (
            (int(number) * 7, "d")
            if unit == "w"
            else (int(number), unit)
            if number.isdigit()
            else (contract.freshness, "")
        )
        document["slaProperties"] = [
            {"property": "freshness", "value": whole[0], **({"unit": whole[1]} if whole[1] else {})}
        ]
    return document


def from_odcs(path: Path, table: str | None = None) -> Table:
    """Reads a document.

    Args:
        path: A YAML or JSON file.
        table: Which of its tables, if there are several.

    Raises:
        SourceError: The file can't be read, or is no data contract.
        UnknownName: It has no such table, or several and none is named.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path} can't be read: {error}", do="Check the file and its rights") from None
    if path.suffix == ".json":
        try:
            found = msgspec.json.decode(text)
        except msgspec.DecodeError as error:
            raise SourceError(f"{path} is not JSON: {error}") from None
    else:
        found = plugins.load("document", "yaml").read(text, str(path))
    if not isinstance(found, dict) or found.get("kind") != "DataContract" or not isinstance(found.get("schema"), list):
        raise SourceError(
            f"{path} is no data contract",
            found=f"kind {found.get('kind')!r}" if isinstance(found, dict) else type(found).__name__,
            expected="kind DataContract with a schema, as the Open Data Contract Standard 3 has it",
        )
    tables = {str(one.get("name")): one for one in found["schema"] if isinstance(one, dict)}
    if table is None and len(tables) == 1:
        table = next(iter(tables))
    if table not in tables:
        raise UnknownName(
            f"{path} describes several tables" if table is None else f"{path} describes no table {table!r}",
            found=", ".join(tables),
            do=f"Name one: {path}#TABLE",
        )
    return _table(path, found, tables[table])


def _property(name: str, column: Column, source: Source) -> dict[str, object]:
    told: dict[str, object] = {"name": name, "logicalType": _TO[column.type]}
    if column.description:
        told["description"] = column.description
    if name in source.key:
        told |= {"primaryKey": True, "primaryKeyPosition": source.key.index(name) + 1}
    told["required"] = not column.nullable or name in source.key
    if column.unique or source.key == (name,):
        told["unique"] = True
    told["classification"] = column.privacy
    options = {
        word: value
        for word, value in (("minimum", column.low), ("maximum", column.high), ("pattern", column.pattern))
        if value is not None
    }
    if options:
        told["logicalTypeOptions"] = options
    if column.among:
        told["enum"] = [{"value": value} for value in column.among]
    if column.references:
        told["relationships"] = [{"type": "foreignKey", "to": ".".join(column.references)}]
    if column.complete is not None:
        most = round(100 * (1 - column.complete), 6)
        told["quality"] = [{"type": "library", "metric": "nullValues", "unit": "percent", "mustBeLessOrEqualTo": most}]
    if column.increasing:
        told["customProperties"] = [{"property": "increasing", "value": True}]
    return told


def _table(path: Path, document: Mapping[str, Any], table: Mapping[str, Any]) -> Table:
    reading = _Reading()
    columns: dict[str, Column] = {}
    key: list[tuple[int, str]] = []
    for at, told in enumerate(table.get("properties") or ()):
        name = str(told.get("name"))
        kind = _FROM.get(str(told.get("logicalType") or "string"))
        if kind is None:
            reading.unread.append(f"column {name!r}: no rule for type {told['logicalType']}")
            continue
        if told.get("primaryKey"):
            key.append((int(told.get("primaryKeyPosition") or at + 1), name))
        try:
            columns[name] = _column(name, kind, told, reading)
        except (ProjectError, TypeError, ValueError) as error:
            raise SourceError(f"{path}: column {name!r} can't be used: {error}") from None
    keys = tuple(name for _, name in sorted(key))
    if len(keys) == 1:
        columns[keys[0]] = replace(columns[keys[0]], unique=False)  # a key is unique by itself
    settings, time = _settings(document, table, reading)
    contract = Contract(columns, **settings)
    return Table(str(table.get("name")), keys, time, contract, tuple(reading.unread))


def _column(name: str, kind: TypeName, told: Mapping[str, Any], reading: _Reading) -> Column:
    rules: dict[str, Any] = {"nullable": not told.get("required", False), "unique": bool(told.get("unique"))}
    rules["description"] = str(told.get("description") or "")
    options = dict(told.get("logicalTypeOptions") or {})
    rules |= _bounds(kind, options)
    if "pattern" in options:
        rules["pattern"] = options.pop("pattern")
    elif kind == "string" and {"minLength", "maxLength"} & set(options):
        least, most = options.pop("minLength", 0), options.pop("maxLength", "")
        rules["pattern"] = f"(?s)^.{{{least},{most}}}$"
    reading.unread += [f"column {name!r}: {word}" for word in options if word not in ("timezone", "defaultTimezone")]
    if told.get("enum"):
        rules["among"] = tuple(one["value"] for one in told["enum"])
    classified = str(told.get("classification") or "internal").lower()
    rules["privacy"] = _PRIVACY.get(classified, "internal")
    if classified not in _PRIVACY:
        reading.unread.append(f"column {name!r}: classification {classified!r}")
    for relation in told.get("relationships") or ():
        table, _, there = str(relation.get("to")).rpartition(".")
        rules["references"] = (table.rpartition("/")[2], there)
    for quality in told.get("quality") or ():
        made = _quality(quality)
        rules |= made
        if not made:
            reading.unread.append(f"column {name!r}: quality {quality.get('name') or quality.get('metric') or '?'}")
    for own in told.get("customProperties") or ():
        if own.get("property") == "increasing":
            rules["increasing"] = bool(own.get("value"))
    return Column(kind, **rules)


def _bounds(kind: TypeName, options: dict[str, Any]) -> dict[str, Any]:
    """Bounds of a column; those that exclude their own value become the nearest that does not."""
    rules: dict[str, Any] = {}
    for word, ours, toward in (("minimum", "low", math.inf), ("maximum", "high", -math.inf)):
        strict = f"exclusive{word.capitalize()}"
        if word in options:
            value = options.pop(word)
            rules[ours] = value if isinstance(value, int | float) else str(value)
        elif kind in ("int", "float") and strict in options:
            value = options.pop(strict)
            step = 1 if toward > 0 else -1
            rules[ours] = math.floor(value * step) * step + step if kind == "int" else math.nextafter(value, toward)
    return rules


def _quality(told: Mapping[str, Any]) -> dict[str, Any]:
    metric = told.get("metric") or told.get("rule")
    most = told.get("mustBeLessOrEqualTo", told.get("mustBe"))
    if metric in ("nullValues", "missingValues") and isinstance(most, int | float):
        if most == 0:
            return {"nullable": False}
        return {"complete": 1 - most / 100} if told.get("unit") == "percent" else {}
    if metric == "duplicateValues" and most == 0:
        return {"unique": True}
    if metric == "invalidValues" and most == 0:
        asked = told.get("arguments") or {}
        made = {"among": tuple(asked["validValues"])} if "validValues" in asked else {}
        return made | ({"pattern": asked["pattern"]} if "pattern" in asked else {})
    return {}


def _settings(
    document: Mapping[str, Any], table: Mapping[str, Any], reading: _Reading
) -> tuple[dict[str, Any], str | None]:
    known = {one.name for one in fields(Contract)}
    own = {str(one.get("property")): one.get("value") for one in table.get("customProperties") or ()}
    settings = {ours: _paired(own[theirs]) for theirs, ours in _SETTINGS.items() if theirs in own and ours in known}
    for quality in table.get("quality") or ():
        least = quality.get("mustBeGreaterOrEqualTo")
        if (quality.get("metric") or quality.get("rule")) == "rowCount" and isinstance(least, int):
            settings["min_rows"] = least
        else:
            reading.unread.append(f"quality {quality.get('name') or quality.get('metric') or '?'}")
    settings |= dict(_freshness(document))
    return settings, cast("str | None", own.get("eventTime"))


def _freshness(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for promise in document.get("slaProperties") or ():
        if promise.get("property") == "freshness":
            unit = str(promise.get("unit") or "")
            short = _UNITS.get(unit.rstrip("s") or unit, "")
            yield "freshness", f"{promise.get('value')}{short}"


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    return list(value) if isinstance(value, tuple) else value


def _paired(value: object) -> object:
    """Lists, which documents have for pairs, as pairs."""
    if isinstance(value, Mapping):
        return {name: _paired(one) for name, one in value.items()}
    return tuple(value) if isinstance(value, list) else value
