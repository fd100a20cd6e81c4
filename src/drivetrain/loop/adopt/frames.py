"""Frames being read: their columns picked, dropped, computed."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Protocol

from drivetrain.loop.adopt.expressions import computed
from drivetrain.loop.adopt.seen import Seen
from drivetrain.loop.adopt.values import (
    UNKNOWN,
    Column,
    Library,
    Made,
    Many,
    Mapped,
    Method,
    Names,
    Rows,
    Text,
    Value,
    names_of,
    text_of,
)

METHODS = frozenset(
    {"append", "assign", "astype", "copy", "count", "corr", "collect", "describe", "drop", "drop_duplicates",
     "dropna", "explode", "fillna", "filter", "groupby", "group_by", "head", "info", "isna", "iterrows", "join",
     "lazy", "melt", "merge", "pipe", "plot", "pop", "query", "rename", "reset_index", "sample", "select",
     "set_index", "sort", "sort_index", "sort_values", "sum", "tail", "to_numpy", "to_pandas", "to_dict",
     "transform", "unique", "with_columns", "select_dtypes", "apply", "nunique", "mean", "std", "min", "max",
     "value_counts", "map", "isnull", "eq", "where", "mask", "eval"}
)  # fmt: skip
"""Names that are methods of a frame, and no columns."""
_SELF = frozenset({"values", "T", "loc", "iloc", "ix", "at", "iat"})


class Reader(Protocol):
    """What reading frames and calls needs of a program being read."""

    seen: Seen
    names: dict[str, Value]

    def of(self, node: ast.expr | None) -> Value:
        """What an expression stands for."""
        ...


def attribute(reader: Reader, holder: Value, node: ast.Attribute) -> Value:
    """What ``holder.name`` stands for."""
    if isinstance(holder, Library):
        return Library(f"{holder.path}.{node.attr}")
    if isinstance(holder, Rows):
        return _of_frame(reader, holder, node)
    if isinstance(holder, Column):
        return _of_column(reader, holder, node)
    return (
        UNKNOWN if isinstance(holder, Text) and node.attr in {"parent", "name", "stem"} else Method(holder, node.attr)
    )


def _of_frame(reader: Reader, rows: Rows, node: ast.Attribute) -> Value:
    if node.attr == "columns":
        known = rows.columns
        return Names(rows, tuple(sorted(rows.without))) if known is None else Many([Text(one) for one in known])
    if node.attr in _SELF:
        return rows
    return Method(rows, node.attr) if node.attr in METHODS else column(reader, rows, node.attr, node)


def _of_column(reader: Reader, holder: Column, node: ast.Attribute) -> Value:
    if node.attr == "dt":
        _moment(reader, holder)
    if node.attr in {"str", "cat"} and holder.name:
        reader.seen.texts.setdefault(holder.name)
    if node.attr in {"values", "array", "T"}:
        return holder
    return Column(holder.rows, node) if node.attr in {"dt", "str", "cat", "codes"} else Method(holder, node.attr)


def column(reader: Reader, rows: Rows, name: str, node: ast.expr) -> Column:
    """A column of a frame."""
    reader.seen.columns.setdefault(name)
    return Column(rows, node, name)


def indexed(reader: Reader, holder: Value, node: ast.Subscript) -> Value:
    """What ``holder[key]`` stands for."""
    key = reader.of(node.slice)
    if isinstance(holder, Mapped):
        return holder.items.get(text_of(key), UNKNOWN)
    if isinstance(holder, Many):
        place = key.value if isinstance(key, Text) else None
        inside = isinstance(place, int) and -len(holder.items) <= place < len(holder.items)
        return holder.items[int(place)] if inside else UNKNOWN  # type: ignore[arg-type]
    if isinstance(holder, Column):
        return holder
    if isinstance(holder, Names):
        reader.seen.note(
            f"Columns are picked by place ({ast.unparse(node)}): which these are, the program does not say."
        )
        return UNKNOWN
    return _of_rows(reader, holder, node, key) if isinstance(holder, Rows) else UNKNOWN


def _of_rows(reader: Reader, rows: Rows, node: ast.Subscript, key: Value) -> Value:
    by = node.value.attr if isinstance(node.value, ast.Attribute) else ""
    if by == "iloc":
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else []
        if len(parts) > 1 and not isinstance(parts[1], ast.Constant):
            reader.seen.note(
                f"Columns are picked by place ({ast.unparse(node)}): which these are, the program does not say."
            )
            return rows
        return Column(rows, node) if len(parts) > 1 else rows
    if by in {"loc", "at", "ix"} and isinstance(node.slice, ast.Tuple) and len(node.slice.elts) > 1:
        if not isinstance(node.slice.elts[0], ast.Slice):
            rows = _chosen(reader, rows, node.slice.elts[0])
        return _picked(reader, rows, reader.of(node.slice.elts[1]), node)
    if by in {"loc", "ix"}:
        return _chosen(reader, rows, node.slice)
    return _picked(reader, rows, key, node)


def _picked(reader: Reader, rows: Rows, key: Value, node: ast.Subscript) -> Value:
    if text_of(key):
        return column(reader, rows, text_of(key), node)
    if isinstance(key, Many) and key.names is not None:
        for name in key.names:
            reader.seen.columns.setdefault(name)
        return rows.picked(key.names)
    if isinstance(key, Names):
        return rows.dropped(key.without)
    if isinstance(key, Column):
        return _chosen(reader, rows, node.slice)
    return rows


def _chosen(reader: Reader, rows: Rows, test: ast.expr) -> Rows:
    """Rows that a condition lets through."""
    words = ast.unparse(test)
    for part in ast.walk(test):
        if isinstance(part, ast.Compare) and isinstance(part.ops[0], ast.Lt | ast.LtE | ast.Gt | ast.GtE):
            left, right = reader.of(part.left), reader.of(part.comparators[0])
            dated = isinstance(right, Made | Library | Method) or text_of(right)[:2].isdigit()
            if isinstance(left, Column) and left.name and (left.name in reader.seen.times or dated):
                _moment(reader, left)
                reader.seen.by_time = True
                reader.seen.splits.append(words)
    return replace(rows, where=words)


def _moment(reader: Reader, of: Column) -> None:
    if of.name:
        reader.seen.times.setdefault(of.name)


def method(reader: Reader, rows: Rows, name: str, given: dict[str, Value], node: ast.Call) -> Value:
    """What a frame's method gives."""
    if name in {"drop", "select", "filter"} and (found := _by_names(name, rows, given)) is not None:
        return found
    if name == "pop":
        return _popped(reader, rows, text_of(given.get("0")), node)
    if name in {"merge", "join"}:
        return _joined(reader, rows, given)
    _looked_at(reader, rows, name, given, node)
    return rows


