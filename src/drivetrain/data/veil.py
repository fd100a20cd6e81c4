"""What may be shown: columns classed personal, sensitive or secret are masked wherever a page or the API shows rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from drivetrain.data.column import PRIVATE
from drivetrain.data.source import Source

MASKED = "masked"
"""What stands in a value's place."""

_FOUND = re.compile(r"found .*(?=[,;] expected )|found .*", re.DOTALL)
_QUOTED = re.compile(r"['\"`].*['\"`]", re.DOTALL)


class Veil(msgspec.Struct, frozen=True):
    """Which columns of one source may be seen.

    Where any column is withheld, one that the contract does not name is withheld too: nothing says what it holds.
    """

    withheld: frozenset[str] = frozenset()
    declared: frozenset[str] = frozenset()

    def hides(self, column: str) -> bool:
        """Whether a column's values must not be shown."""
        return column in self.withheld or (bool(self.withheld) and column not in self.declared)

    def row(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """A row with the values of hidden columns replaced; what a hidden column nests goes with it."""
        return {name: MASKED if self.hides(name) and value is not None else value for name, value in values.items()}

    def reason(self, text: str) -> str:
        """A reason of quarantine without the value it quotes, where that value must not be shown.

        Example:
            >>> Veil(frozenset({"email"}), frozenset({"email"})).reason("email: found 'a@b.c', expected an address")
            'email: found a masked value, expected an address'
        """
        column = text.partition(":")[0].strip()
        if not self.withheld or (column in self.declared and not self.hides(column)):
            return text
        return _QUOTED.sub(MASKED, _FOUND.sub("found a masked value", text))

    def reasons(self, counts: Mapping[str, int]) -> dict[str, int]:
        """Reasons with their counts as they may be shown; those that look alike then are one."""
        shown: dict[str, int] = {}
        for text, count in counts.items():
            told = self.reason(text)
            shown[told] = shown.get(told, 0) + count
        return shown


OPEN = Veil()
"""Nothing is hidden."""


def veil_of(source: Source | None) -> Veil:
    """The veil of a source's definition, from the privacy classes of its contract's columns."""
    columns = source.contract.columns if source else {}
    return Veil(
        frozenset(name for name, column in columns.items() if column.privacy in PRIVATE),
        frozenset(columns),
    )


def joined(veils: Iterable[Veil]) -> Veil:
    """The veil of rows that draw on several sources: a column withheld in one is withheld."""
    withheld: frozenset[str] = frozenset()
    declared: frozenset[str] = frozenset()
    for veil in veils:
        withheld |= veil.withheld
        declared |= veil.declared
    return Veil(withheld, declared)
