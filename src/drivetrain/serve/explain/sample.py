"""Explanations in the prediction log: a share of the answers, explained after they were given."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from math import nan
from threading import Lock
from typing import Any, NamedTuple

from drivetrain.core.errors import DrivetrainError
from drivetrain.core.hashing import digest_bytes
from drivetrain.core.records import Explanation
from drivetrain.serve.call import Batch, Call, Facts
from drivetrain.serve.explain.lane import Lane
from drivetrain.serve.explain.reasons import Explain
from drivetrain.serve.log.frame import pack
from drivetrain.serve.log.wal import WriteAheadLog
from drivetrain.serve.telemetry import Meter
from drivetrain.serve.version import LoadedVersion, Output

WAITING = 256
"""Rows that may wait to be explained; beyond it they are left out and counted."""

_TURN = 8
"""Rows explained before whoever asked for an explanation gets a turn."""

_WAIT = 10.0
_SALT = b"explain:"  # so that the share is drawn apart from whatever else is chosen by the request's id
_WHOLE = 1 << 32


class _Task(NamedTuple):
    version: LoadedVersion
    call: Call
    row: int
    vector: Sequence[Any]
    output: Output


class Sample:
    """Explains a share of an endpoint's answers and logs what it found.

    Args:
        endpoint: The endpoint's name.
        share: How much of its requests, 0 to 1; which ones follows from their ids.
        lane: Where explaining happens.
        log: Where explanations go.
        meter: What is counted.
        explain: Version → how its rows are explained.
        withheld: Features whose contributions are not kept, as their values are not.
    """

    def __init__(
        self,
        endpoint: str,
        share: float,
        lane: Lane,
        log: WriteAheadLog,
        meter: Meter,
        explain: Callable[[LoadedVersion], Explain],
        *,
        withheld: frozenset[str] = frozenset(),
    ) -> None:
        self._endpoint = endpoint
        self._share = share
        self._lane = lane
        self._log = log
        self._meter = meter
        self._explain = explain
        self._withheld = withheld
        self._waiting: deque[_Task] = deque()
        self._lock = Lock()
        self._under_way = False

    def offer(
        self,
        version: LoadedVersion,
        batch: Batch,
        facts: Facts,
        outputs: Sequence[Output],
        places: Sequence[int] | None = None,
    ) -> None:
        """Takes answered rows of requests that were drawn, and leaves out what would make too many wait.

        Args:
            version: Who answered.
            batch: The calls.
            facts: What was known of all their rows.
            outputs: What it answered.
            places: Which of the batch's rows it answered, in the order of ``outputs``; all by default.
        """
        if self._share <= 0.0:
            return
        drawn = {call.request_id for call in batch.calls if chosen(call.request_id, self._share)}
        if not drawn:
            return
        tasks = [
            _Task(version, *batch.places[at], facts.vectors[at], output)
            for at, output in zip(range(len(outputs)) if places is None else places, outputs, strict=True)
            if batch.places[at][0].request_id in drawn
        ]
        with self._lock:
            room = max(0, WAITING - len(self._waiting))
            self._waiting.extend(tasks[:room])
            if self._waiting and not self._under_way:
                self._under_way = True
                self._lane.add(self._take_turn)
        if len(tasks) > room:
            self._meter.counters["explain_dropped"][(self._endpoint,)] += len(tasks) - room

    def close(self) -> None:
        """Waits, for a bounded time, until what waits is explained and logged."""
        until = time.monotonic() + _WAIT
        with suppress(TimeoutError):
            while self._under_way:
                self._lane.add(lambda: None).result(max(0.0, until - time.monotonic()))

    def _take_turn(self) -> None:
        for _ in range(min(_TURN, len(self._waiting))):
            self._log_one(self._waiting.popleft())
        with self._lock:
            self._under_way = bool(self._waiting)
            if self._under_way:
                self._lane.add(self._take_turn)

    def _log_one(self, task: _Task) -> None:
        try:
            reasons = self._explain(task.version)(task.version.encode(task.vector))
            record = task.version.record
            self._log.append(
                pack(
                    Explanation(
                        request_id=task.call.request_id,
                        row=task.row,
                        endpoint=self._endpoint,
                        at=task.call.ats[task.row],
                        logged_at=self._log.moment(),
                        model=record.model,
                        version=record.version,
                        unit=reasons.unit,
                        method=reasons.method,
                        prediction=task.output,
                        base=reasons.base,
                        contributions=[self._kept(task.version.names, each) for each in reasons.contributions],
                    )
                )
            )
        except (DrivetrainError, TypeError, ValueError):
            self._meter.counters["explain_failed"][(self._endpoint,)] += 1
        else:
            self._meter.counters["explained"][self._endpoint, "sampled"] += 1

    def _kept(self, names: Sequence[str], contributions: list[float]) -> list[float]:
        if not self._withheld:
            return contributions
        pairs = zip(names, contributions, strict=True)
        return [nan if name in self._withheld else contribution for name, contribution in pairs]


def chosen(request_id: str, share: float) -> bool:
    """Whether a request is among a share of all: the same for the same id, and among any larger share too.

    Example:
        >>> [chosen("r1", 0.0), chosen("r1", 1.0)]
        [False, True]
    """
    return int(digest_bytes(_SALT + request_id.encode())[:8], 16) < share * _WHOLE
