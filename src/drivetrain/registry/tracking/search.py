"""Searching: what a filter lets through, in what order, a page at a time."""

from __future__ import annotations

import base64
import binascii
import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeVar

from drivetrain.core.errors import UsageError
from drivetrain.registry.tracking.filter import Comparison, Order

T = TypeVar("T")

Told = str | float | Sequence[str] | None
"""What a thing says under an entity and a key; of several values, any may do."""


def chosen(
    things: Iterable[T],
    tell: Callable[[T, str, str], Told],
    comparisons: Sequence[Comparison],
    orders: Sequence[Order] = (),
) -> list[T]:
    """The things for which every comparison holds, in order; those that say nothing of an order's key come last.

    Args:
        things: All of them, in the order that holds where the orders say nothing.
        tell: What a thing says under an entity and a key.
        comparisons: What must hold.
        orders: What to sort by, the first counts most.
    """
    found = [thing for thing in things if all(holds(one, tell(thing, one.entity, one.key)) for one in comparisons)]
    for order in reversed(orders):
        told = [(tell(thing, order.entity, order.key), thing) for thing in found]
        silent = [thing for value, thing in told if value is None]
        odd = [thing for value, thing in told if isinstance(value, float) and math.isnan(value)]
        said = [(value, thing) for value, thing in told if value is not None and value == value]  # noqa: PLR0124 - NaN
        said.sort(key=lambda pair: pair[0], reverse=order.descending)  # type: ignore[arg-type,return-value]
        found = [*(thing for _, thing in said), *odd, *silent]
    return found


def holds(comparison: Comparison, told: Told) -> bool:
    """Whether a comparison holds of what was told; of nothing, only IS NULL does."""
    if told is None or told == ():
        return comparison.operator == "IS NULL"
    if comparison.operator.startswith("IS"):
        return comparison.operator == "IS NOT NULL"
    if isinstance(told, tuple | list):
        return any(holds(comparison, one) for one in told)
    return _compared(comparison.operator, told, comparison.value)


def like(text: str, pattern: str) -> bool:
    """Whether a text is as a pattern says: ``%`` stands for any characters, ``_`` for one.

    The time it takes grows with the product of their lengths at worst.

    Example:
        >>> like("resnet-50", "res%-5_"), like("resnet", "net%")
        (True, False)
    """
    at = start = 0
    star, mark = -1, 0
    while at < len(text):
        if start < len(pattern) and pattern[start] == "%":
            star, mark = start, at
            start += 1
        elif start < len(pattern) and pattern[start] in ("_", text[at]):
            at += 1
            start += 1
        elif star >= 0:  # let the last % take one character more
            mark += 1
            at, start = mark, star + 1
        else:
            return False
    return all(one == "%" for one in pattern[start:])


def page(found: Sequence[T], token: str, most: int, *, limit: int) -> tuple[list[T], str]:
    """A page of what was found, and the token of the next; empty where there is none.

    Raises:
        UsageError: The token is none of ours, or the page is too large.
    """
    if not 1 <= most <= limit:
        raise UsageError("a page of another size", found=most, expected=f"1 to {limit:,} (max_results)")
    first = _offset(token)
    rest = first + most
    return list(found[first:rest]), _token(rest) if rest < len(found) else ""


def _offset(token: str) -> int:
    if not token:
        return 0
    try:
        text = base64.urlsafe_b64decode(token.encode()).decode()
    except (binascii.Error, ValueError):
        text = ""
    number = text.removeprefix("page:")
    if number == text or not number.isdecimal() or len(number) > 12:
        raise UsageError("the page token is none of ours", found=repr(token[:40]), do="Ask for the first page again")
    return int(number)


def _token(offset: int) -> str:
    return base64.urlsafe_b64encode(f"page:{offset}".encode()).decode()


def _compared(name: str, told: Told, value: Any) -> bool:  # noqa: ANN401 - the parser gives what goes with the operator
    compare = _COMPARED.get(name)
    if compare is not None:
        return compare(told, value)
    text, pattern = str(told), str(value)
    return like(text.casefold(), pattern.casefold()) if name == "ILIKE" else like(text, pattern)


_COMPARED: Mapping[str, Callable[[Any, Any], bool]] = MappingProxyType(
    {
        "=": operator.eq,
        "!=": operator.ne,
        ">": operator.gt,
        ">=": operator.ge,
        "<": operator.lt,
        "<=": operator.le,
        "IN": lambda told, values: told in values,
        "NOT IN": lambda told, values: told not in values,
    }
)
