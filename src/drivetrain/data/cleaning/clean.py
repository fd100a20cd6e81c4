"""Several steps, in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from drivetrain.core.errors import ProjectError
from drivetrain.core.hashing import Digest, digest
from drivetrain.data.cleaning.step import Step


@dataclass(frozen=True)
class Clean:
    """Steps that clean rows before their contract is checked; see :func:`clean`."""

    steps: tuple[Step, ...]
    __name__ = "clean"

    def __call__(self, rows: pl.DataFrame, **tables: pl.DataFrame) -> pl.DataFrame:
        """The rows after all steps."""
        return self.apply(rows, tables)[0]

    def apply(self, rows: pl.DataFrame, tables: Mapping[str, pl.DataFrame]) -> tuple[pl.DataFrame, dict[str, int]]:
        """The rows after all steps, and what these changed: in words → how often.

        Raises:
            SourceError: A column is not there, or the tables do not fit.
        """
        changes: Counter[str] = Counter()
        for step in self.steps:
            rows, told = step.apply(rows, tables)
            changes.update(told)
        return rows, dict(changes)

    @cached_property
    def digest(self) -> Digest:
        """Digest of all steps with their settings: another one, and the source is read again."""
        return digest([[type(step).__name__, step.meaning] for step in self.steps])

    @property
    def raw(self) -> frozenset[str]:
        """Columns that some step wants as they came."""
        return frozenset(name for step in self.steps for name in step.raw)

    @property
    def needs(self) -> frozenset[str]:
        """Sources whose tables some step looks into."""
        return frozenset(name for step in self.steps for name in step.needs)


def clean(*steps: Step) -> Clean:
    """Steps that clean and merge rows, for ``project.source(…, prepare=dt.clean(…))``.

    They are part of what the source means, so that a changed step reads it again; and each says what it changed, which
    is counted with the table's version.

    Args:
        *steps: In the order in which they are done; see :mod:`drivetrain.data.cleaning.steps`.

    Raises:
        ProjectError: There is no step.

    Example:
        >>> import polars as pl
        >>> from drivetrain.data.cleaning import steps
        >>> made = clean(steps.trim("name"), steps.cap("age", low=0, high=120))
        >>> made.apply(pl.DataFrame({"name": [" a", "b"], "age": [130, 7]}), {})[1]
        {'trim: name changed': 1, 'cap: age changed': 1}
    """
    if not steps:
        raise ProjectError("cleaning without a step", do="Name one: dt.clean(dt.steps.trim(…))")
    return Clean(tuple(steps))
