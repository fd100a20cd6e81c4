"""MLflow's filter language: ``metrics.auc > 0.8 and params.depth = '3' and tags.`data set` LIKE 'a%'``, and orders.

A filter is comparisons joined by AND. What stands on the left is an entity and a key (``metrics.auc``), or an attribute
by itself (``start_time``); a key with other characters stands in backticks or double quotes. This parser is our own; it
is held against MLflow's by tests.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple, NoReturn

import msgspec

from drivetrain.core.errors import UsageError

Kind = Literal["number", "text"]
Value = str | float | tuple[str, ...] | None

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))
  | (?P<text>'(?:[^']|'')*')
  | (?P<quoted>"[^"]*"|`[^`]*`)
  | (?P<operator>!=|>=|<=|=|>|<)
  | (?P<mark>[(),.])
  | (?P<word>[A-Za-z_][\w/-]*)
  | (?P<strange>\S)
)""",
    re.VERBOSE,
)
_LONGEST = 10_000
_MOST = 200


class Comparison(msgspec.Struct, frozen=True):
    """One condition; ``operator`` in capitals, ``value`` a tuple for IN and none for IS NULL."""

    entity: str
    key: str
    operator: str
    value: Value


class Order(msgspec.Struct, frozen=True):
    """What to sort by."""

    entity: str
    key: str
    descending: bool = False


class Language(msgspec.Struct, frozen=True, kw_only=True):
    """What can be said of a kind of thing.

    Attributes:
        attributes: Name → what its values are.
        synonyms: Other names of attributes → theirs.
        entities: Word before the dot → ``attribute``, ``metric``, ``param``, ``tag`` or ``dataset``.
    """

    attributes: Mapping[str, Kind]
    synonyms: Mapping[str, str] = {}
    entities: Mapping[str, str] = {}

    def attribute(self, name: str) -> str:
        """An attribute by any of its names.

        Raises:
            UsageError: There is none.
        """
        found = self.synonyms.get(name, self.synonyms.get(name.lower(), name))
        if found not in self.attributes:
            raise UsageError(
                f"there is no attribute {name!r} to search by",
                expected=", ".join([*self.attributes, *(f"{one}.KEY" for one in self.entities if one != "attributes")]),
            )
        return found

    def kind(self, entity: str, key: str) -> Kind:
        """What values of it are."""
        if entity == "attribute":
            return self.attributes[key]
        return "number" if entity == "metric" else "text"


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


def parse_filter(text: str, language: Language) -> list[Comparison]:
    """A filter's comparisons, all of which must hold; none for an empty filter.

    Raises:
        UsageError: It is no filter; the message says where.

    Example:
        >>> runs = Language(attributes={"status": "text"}, entities={"metrics": "metric"})
        >>> [one] = parse_filter("metrics.`a b` >= 0.5", runs)
        >>> one.entity, one.key, one.operator, one.value
        ('metric', 'a b', '>=', 0.5)
    """
    reader = _Reader(text, language)
    found: list[Comparison] = []
    while not reader.at_end():
        if found:
            reader.word("AND")
        found.append(reader.comparison())
        if len(found) > _MOST:
            raise UsageError("the filter has too many conditions", expected=f"at most {_MOST}")
    return found


def parse_orders(texts: Sequence[str], language: Language) -> list[Order]:
    """What to sort by, each such as ``metrics.auc DESC``.

    Raises:
        UsageError: One of them is no order.
    """
    found = []
    for text in texts:
        reader = _Reader(text, language)
        entity, key = reader.key()
        way = "" if reader.at_end() else reader.word("ASC", "DESC")
        if not reader.at_end():
            reader.refuse("ASC or DESC, and nothing after it")
        found.append(Order(entity, key, way == "DESC"))
    return found


