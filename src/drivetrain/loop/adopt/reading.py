"""Reads a program as a person would: what each name stands for, from top to bottom. Nothing of it is run."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace

from drivetrain.loop.adopt.calls import called
from drivetrain.loop.adopt.estimators import is_module
from drivetrain.loop.adopt.expressions import computed
from drivetrain.loop.adopt.frames import attribute, indexed
from drivetrain.loop.adopt.seen import Seen
from drivetrain.loop.adopt.values import (
    UNKNOWN,
    Column,
    Library,
    Local,
    Made,
    Many,
    Mapped,
    Names,
    Rows,
    Text,
    Value,
    number_of,
    text_of,
)

_DEEPEST = 6
"""Calls of the program's own functions within one another that are followed."""
_MOST = 40
"""Rounds of a loop over names that are followed."""


class Reading:
    """One program being read.

    Args:
        body: Its statements.
    """

    def __init__(self, body: Sequence[ast.stmt]) -> None:
        self.seen = Seen()
        self.names: dict[str, Value] = {}
        self._depth = 0
        self._called: set[str] = set()
        self._block(body)
        for value in list(self.names.values()):
            if isinstance(value, Local) and value.node.name not in self._called:
                self._inside(value.node)

    def of(self, node: ast.expr | None) -> Value:
        """What an expression stands for."""
        if node is None:
            return UNKNOWN
        kind = getattr(self, f"_of_{type(node).__name__.lower()}", None)
        if kind is None:
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    self.of(child)
            return Column(rows, node) if (rows := self._rows_in(node)) else UNKNOWN
        found: Value = kind(node)
        return found

    def _block(self, body: Sequence[ast.stmt]) -> Value:
        """Reads statements; what they return."""
        returned: Value = UNKNOWN
        for statement in body:
            kind = getattr(self, f"_on_{type(statement).__name__.lower()}", None)
            found = kind(statement) if kind else self._other(statement)
            returned = found if found is not None and returned is UNKNOWN else returned
        return returned

    def _other(self, statement: ast.stmt) -> Value | None:
        """A statement with others within: with, try, while, if."""
        found: Value = UNKNOWN
        for name in ("test", "items", "value"):
            part = getattr(statement, name, None)
            for each in part if isinstance(part, list) else [part]:
                if isinstance(each, ast.expr):
                    self.of(each)
                if isinstance(each, ast.withitem):
                    value = self.of(each.context_expr)
                    if each.optional_vars is not None:
                        self._bind(each.optional_vars, value, each.context_expr)
        for name in ("body", "handlers", "orelse", "finalbody"):
            part = getattr(statement, name, None) or []
            inner = [one for each in part for one in (each.body if isinstance(each, ast.ExceptHandler) else [each])]
            made = self._block(inner)
            found = made if found is UNKNOWN else found
        return found

    def _on_import(self, statement: ast.Import) -> None:
        for name in statement.names:
            self.names[name.asname or name.name.partition(".")[0]] = Library(
                name.name if name.asname else name.name.partition(".")[0]
            )

    def _on_importfrom(self, statement: ast.ImportFrom) -> None:
        for name in statement.names:
            self.names[name.asname or name.name] = Library(f"{statement.module or ''}.{name.name}".strip("."))

    def _on_functiondef(self, statement: ast.FunctionDef) -> None:
        self.names[statement.name] = Local(statement)

    def _on_asyncfunctiondef(self, statement: ast.AsyncFunctionDef) -> None:
        self.names[statement.name] = Local(statement)

    def _on_classdef(self, statement: ast.ClassDef) -> None:
        self.names[statement.name] = Local(statement)

    def _on_return(self, statement: ast.Return) -> Value:
        return self.of(statement.value)

    def _on_expr(self, statement: ast.Expr) -> None:
        self.of(statement.value)

    def _on_assign(self, statement: ast.Assign) -> None:
        value = self.of(statement.value)
        for target in statement.targets:
            self._bind(target, value, statement.value)

    def _on_annassign(self, statement: ast.AnnAssign) -> None:
        if statement.value is not None:
            self._bind(statement.target, self.of(statement.value), statement.value)

    def _on_augassign(self, statement: ast.AugAssign) -> None:
        whole = ast.BinOp(_loaded(statement.target), statement.op, statement.value)
        ast.copy_location(whole, statement)
        self._bind(statement.target, self.of(whole), whole)

    def _on_delete(self, statement: ast.Delete) -> None:
        for target in statement.targets:
            if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
                rows, name = self.of(target.value), text_of(self.of(target.slice))
                if isinstance(rows, Rows) and name:
                    self.names[target.value.id] = rows.dropped((name,))

    def _on_for(self, statement: ast.For) -> Value:
        over = self.of(statement.iter)
        rounds: list[Value] = list(over.items[:_MOST]) if isinstance(over, Many) else [UNKNOWN]
        found: Value = UNKNOWN
        for value in rounds:
            self._bind(statement.target, value, statement.iter)
            made = self._block(statement.body)
            found = made if found is UNKNOWN else found
        return found

    def _bind(self, target: ast.expr, value: Value, node: ast.expr) -> None:
        """Gives a value a name, or puts it into a frame or a dictionary."""
        if isinstance(target, ast.Name):
            self.names[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            parts = value.items if isinstance(value, Many) else []
            for place, part in enumerate(target.elts):
                self._bind(part, parts[place] if place < len(parts) else UNKNOWN, node)
        elif isinstance(target, ast.Subscript):
            self._put(target, value, node)
        elif isinstance(target, ast.Attribute):
            self.names[ast.unparse(target)] = value

    def _put(self, target: ast.Subscript, value: Value, node: ast.expr) -> None:
        holder, key = self.of(target.value), self.of(target.slice)
        if isinstance(target.value, ast.Attribute) and target.value.attr == "loc" and isinstance(key, Many):
            key = key.items[-1] if key.items else UNKNOWN
        if isinstance(holder, Mapped) and text_of(key):
            holder.items[text_of(key)] = value
        if not isinstance(holder, Rows):
            return
        columns = key.names if isinstance(key, Many) else (text_of(key),) if text_of(key) else ()
        for name in columns or ():
            self.seen.columns.setdefault(name)
            if isinstance(value, Column) and value.name == name:
                continue  # retyped or filled in place
            if columns and len(columns) == 1:
                holder.made[name] = computed(node, self.of)
                kept = holder.columns
                if kept is not None and name not in kept and isinstance(target.value, ast.Name):
                    self.names[target.value.id] = replace(holder, columns=(*kept, name))

    def _of_constant(self, node: ast.Constant) -> Value:
        known = node.value is None or isinstance(node.value, str | int | float | bool)
        return Text(node.value) if known else UNKNOWN  # type: ignore[arg-type]

    def _of_name(self, node: ast.Name) -> Value:
        return self.names.get(node.id, UNKNOWN)

    def _of_list(self, node: ast.List | ast.Tuple | ast.Set) -> Value:
        items: list[Value] = []
        for part in node.elts:
            value = self.of(part.value if isinstance(part, ast.Starred) else part)
            items += value.items if isinstance(part, ast.Starred) and isinstance(value, Many) else [value]
        return Many(items)

    _of_tuple = _of_set = _of_list

    def _of_dict(self, node: ast.Dict) -> Value:
        items: dict[str, Value] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            known = self.of(value)
            if key is None and isinstance(known, Mapped):
                items |= known.items
            elif key is not None:
                name = self.of(key)
                items[str(name.value) if isinstance(name, Text) else ast.unparse(key)] = known
        return Mapped(items)

    def _of_joinedstr(self, node: ast.JoinedStr) -> Value:
        parts = [self.of(part.value if isinstance(part, ast.FormattedValue) else part) for part in node.values]
        known = [str(part.value) for part in parts if isinstance(part, Text)]
        return Text("".join(known)) if len(known) == len(parts) else UNKNOWN

    def _of_ifexp(self, node: ast.IfExp) -> Value:
        first = self.of(node.body)
        return first if first is not UNKNOWN else self.of(node.orelse)

    def _of_namedexpr(self, node: ast.NamedExpr) -> Value:
        value = self.of(node.value)
        self._bind(node.target, value, node.value)
        return value

    def _of_await(self, node: ast.Await) -> Value:
        return self.of(node.value)

    def _of_binop(self, node: ast.BinOp) -> Value:
        left, right = self.of(node.left), self.of(node.right)
        if isinstance(left, Many | Names) and isinstance(right, Many):
            return _combined(left, node.op, right)
        if text_of(left) and text_of(right) and isinstance(node.op, ast.Add | ast.Div):
            first = text_of(left)
            return Text(
                first + text_of(right) if isinstance(node.op, ast.Add) else f"{first.rstrip('/')}/{text_of(right)}"
            )
        numbers = number_of(left), number_of(right)
        if isinstance(node.op, ast.Mult) and numbers[0] is not None and numbers[1] is not None:
            return Text(numbers[0] * numbers[1])
        return Column(rows, node) if (rows := self._rows_in(node)) else UNKNOWN

    def _of_unaryop(self, node: ast.UnaryOp) -> Value:
        value = self.of(node.operand)
        number = number_of(value)
        if isinstance(node.op, ast.USub) and number is not None and isinstance(value, Text):
            return Text(-number if isinstance(value.value, float) else -int(number))
        return Column(rows, node) if (rows := self._rows_in(node)) else UNKNOWN

    def _of_attribute(self, node: ast.Attribute) -> Value:
        named = self.names.get(ast.unparse(node)) if isinstance(node.value, ast.Name) else None
        return named if named is not None else attribute(self, self.of(node.value), node)

    def _of_subscript(self, node: ast.Subscript) -> Value:
        return indexed(self, self.of(node.value), node)

    def _of_listcomp(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> Value:
        """Names of columns that some condition lets through."""
        [first, *more] = node.generators
        over = self.of(first.iter)
        gone: list[str] = []
        for test in first.ifs:
            if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.NotIn | ast.NotEq):
                value = self.of(test.comparators[0])
                gone += value.names or () if isinstance(value, Many) else [text_of(value)]
        if isinstance(over, Names) and not more:
            return Names(over.rows, (*over.without, *filter(None, gone)))
        if isinstance(over, Many) and not more and isinstance(node.elt, ast.Name):
            return Many([item for item in over.items if text_of(item) not in gone])
        return UNKNOWN

    _of_setcomp = _of_generatorexp = _of_listcomp

    def _of_call(self, node: ast.Call) -> Value:
        function = self.of(node.func)
        given: dict[str, Value] = {str(place): self.of(part) for place, part in enumerate(node.args)}
        for keyword in node.keywords:
            value = self.of(keyword.value)
            given |= value.items if keyword.arg is None and isinstance(value, Mapped) else {keyword.arg or "**": value}
        if isinstance(function, Local):
            return self._followed(function, given, node)
        return called(self, function, given, node)

    def _followed(self, function: Local, given: dict[str, Value], node: ast.Call) -> Value:
        """A call of the program's own function: read with what it is given."""
        self._called.add(function.node.name)
        if isinstance(function.node, ast.ClassDef):
            made = Made(_class_path(self, function.node), given, node.lineno)
            if is_module(made.path):
                self.seen.networks.append(made)
            elif self._depth < _DEEPEST:
                self._inside(function.node, given)
            return made
        if self._depth >= _DEEPEST:
            return UNKNOWN
        return self._inside(function.node, given)

    def _inside(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, given: dict[str, Value] | None = None
    ) -> Value:
        outer, self.names = self.names, dict(self.names)
        self._depth += 1
        if not isinstance(node, ast.ClassDef):
            arguments = [*node.args.posonlyargs, *node.args.args]
            own = arguments[:1] if arguments and arguments[0].arg in {"self", "cls"} else []
            defaults = dict(zip([one.arg for one in reversed(arguments)], reversed(node.args.defaults), strict=False))
            for place, argument in enumerate(arguments[len(own) :]):
                name, told = argument.arg, given or {}
                value = told.get(str(place), told.get(name))
                self.names[name] = value if value is not None else self.of(defaults.get(name))
        found = self._block(node.body)
        if isinstance(node, ast.ClassDef):
            self.names |= {f"self.{name}": value for name, value in self.names.items() if outer.get(name) is not value}
            for part in node.body:
                if isinstance(part, ast.FunctionDef):
                    self._inside(part, given if part.name == "__init__" else None)
        self._depth -= 1
        # What an object knows, its other methods know too.
        self.names = outer | {name: value for name, value in self.names.items() if name.startswith("self.")}
        return found

    def _rows_in(self, node: ast.expr) -> Rows | None:
        """The frame that an expression computes with, if it is of one."""
        for part in ast.walk(node):
            if isinstance(part, ast.Subscript | ast.Attribute | ast.Name) and part is not node:
                value = self.of(part) if not isinstance(part, ast.Name) else self.names.get(part.id)
                if isinstance(value, Column):
                    return value.rows
        return None


def _class_path(reading: Reading, node: ast.ClassDef) -> str:
    """What a class of the program's own is: the library's class that it stands on, and its name."""
    for base in node.bases:
        known = reading.of(base)
        if isinstance(known, Library):
            return f"{known.path}:{node.name}"
    return f":{node.name}"


def _loaded(node: ast.expr) -> ast.expr:
    """The same, to be read instead of assigned to."""
    return ast.parse(ast.unparse(node), mode="eval").body


def _combined(left: Many | Names, op: ast.operator, right: Many) -> Value:
    """Lists and sets of names, added and taken from one another."""
    if isinstance(left, Names):
        return Names(left.rows, (*left.without, *(right.names or ()))) if isinstance(op, ast.Sub) else left
    if isinstance(op, ast.Sub):
        gone = set(right.names or ())
        return Many([item for item in left.items if text_of(item) not in gone])
    return Many([*left.items, *right.items])
