"""Which of a model's forms is served: each is opened, compared with the model on real rows, and timed.

The rule. A candidate agrees when none of its answers lies further from the model's own than the tolerance; one that
does not agree is never served. Of those that agree, the trainer's first is served unless a later one is at least 1.25
times as fast, one row at a time and in batches counting alike: the measure is the geometric mean of the time of one row
and the time per row in a batch of 64. The margin keeps noise from choosing: two forms that are about as fast as each
other come out in the trainer's order, whenever and wherever they are timed.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from msgspec.structs import replace

from drivetrain.core.errors import DrivetrainError
from drivetrain.core.protocols import Engine
from drivetrain.core.records.version import Candidate, Packaging

TOLERANCE = 1e-4
"""Largest difference at which a form agrees, in units of the prediction (of the largest one, where that is above 1).

Forms of 64 bits answer to within 1e-12. Of 32 bits, as ONNX graphs of scikit-learn and PyTorch are, rounding leaves
some 1e-7; only a row that lies on a tree's threshold to the last bit falls to the other side, and may differ by more.
"""

FASTER = 1.25
"""How many times as fast a form must be to be served in place of one that comes before it."""

BATCH = 64
"""Rows of the batch that is timed."""

_ALONE = 4
_BURSTS = 5
_BURST_SECONDS = 0.012


@dataclass(frozen=True)
class Form:
    """A file that a model was saved in, and how it is opened."""

    engine: str
    name: str
    size: int
    open: Callable[[], Engine]


def package(forms: Sequence[Form], expected: np.ndarray, rows: np.ndarray) -> Packaging:
    """Tries every form of a model.

    Timing takes about an eighth of a second a form, a few calls where those take longer, in bursts that go round among
    them: whatever else the machine is doing strikes all alike, and the least of many rounds is what counts.

    Args:
        forms: In the trainer's order.
        expected: What the model itself says of the rows.
        rows: Real rows, shape (n, fields).

    Returns:
        What was found; no candidate is chosen where none agrees.
    """
    tolerance = TOLERANCE * max(1.0, float(np.max(np.abs(expected), initial=0.0)))
    tried = [_compared(form, expected, rows, tolerance) for form in forms]
    timed = _timed([engine if found.agrees else None for found, engine in tried], rows)
    found = [
        replace(candidate, row_us=alone, batch_us=batch)
        for (candidate, _), (alone, batch) in zip(tried, timed, strict=True)
    ]
    return Packaging(candidates=choose(found), tolerance=tolerance, batch=BATCH)


def choose(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Marks the candidate to serve, and says of each why or why not; the rule is at the top of this module.

    Example:
        >>> tree = Candidate(engine="xgboost", name="a", size=1, agrees=True, row_us=100.0, batch_us=640.0)
        >>> graph = Candidate(engine="onnx", name="b", size=1, agrees=True, row_us=10.0, batch_us=640.0)
        >>> [each.reason for each in choose([tree, graph])]
        ['onnx is 3.2 times as fast.', 'It is 3.2 times as fast as xgboost, and agrees.']
    """
    best: Candidate | None = None
    for candidate in candidates:
        if candidate.agrees and (best is None or cost(best) >= FASTER * cost(candidate)):
            best = candidate
    if best is None:
        return tuple(candidates)
    others = [other for other in candidates if other.agrees and other is not best]
    return tuple(
        replace(each, chosen=True, reason=_why(best, others))
        if each is best
        else replace(each, reason=_why_not(each, best))
        if each.agrees
        else each
        for each in candidates
    )


def cost(candidate: Candidate) -> float:
    """Microseconds a row: the geometric mean of a row alone and of one in a batch; infinite if it was not timed."""
    if candidate.row_us is None or candidate.batch_us is None:
        return math.inf
    return math.sqrt(candidate.row_us * candidate.batch_us / BATCH)


def _why(best: Candidate, others: Sequence[Candidate]) -> str:
    if not others:
        return "It agrees, and is the only one that does."
    rival = min(others, key=cost)
    times = cost(rival) / cost(best)
    if times >= FASTER:
        return f"It is {times:.1f} times as fast as {rival.engine}, and agrees."
    return f"It comes first, and {rival.engine} is not {FASTER:g} times as fast."


def _why_not(other: Candidate, best: Candidate) -> str:
    times = cost(other) / cost(best)
    if times >= 1:
        return f"{best.engine} is {times:.1f} times as fast."
    return f"It is {1 / times:.1f} times as fast as {best.engine}, which comes first; {FASTER:g} times is asked."


def _compared(form: Form, expected: np.ndarray, rows: np.ndarray, tolerance: float) -> tuple[Candidate, Engine | None]:
    candidate = Candidate(engine=form.engine, name=form.name, size=form.size, agrees=False)
    try:
        engine = form.open()
        said = np.asarray(engine.predict(rows))
        alone = np.array([engine.predict_row(row) for row in rows[:_ALONE].tolist()])
    except DrivetrainError as error:
        return replace(candidate, reason=f"It can't be opened: {error}"), None
    except Exception as error:  # noqa: BLE001 - foreign code: whatever it raises is a reason not to serve it
        return replace(candidate, reason=f"It does not answer: {error}"), None
    if said.shape != expected.shape:
        return replace(candidate, reason=f"It answers in shape {said.shape}, the model in {expected.shape}."), None
    apart = float(np.max(np.abs(said - expected), initial=0.0))
    if len(alone):
        apart = max(apart, float(np.max(np.abs(alone - expected[:_ALONE]))))
    if not math.isfinite(apart):
        return replace(candidate, rows=len(rows), reason="Some of its answers are no numbers."), None
    candidate = replace(candidate, rows=len(rows), difference=apart, agrees=apart <= tolerance)
    if candidate.agrees:
        return candidate, engine
    return replace(candidate, reason=f"It differs by {apart:.2g}; at most {tolerance:.2g} is allowed."), None


def _timed(engines: Sequence[Engine | None], rows: np.ndarray) -> list[tuple[float | None, float | None]]:
    """Microseconds for one row and for a batch, of each engine there is."""
    if not len(rows):
        return [(None, None)] * len(engines)
    some = np.ascontiguousarray(rows[np.arange(BATCH) % len(rows)])
    single = some[:_ALONE].tolist()
    clocks = [
        None
        if engine is None
        else (_Clock(partial(_one_by_one, engine, single)), _Clock(partial(engine.predict, some)))
        for engine in engines
    ]
    for _ in range(_BURSTS):
        for pair in clocks:
            for clock in pair or ():
                clock.burst()
    return [(None, None) if pair is None else (1e6 * pair[0].least / _ALONE, 1e6 * pair[1].least) for pair in clocks]


def _one_by_one(engine: Engine, rows: Sequence[Sequence[float]]) -> None:
    for row in rows:
        engine.predict_row(row)


class _Clock:
    """Times a call; one that is slow is not called for much longer than it takes to know that."""

    def __init__(self, call: Callable[[], object]) -> None:
        self._call = call
        self._left = _BURSTS * _BURST_SECONDS
        self.least = math.inf
        """Seconds of the fastest call."""
        call()  # the first warms up

    def burst(self) -> None:
        """Calls for a moment, once at least, unless its time is up."""
        spent = 0.0
        while self._left > 0 and spent < _BURST_SECONDS:
            started = time.perf_counter()
            self._call()
            took = time.perf_counter() - started
            self.least = min(self.least, took)
            spent += took
            self._left -= took
