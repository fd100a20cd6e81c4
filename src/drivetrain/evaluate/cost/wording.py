"""What a model costs, in sentences that anybody reads."""

from __future__ import annotations

from typing import NamedTuple

from drivetrain.core.records import Cost, Intake
from drivetrain.evaluate.wording import DASH, micros, percent, size

_WORST = 3
_SLOWER = 1.2
"""How many times as long, or as large, is worth a word; within it the two are alike."""


class Line(NamedTuple):
    """One thing that a model costs, beside what its champion does."""

    what: str
    ours: str
    theirs: str
    note: str


def duration(seconds: float | None) -> str:
    """A time in words; a dash where it is not known.

    Example:
        >>> duration(0.42), duration(41.3), duration(754), duration(9_000)
        ('0.4 s', '41 s', '13 min', '2.5 h')
    """
    if seconds is None:
        return DASH
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 119.5:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7_170 else f"{seconds / 3600:.1f} h"


def answered_in(us: float | None) -> str:
    """The time of an answer in milliseconds, as somebody who waits for it counts.

    Example:
        >>> answered_in(7.7), answered_in(412.0), answered_in(18_200.0)
        ('0.008 ms', '0.41 ms', '18 ms')
    """
    if us is None:
        return DASH
    ms = us / 1000
    return f"{ms:.3f} ms" if ms < 0.1 else f"{ms:.2f} ms" if ms < 1 else f"{ms:.0f} ms" if ms >= 10 else f"{ms:.1f} ms"


def in_short(cost: Cost) -> str:
    """A sentence for whoever pays for it.

    Example:
        >>> in_short(Cost(size=1_200_000, kept=3_000_000, train_seconds=41.3, row_p50_us=21.0))
        'It answers a row in 0.021 ms, takes up 1.2 MB, and took 41 s to train.'
    """
    told = [] if cost.row_p50_us is None else [f"answers a row in {answered_in(cost.row_p50_us)}"]
    told.append(f"takes up {size(cost.size)}")
    if cost.train_seconds is not None:
        told.append(f"took {duration(cost.train_seconds)} to train")
    return (
        f"It {', '.join(told[:-1])}{',' if len(told) > 2 else ''} and {told[-1]}."
        if len(told) > 1
        else f"It {told[0]}."
    )


def beside_champion(cost: Cost, champion: Cost | None) -> str:
    """A sentence on both; empty where there is nothing to compare.

    Example:
        >>> theirs = Cost(of="champion v3", size=400_000, kept=0, row_p50_us=9.0)
        >>> beside_champion(Cost(size=1_200_000, kept=0, row_p50_us=21.0), theirs)
        'Beside champion v3 it is 2.3 times as slow and 3 times as large.'
    """
    if champion is None:
        return ""
    told = []
    if cost.row_p50_us and champion.row_p50_us:
        told.append(_times(cost.row_p50_us / champion.row_p50_us, "slow", "fast"))
    if cost.size and champion.size:
        told.append(_times(cost.size / champion.size, "large", "small"))
    known = [each for each in told if each]
    if not told:
        return ""
    return f"Beside {champion.of} it is {' and '.join(known)}." if known else f"It costs about what {champion.of} does."


def lines(cost: Cost, champion: Cost | None) -> list[Line]:
    """Everything it costs, for a table."""
    other = champion or Cost(size=0, kept=0)
    found = [
        Line("a row, half of them within", micros(cost.row_p50_us), micros(other.row_p50_us), _timed(cost)),
        Line("a row, 99 of 100 within", micros(cost.row_p99_us), micros(other.row_p99_us), ""),
        Line(
            "rows in a second, in a batch",
            _rate(cost),
            _rate(other),
            f"batches of {cost.batch:,}" if cost.batch else "",
        ),
        Line("what is served", size(cost.size), size(other.size) if champion else DASH, f"by {cost.engine}"),
        Line("everything kept", size(cost.kept), size(other.kept) if champion else DASH, "with other forms"),
        Line("training, by the clock", duration(cost.train_seconds), duration(other.train_seconds), _trials(cost)),
        Line("training, by the processor", duration(cost.train_cpu_seconds), duration(other.train_cpu_seconds), ""),
    ]
    if cost.peak_memory is not None:
        theirs = DASH if other.peak_memory is None else size(other.peak_memory)
        found.append(Line("memory while training", size(cost.peak_memory), theirs, "of the process, at most"))
    return [line for line in found if line.ours != DASH]


def kept_contract(intake: Intake) -> str:
    """A sentence on the rows of a table.

    Example:
        >>> kept_contract(Intake(table="orders", rows=5_000, broke=60, breaches={"amount: below 0": 60}))
        'of 5,000 rows of orders 1.2 % were set aside (60: amount: below 0)'
    """
    if not intake.checked:
        return f"{intake.table} declares no contract"
    if not intake.broke:
        return f"none of {intake.rows:,} rows of {intake.table} broke its contract"
    worst = [f"{count:,}: {rule}" for rule, count in list(intake.breaches.items())[:_WORST]]
    more = len(intake.breaches) - _WORST
    told = "; ".join(worst) + (f"; and {more} more" if more > 0 else "")
    what = "at least {} broke it and were kept" if intake.warns else "{} were set aside"
    return f"of {intake.rows:,} rows of {intake.table} {what.format(percent(intake.share))} ({told})"


def _times(ratio: float, more: str, less: str) -> str:
    if ratio >= _SLOWER:
        return f"{ratio:.2g} times as {more}"
    return f"{1 / ratio:.2g} times as {less}" if ratio <= 1 / _SLOWER else ""


def _timed(cost: Cost) -> str:
    return f"{cost.rows_timed:,} rows, one by one, on one thread" if cost.rows_timed else ""


def _rate(cost: Cost) -> str:
    return DASH if cost.rows_per_second is None else f"{cost.rows_per_second:,.0f}"


def _trials(cost: Cost) -> str:
    return f"{cost.trials} trials among it" if cost.trials else ""