def _popped(reader: Reader, rows: Rows, gone: str, node: ast.Call) -> Value:
    if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name) and gone:
        reader.names[node.func.value.id] = rows.dropped((gone,))
    return column(reader, rows, gone, node)


def _joined(reader: Reader, rows: Rows, given: dict[str, Value]) -> Rows:
    other = given.get("0", given.get("right", given.get("other")))
    if not isinstance(other, Rows):
        return rows
    keys = names_of(given.get("on")) or ()
    by = f" by {', '.join(keys)}" if keys else ""
    reader.seen.note(
        f"Rows are joined with others{by}: that looks up what is known of a thing now. Declare a source and a feature "
        "view for them, so that it is known as of each row's moment."
    )
    columns = None if rows.columns is None or other.columns is None else (*rows.columns, *other.columns)
    return replace(
        rows,
        reads=tuple(dict.fromkeys((*rows.reads, *other.reads))),
        columns=None if columns is None else tuple(dict.fromkeys(columns)),
        made=rows.made | other.made,
    )


def _looked_at(reader: Reader, rows: Rows, name: str, given: dict[str, Value], node: ast.Call) -> None:
    """Methods that leave rows what they are, and say something of them."""
    seen = reader.seen
    if name in {"groupby", "group_by", "rolling", "expanding", "shift"}:
        told = ", ".join(map(repr, names_of(given.get("0", given.get("by"))) or ()))
        seen.note(
            f"Values are gathered over other rows (.{name}({told})): make them a feature view with windows, so that "
            "each row sees only what was known at its moment."
        )
    if name in {"sort_values", "sort"}:
        by = (names_of(given.get("by", given.get("0"))) or ("",))[0]
        if any(word in by.lower() for word in ("date", "time", "day")):
            seen.times.setdefault(by)
    renamed = given.get("columns")
    if name == "rename" and isinstance(renamed, Mapped):
        seen.note("Columns are renamed: " + ", ".join(f"{old} → {text_of(new)}" for old, new in renamed.items.items()))
    if name in {"assign", "with_columns"}:
        for key in node.keywords:
            if key.arg is not None:
                seen.columns.setdefault(key.arg)
                rows.made.setdefault(key.arg, computed(key.value, reader.of))


def _by_names(name: str, rows: Rows, given: dict[str, Value]) -> Rows | None:
    wanted = given.get("columns", given.get("items", given.get("0")))
    if isinstance(wanted, Names):
        return rows.dropped(wanted.without) if name != "drop" else rows
    names = names_of(wanted)
    if names is None and all(key.isdecimal() for key in given):
        texts = [text_of(value) for value in given.values()]
        names = tuple(texts) if texts and all(texts) else None
    if names is None:
        return None
    if name == "drop":
        axis = given.get("axis", given.get("1"))
        rowwise = isinstance(axis, Text) and axis.value in {0, "index"}
        return rows if rowwise and "columns" not in given else rows.dropped(names)
    return rows.picked(names)
