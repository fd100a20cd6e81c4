"""How a noun looks in a notebook: its name, and what is known of it, as a small table in the page's own colours."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from typing import Any

import msgspec

from drivetrain.core.clock import SECOND, iso, show_duration

_MOST = 24
_LONGEST = 240
_FEW = 4
_MOMENTS = re.compile(r"(^|_)(at|since|until|begins|expires|moment|event|available)$")
_EARLIEST, _LATEST = 10**14, 10**16
"""Microseconds between 1973 and 2286: an integer field that is named like a moment and lies here is one."""
_LENGTHS = re.compile(r"^(ttl|windows?|hop|offset|delay|retain|every|cool_down)$")
_DIGEST = re.compile(r"^[0-9a-f]{32}$")
_STYLE = """<style>
.drivetrain table {border-collapse: collapse; margin: 0; font-variant-numeric: tabular-nums}
.drivetrain :is(th, td) {text-align: left; vertical-align: top; padding: 2px 10px 2px 0; background: none; border: 0;
  border-bottom: 1px solid color-mix(in srgb, currentColor 18%, transparent)}
.drivetrain :is(th[scope=row], small) {font-weight: 400; font-size: inherit; opacity: .7}
</style>"""


def shown(noun: object) -> str:
    """A noun as HTML: IPython asks for it by the name ``_repr_html_``.

    What is empty or as it is by default is left out, moments and lengths of time are written as such, and long lists
    are cut with their length.

    Args:
        noun: A record, or any other struct or dataclass of ours.
    """
    name = getattr(noun, "ref", None) or getattr(noun, "name", None)
    facts = [(field, value) for field, value in _fields(noun) if field != "name"]
    return framed(type(noun).__name__, name if isinstance(name, str) else "", _rows(facts, words=True))


def framed(title: str, name: str, content: str) -> str:
    """HTML under a heading, in the style of all of ours."""
    head = f"<strong>{escape(title)}</strong>" if title else ""
    head += f" <code>{escape(name)}</code>" if name else ""
    return f'<div class="drivetrain">{_STYLE}{head}{content}</div>'


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Rows as HTML, the first ones where they are many."""
    given = list(rows)
    head = "".join(f"<th>{escape(_words(column))}</th>" for column in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{_value(*cell)}</td>" for cell in zip(columns, row, strict=True)) + "</tr>"
        for row in given[:_MOST]
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{_more(given)}"


def _rows(facts: Sequence[tuple[str, object]], *, words: bool) -> str:
    """Names with their values; ``words`` where the names are those of fields."""
    body = "".join(
        f'<tr><th scope="row">{escape(_words(name) if words else _cut(name))}</th><td>{_value(name, value)}</td></tr>'
        for name, value in facts[:_MOST]
    )
    return f"<table><tbody>{body}</tbody></table>{_more(facts)}" if body else ""


def _more(items: Sequence[object]) -> str:
    return f" <small>and {len(items) - _MOST:,} more</small>" if len(items) > _MOST else ""


def _fields(noun: object) -> list[tuple[str, object]]:
    """Fields that say something: those that are neither empty nor as they are by default."""
    given = [(name, getattr(noun, name), default) for name, default in _defaults(noun).items()]
    return [(name, value) for name, value, default in given if not _empty(value) and not _same(value, default)]


def _defaults(noun: object) -> dict[str, object]:
    """Fields of a struct or dataclass and what they are by default; none of anything else."""
    found: dict[str, object] = {}
    if isinstance(noun, msgspec.Struct):
        found = {field.name: field.default for field in msgspec.structs.fields(noun)}
    elif dataclasses.is_dataclass(noun):
        found = {field.name: field.default for field in dataclasses.fields(noun) if field.repr}
    return {name: default for name, default in found.items() if not name.startswith("_")}


def _empty(value: object) -> bool:
    return value is None or (isinstance(value, str | bytes | Mapping | Sequence | frozenset) and not value)


def _same(value: object, default: object) -> bool:
    return type(value) is type(default) and isinstance(value, str | int | float | tuple) and value == default


def _value(name: str, value: object) -> str:
    for kinds, write in _WRITERS:
        if isinstance(value, kinds):
            return write(name, value)
    if _defaults(value):
        return _noun(value)
    called = getattr(value, "__name__", None) if callable(value) else None
    return f"<code>{escape(called)}</code>" if called else "–" if value is None else escape(_cut(str(value)))


def _noun(value: object) -> str:
    known = dict(_fields(value))
    if _is_figure(value) and "value" in known:
        bounds = f" ({_number(known['low'])} to {_number(known['high'])})" if {"low", "high"} <= set(known) else ""
        count = f", {known['count']:,} rows" if known.get("count") else ""
        return escape(f"{_number(known['value'])}{bounds}{count}")
    name = known.pop("name", None)
    called = f"<code>{escape(name)}</code>" if isinstance(name, str) else ""
    return called if called and len(known) > _FEW else called + _rows(list(known.items()), words=True)


def _mapping(_: str, value: Mapping[Any, Any]) -> str:
    columns = [] if any(map(_is_figure, value.values())) else _columns(list(value.values()))
    if columns:
        return table(["", *columns], [[key, *_cells(found, columns)] for key, found in value.items()])
    return _rows([(str(key), found) for key, found in value.items()], words=False)


def _list(name: str, value: Iterable[Any]) -> str:
    items = sorted(value, key=str) if isinstance(value, frozenset | set) else list(value)
    columns = _columns(items)
    if columns:
        return table(columns, [_cells(item, columns) for item in items])
    return ", ".join(_value(name, item) for item in items[:_MOST]) + _more(items)


def _columns(items: Sequence[object]) -> list[str]:
    """The fields that some item says something in, where all are of one kind and have more than one."""
    fields = _defaults(items[0]) if items else {}
    if len(fields) < 2 or len({type(item) for item in items}) > 1:
        return []
    telling = {field for item in items for field, _ in _fields(item)}
    return [field for field in fields if field in telling]


def _cells(item: object, columns: Sequence[str]) -> list[object]:
    """What an item says in some fields, nothing where that is as by default."""
    known = dict(_fields(item))
    return [known.get(column, "") for column in columns]


def _is_figure(value: object) -> bool:
    """Whether it is a value with its interval."""
    return {"value", "low", "high"} <= set(_defaults(value))


def _integer(name: str, value: int) -> str:
    if _MOMENTS.search(name) and _EARLIEST < value < _LATEST:
        return escape(iso(value))
    return show_duration(value) if _LENGTHS.search(name) and value >= SECOND else f"{value:,}"


def _text(_: str, value: str) -> str:
    return f'<code title="{value}">{value[:10]}…</code>' if _DIGEST.match(value) else escape(_cut(value))


_WRITERS: tuple[tuple[type | tuple[type, ...], Callable[[str, Any], str]], ...] = (
    (bool, lambda _, value: "yes" if value else "no"),
    (int, _integer),
    (float, lambda _, value: _number(value)),
    (str, _text),
    ((bytes, bytearray, memoryview), lambda _, value: f"{len(value):,} bytes"),
    (Mapping, _mapping),
    ((list, tuple, set, frozenset), _list),
)


def _number(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1e6 else f"{value:,.0f}"
    return "–" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