class _Reader:
    """Goes through the tokens of a text."""

    def __init__(self, text: str, language: Language) -> None:
        if len(text) > _LONGEST:
            raise UsageError("the text to search by is too long", expected=f"at most {_LONGEST:,} characters")
        self._text, self._language = text, language
        self._tokens = list(_tokens(text))
        self._at = 0

    def at_end(self) -> bool:
        return self._at >= len(self._tokens)

    def refuse(self, expected: str) -> NoReturn:
        """Says what stands where something else was expected."""
        token = self._peek()
        found = "the end" if token is None else f"{token.text[:40]!r} at character {token.at + 1}"
        raise UsageError(f"{self._text[:200]!r} can't be searched by", found=found, expected=expected)

    def word(self, *wanted: str) -> str:
        token = self._peek()
        if token is None or token.kind != "word" or token.text.upper() not in wanted:
            self.refuse(" or ".join(wanted))
        self._at += 1
        return token.text.upper()

    def key(self) -> tuple[str, str]:
        """Entity and key."""
        first = self._take("word", "quoted")
        if first is None:
            self.refuse("what to compare, such as metrics.auc")
        name = _bare(first)
        if not self._mark("."):
            return "attribute", self._language.attribute(name)
        entity = self._language.entities.get(name.lower())
        if entity is None:
            raise UsageError(
                f"{self._text[:200]!r} can't be searched by",
                found=repr(name),
                expected=", ".join(f"{one}.KEY" for one in self._language.entities),
            )
        parts = [self._part()]
        while self._mark("."):
            parts.append(self._part())
        key = ".".join(parts)
        return entity, self._language.attribute(key) if entity == "attribute" else key

    def comparison(self) -> Comparison:
        entity, key = self.key()
        kind = self._language.kind(entity, key)
        operator = self._take("operator")
        if operator is not None:
            value = self._number() if kind == "number" else self._string()
            if kind == "text" and operator.text not in {"=", "!="}:
                self._at -= 2
                self.refuse("=, !=, LIKE, ILIKE, IN or IS NULL, as its values are text")
            return Comparison(entity, key, operator.text, value)
        if kind == "number":
            self.refuse("one of =, !=, >, >=, <, <=")
        said = self.word("LIKE", "ILIKE", "IN", "NOT", "IS")
        if said == "IS":
            negated = self._maybe("NOT")
            self.word("NULL")
            return Comparison(entity, key, "IS NOT NULL" if negated else "IS NULL", None)
        if said == "NOT":
            self.word("IN")
            return Comparison(entity, key, "NOT IN", self._list())
        return Comparison(entity, key, said, self._list() if said == "IN" else self._string())

    def _part(self) -> str:
        token = self._take("word", "quoted", "number")
        if token is None:
            self.refuse("a key, in backticks if it has other characters than letters, digits, _, - and /")
        return _bare(token)

    def _number(self) -> float:
        token = self._take("number")
        if token is None:
            self.refuse("a number")
        return float(token.text)

    def _string(self) -> str:
        token = self._take("text", "quoted")
        if token is None or token.text[0] == "`":
            self._at -= token is not None
            self.refuse("text in quotes")
        return _bare(token)

    def _list(self) -> tuple[str, ...]:
        if not self._mark("("):
            self.refuse("a list, such as ('a', 'b')")
        values = [self._string()]
        while self._mark(","):
            values.append(self._string())
        if not self._mark(")"):
            self.refuse("a comma or the list's end")
        return tuple(values)

    def _peek(self) -> _Token | None:
        return None if self.at_end() else self._tokens[self._at]

    def _take(self, *kinds: str) -> _Token | None:
        token = self._peek()
        if token is None or token.kind not in kinds:
            return None
        self._at += 1
        return token

    def _mark(self, mark: str) -> bool:
        token = self._peek()
        if token is None or token.kind != "mark" or token.text != mark:
            return False
        self._at += 1
        return True

    def _maybe(self, word: str) -> bool:
        token = self._peek()
        if token is None or token.kind != "word" or token.text.upper() != word:
            return False
        self._at += 1
        return True


def _tokens(text: str) -> Iterator[_Token]:
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup or "strange"
        if kind == "strange":
            raise UsageError(
                f"{text[:200]!r} can't be searched by",
                found=f"{found['strange']!r} at character {found.start('strange') + 1}",
                expected="conditions joined by AND, such as metrics.auc > 0.8",
            )
        yield _Token(kind, found[kind], found.start(kind))


def _bare(token: _Token) -> str:
    if token.kind == "text":
        return token.text[1:-1].replace("''", "'")
    return token.text[1:-1] if token.kind == "quoted" else token.text
