"""What a program computes of a row, as Polars would write it; what looks at other rows is refused."""

from __future__ import annotations

import ast
from collections.abc import Callable
from types import MappingProxyType

from drivetrain.loop.adopt.values import Column, Computed, Many, Mapped, Rows, Text, Value

_BINARY = MappingProxyType(
    {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
     ast.BitAnd: "&", ast.BitOr: "|"}
)  # fmt: skip
_COMPARED = MappingProxyType({ast.Gt: ">", ast.GtE: ">=", ast.Lt: "<", ast.LtE: "<=", ast.Eq: "==", ast.NotEq: "!="})
_FUNCTIONS = MappingProxyType(
    {"log": "log", "log1p": "log1p", "sqrt": "sqrt", "exp": "exp", "abs": "abs", "sin": "sin", "cos": "cos"}
)
_MOMENTS = MappingProxyType(
    {"hour": "dt.hour()", "minute": "dt.minute()", "day": "dt.day()", "month": "dt.month()", "year": "dt.year()",
     "quarter": "dt.quarter()", "date": "dt.date()", "dayofweek": "dt.weekday() - 1", "weekday": "dt.weekday() - 1",
     "dayofyear": "dt.ordinal_day()"}
)  # fmt: skip
_METHODS = MappingProxyType(
    {"isna": "is_null", "isnull": "is_null", "notna": "is_not_null", "notnull": "is_not_null", "abs": "abs",
     "is_null": "is_null", "is_not_null": "is_not_null", "log1p": "log1p", "log": "log", "sqrt": "sqrt"}
)  # fmt: skip
_TEXTS = MappingProxyType(
    {"lower": "to_lowercase", "upper": "to_uppercase", "strip": "strip_chars", "len": "len_chars"}
)
_CASTS = MappingProxyType({"int": "Int64", "int8": "Int64", "int32": "Int64", "int64": "Int64", "float": "Float64",
                           "float32": "Float64", "float64": "Float64", "bool": "Boolean", "str": "String",
                           "string": "String"})  # fmt: skip
_SAME = frozenset({"values", "to_numpy", "copy", "ravel", "to_list", "array", "reset_index", "squeeze"})


class Untold(Exception):
    """Something that has no counterpart row by row."""


def as_polars(node: ast.expr, of: Callable[[ast.expr], Value]) -> str:
    """An expression over a frame's columns, in Polars.

    Args:
        node: The expression.
        of: What a part of it stands for.

    Raises:
        Untold: A part of it looks at other rows, or is not known.
    """
    return _Writer(of).write(node)


def computed(node: ast.expr, of: Callable[[ast.expr], Value]) -> Computed:
    """An expression in Polars where it has a counterpart, and as the program writes it."""
    words = ast.unparse(node)
    try:
        return Computed(as_polars(node, of), words)
    except Untold as error:
        return Computed("", words, str(error))


class _Writer:
    def __init__(self, of: Callable[[ast.expr], Value]) -> None:
        self._of = of

    def write(self, node: ast.expr) -> str:
        """One expression; parts of others stand in brackets."""
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.Attribute) and node.attr in _SAME:
            return self.write(node.value)
        if isinstance(node, ast.Attribute) and _is_part(node.value, "dt") and node.attr in _MOMENTS:
            return f"{self.write(_inner(node.value))}.{_MOMENTS[node.attr]}"
        return self._computed(node) or self._leaf(node)

    def _computed(self, node: ast.expr) -> str:
        """Constants, arithmetic and comparisons; empty for anything else."""
        if isinstance(node, ast.Constant):
            return repr(node.value)
        if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
            return f"({self.write(node.left)} {_BINARY[type(node.op)]} {self.write(node.right)})"
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _COMPARED:
            return f"({self.write(node.left)} {_COMPARED[type(node.ops[0])]} {self.write(node.comparators[0])})"
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Invert):
            return f"{'-' if isinstance(node.op, ast.USub) else '~'}{self.write(node.operand)}"
        return ""

    def _leaf(self, node: ast.expr) -> str:
        found = self._of(node)
        if isinstance(found, Text):
            return repr(found.value)
        if isinstance(found, Column):
            if found.name:
                return f"pl.col({found.name!r})"
            if found.node is not node:
                return self.write(found.node)
        raise Untold(ast.unparse(node))

    def _call(self, node: ast.Call) -> str:
        function = node.func
        if isinstance(function, ast.Name) and function.id in {"int", "float", "abs"} and node.args:
            return self.write(node.args[0])
        if not isinstance(function, ast.Attribute):
            raise Untold(ast.unparse(node))
        name, base = function.attr, function.value
        if isinstance(base, ast.Name) and base.id in {"np", "numpy", "pd", "pandas"}:
            return self._function(name, node)
        if name in _SAME:
            return self.write(base)
        if _is_part(base, "str") and name in _TEXTS:
            return f"{self.write(_inner(base))}.str.{_TEXTS[name]}()"
        if _is_part(base, "dt") and name in _MOMENTS:
            return f"{self.write(_inner(base))}.{_MOMENTS[name]}"
        return self._method(name, base, node.args)

    def _function(self, name: str, node: ast.Call) -> str:
        """A function of numpy or pandas."""
        if len(node.args) == 1 and name in _FUNCTIONS:
            return f"{self.write(node.args[0])}.{_FUNCTIONS[name]}()"
        if name == "where" and len(node.args) == 3:
            test, yes, no = map(self.write, node.args)
            return f"pl.when({test}).then({_literal(yes)}).otherwise({_literal(no)})"
        if name == "to_datetime" and node.args:
            return self.write(node.args[0])
        raise Untold(ast.unparse(node))

    def _method(self, name: str, base: ast.expr, given: list[ast.expr]) -> str:
        if isinstance(self._of(base), Rows):
            raise Untold(f".{name}(…)")
        known = self._of(given[0]) if given else None
        if name in _METHODS and not given:
            return f"{self.write(base)}.{_METHODS[name]}()"
        if name in {"fillna", "fill_null"} and isinstance(known, Text):
            return f"{self.write(base)}.fill_null({known.value!r})"
        if name in {"isin", "is_in"} and isinstance(known, Many) and known.names:
            return f"{self.write(base)}.is_in({list(known.names)!r})"
        if name in {"astype", "cast"} and given:
            return f"{self.write(base)}{_cast(given[0])}"
        if name == "map" and isinstance(known, Mapped):
            return self._mapped(base, known)
        raise Untold(f".{name}(…)")

    def _mapped(self, base: ast.expr, known: Mapped) -> str:
        """A yes and a no by name are a comparison."""
        values = {name: item.value for name, item in known.items.items() if isinstance(item, Text)}
        yes = [name for name, value in values.items() if value == 1]
        if len(values) == len(known.items) and set(values.values()) <= {0, 1} and len(yes) == 1:
            return f"({self.write(base)} == {yes[0]!r})"
        raise Untold(".map(…)")


def _is_part(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == name


def _inner(node: ast.expr) -> ast.expr:
    assert isinstance(node, ast.Attribute), "asked before"
    return node.value


def _literal(text: str) -> str:
    return text if text.startswith(("pl.", "(")) else f"pl.lit({text})"


def _cast(node: ast.expr) -> str:
    """What makes another type of an expression; nothing for a category, which stays what it is."""
    wanted = ast.unparse(node).strip("'\"").rpartition(".")[2].lower()
    if wanted == "category":
        return ""
    if wanted not in _CASTS:
        raise Untold(f".astype({ast.unparse(node)})")
    return f".cast(pl.{_CASTS[wanted]})"
