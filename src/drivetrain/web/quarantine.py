"""Rows a contract set aside, a page at a time, and the two things that may be done with them.

Everything is asked of the project's own quarantine: what must not be shown is masked there.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from drivetrain.core.errors import NotFound, RequestError
from drivetrain.core.records import Decision, TableVersion
from drivetrain.data.readmit import Readmitted
from drivetrain.data.veil import veil_of
from drivetrain.loop.quarantine import Heap, SetAside
from drivetrain.web.changes import ACTOR, check_reason
from drivetrain.web.desk import Desk
from drivetrain.web.tables import open_reasons

PAGE = 25
_TOLD = 8
_DIGITS = 19
"""A number of so many digits is none that a table can hold."""


class Chosen(msgspec.Struct, frozen=True):
    """Which rows: of a rule with these words in it, of a batch, or all."""

    rule: str | None = None
    batch: int | None = None

    @property
    def everything(self) -> bool:
        """Whether no row is left out."""
        return self.rule is None and self.batch is None


class Leaf(msgspec.Struct, frozen=True):
    """A page of rows that were set aside."""

    rows: tuple[SetAside, ...]
    total: int
    """How many rows were chosen."""
    page: int
    masked: tuple[str, ...]
    """Columns that are masked, by name."""
    heap: Heap
    """What of the source is set aside, chosen or not."""

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // PAGE))


class Act(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be done: with rows of these names, else with those of a rule or batch, else with all."""

    because: str
    rows: tuple[str, ...] = ()
    rule: str | None = None
    batch: int | None = None
    every: bool = False
    shown: int | None = None
    """How many rows there were when whoever asks looked; none where nobody did."""
    set: dict[str, str | None] = {}
    actor: str = ACTOR


def leaf(desk: Desk, source: str, page: int = 1, chosen: Chosen | None = None) -> Leaf:
    """One page of a source's quarantine, newest first.

    Raises:
        NotFound: The project declares no source by that name.
    """
    _check(desk, source)
    wanted = chosen or Chosen()
    heap = desk.quarantine.heap(source)
    some = heap if wanted.everything else desk.quarantine.heap(source, rule=wanted.rule, batch=wanted.batch)
    page = min(max(page, 1), max(1, -(-some.rows // PAGE)))
    rows = desk.quarantine.show(source, rule=wanted.rule, batch=wanted.batch, skip=(page - 1) * PAGE, limit=PAGE)
    return Leaf(tuple(rows), some.rows, page, tuple(sorted(veil_of(desk.sources[source]).withheld)), heap)


def done(desk: Desk, source: str) -> list[Decision]:
    """What was decided of a source's rows, newest first."""
    found = desk.store.catalog.find(Decision, source)
    return [one for one in found if one.what in {"readmit", "drop"}][:_TOLD]


def newest(desk: Desk, source: str) -> str:
    """Id of the newest of these decisions; empty if there is none."""
    return next((one.id for one in done(desk, source)), "")


def reasons(desk: Desk, table: str) -> dict[str, int]:
    """Every reason that was counted when versions of a table were made, most frequent first."""
    counts: dict[str, int] = {}
    for version in desk.store.catalog.find(TableVersion, table):
        for reason, number in open_reasons(desk, version).reasons.items():
            counts[reason] = counts.get(reason, 0) + number
    return dict(sorted(counts.items(), key=lambda item: -item[1]))


def act_of(fields: dict[str, list[str]]) -> Act:
    """What a form asks for.

    Raises:
        RequestError: It does not say which rows.
    """
    given = {name: values[-1] for name, values in fields.items()}
    which, rows = given.get("which", ""), fields.get("row", [])
    if which not in {"ticked", "all"}:
        raise RequestError("nothing says which rows", field="which", expected="ticked or all")
    if which == "ticked" and not rows:
        raise RequestError("no row is ticked", field="row", expected="one or more, or all of them")
    column = given.get("column", "")
    chosen = chosen_of(given.get("rule", ""), given.get("batch", ""))
    return Act(
        because=given.get("because", ""),
        rows=tuple(rows) if which == "ticked" else (),
        rule=chosen.rule,
        batch=chosen.batch,
        every=which == "all",
        shown=_number(given.get("shown", "")) if which == "all" else None,
        set={column: given.get("value") or None} if column else {},
    )


def chosen_of(rule: str = "", batch: str = "") -> Chosen:
    """Which rows an address or a form names.

    Raises:
        RequestError: The batch is no number.
    """
    if batch and not (batch.isascii() and batch.isdigit() and len(batch) < _DIGITS):
        raise RequestError("not a batch", field="batch", found=repr(batch), expected="a number, such as 3")
    return Chosen(rule or None, int(batch) if batch else None)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < _DIGITS else None


def readmit(desk: Desk, source: str, act: Act) -> Readmitted:
    """Brings rows back; raises what the project's quarantine raises."""
    _check_act(desk, source, act)
    return desk.quarantine.readmit(
        source,
        rule=act.rule,
        batch=act.batch,
        rows=act.rows,
        mend=act.set,
        because=act.because.strip(),
        actor=act.actor,
    )


def drop(desk: Desk, source: str, act: Act) -> int:
    """Removes rows for good; raises what the project's quarantine raises."""
    _check_act(desk, source, act)
    return desk.quarantine.drop(
        source,
        rule=act.rule,
        batch=act.batch,
        rows=act.rows,
        every=act.every,
        because=act.because.strip(),
        actor=act.actor,
    )


def columns(rows: Sequence[SetAside]) -> list[str]:
    """The columns that rows have, to mend one."""
    return list(dict.fromkeys(name for row in rows for name in row.values or {}))


def _check(desk: Desk, source: str) -> None:
    if source not in desk.sources:
        raise NotFound(f"no source is called {source!r}", expected=" or ".join(desk.sources) or None)


def _check_act(desk: Desk, source: str, act: Act) -> None:
    _check(desk, source)
    _check_rows(act)
    check_reason(act.because)
    if act.shown is None:
        return
    there = desk.quarantine.heap(source, rule=act.rule, batch=act.batch).rows
    if there != act.shown:
        raise RequestError(
            "rows were set aside or settled since this page was shown",
            field="shown",
            found=f"{there:,} rows now",
            expected=f"{act.shown:,}",
            do="Look at them, then decide again",
        )


def _check_rows(act: Act) -> None:
    if not (act.rows or act.rule or act.batch is not None or act.every):
        raise RequestError("nothing says which rows", field="rows", expected="rows, a rule, a batch, or every")
