"""What names of a program stand for, as far as reading can tell."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace
from typing import TypeAlias

Scalar: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True)
class Read:
    """Rows that a program reads.

    Attributes:
        place: A path, or the URL of a database.
        how: ``file``, ``sql``, or the function whose data they are.
        query: Of a database.
        times: Columns that are read as moments.
    """

    place: str
    how: str = "file"
    query: str = ""
    times: tuple[str, ...] = ()


@dataclass(frozen=True)
class Computed:
    """What a column is computed by, written down where it is: later, names may stand for something else.

    Attributes:
        code: In Polars; empty where it has no counterpart row by row.
        words: As the program writes it.
        why: What has no counterpart.
    """

    code: str
    words: str
    why: str = ""


@dataclass(frozen=True)
class Rows:
    """A frame: where its rows come from, and which columns it has.

    Attributes:
        reads: What it was read from, the first the one whose rows they are.
        columns: Its columns in order; none where these are all that were read.
        without: Columns that were taken out.
        made: Columns that were computed, and how; shared by all that come of one frame.
        where: How its rows were chosen, as the program writes it.
    """

    reads: tuple[Read, ...] = ()
    columns: tuple[str, ...] | None = None
    without: frozenset[str] = frozenset()
    made: dict[str, Computed] = field(default_factory=dict)
    where: str = ""

    def picked(self, columns: tuple[str, ...]) -> Rows:
        """Some of its columns."""
        return replace(self, columns=tuple(dict.fromkeys(columns)))

    def dropped(self, columns: tuple[str, ...]) -> Rows:
        """All but some of its columns."""
        kept = None if self.columns is None else tuple(name for name in self.columns if name not in columns)
        return replace(self, columns=kept, without=self.without | set(columns))


@dataclass(frozen=True)
class Column:
    """One column, or what is computed from some: a label, as a rule."""

    rows: Rows
    node: ast.expr
    name: str = ""


@dataclass(frozen=True)
class Names:
    """All columns of a frame but some."""

    rows: Rows
    without: tuple[str, ...] = ()


@dataclass(frozen=True)
class Text:
    """A constant: text, number, truth."""

    value: Scalar


@dataclass
class Many:
    """A list, tuple or set; a list may still grow."""

    items: list[Value]

    @property
    def names(self) -> tuple[str, ...] | None:
        """Its items, if all are text."""
        texts = [item.value for item in self.items if isinstance(item, Text) and isinstance(item.value, str)]
        return tuple(texts) if len(texts) == len(self.items) else None


@dataclass
class Mapped:
    """A dictionary with text for keys."""

    items: dict[str, Value]


@dataclass(frozen=True)
class Made:
    """An object of a class that a library has, or of one of the program's own.

    Attributes:
        path: The class, ``sklearn.linear_model.LogisticRegression``.
        given: Arguments by name; those without by position, ``0`` and on.
        line: Where it was made.
    """

    path: str
    given: dict[str, Value]
    line: int = 0


@dataclass(frozen=True)
class Library:
    """A module, class or function of a library, by its path."""

    path: str


@dataclass(frozen=True)
class Method:
    """A method of something."""

    of: Value
    name: str
    node: ast.expr | None = None


@dataclass(frozen=True)
class Local:
    """A function or class of the program's own."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Unknown:
    """What reading alone can't tell."""


Value: TypeAlias = Rows | Column | Names | Text | Many | Mapped | Made | Library | Method | Local | Unknown
UNKNOWN = Unknown()


def number_of(value: Value) -> float | None:
    """A number, if it is one."""
    known = value.value if isinstance(value, Text) else None
    return float(known) if isinstance(known, int | float) and not isinstance(known, bool) else None


def text_of(value: Value | None) -> str:
    """A text; empty if it is none."""
    return value.value if isinstance(value, Text) and isinstance(value.value, str) else ""


def names_of(value: Value | None) -> tuple[str, ...] | None:
    """Names, from a text or a list of them."""
    if isinstance(value, Text) and isinstance(value.value, str):
        return (value.value,)
    return value.names if isinstance(value, Many) else None
