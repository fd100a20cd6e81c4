"""Shadow scoring: after the answer, in a thread of its own, bounded; it can't slow or break an answer."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

from drivetrain.core.errors import DrivetrainError
from drivetrain.core.records import Prediction
from drivetrain.serve.call import Batch, Call, Facts
from drivetrain.serve.log.frame import pack
from drivetrain.serve.log.keeping import Keeping
from drivetrain.serve.log.wal import WriteAheadLog
from drivetrain.serve.telemetry import Meter, Tally
from drivetrain.serve.version import LoadedVersion

_BATCH = 32
_WAIT = 10.0


class ShadowTask(NamedTuple):
    """A row that was answered, with everything to predict it again."""

    version: LoadedVersion
    call: Call
    row: int
    vector: Sequence[Any]
    ages: list[float]
    entity: str


class Shadow:
    """Predicts rows again with the shadow version and logs them with role ``shadow``.

    Args:
        endpoint: The endpoint's name.
        log: Where predictions go.
        meter: What is counted.
        keeping: What of a request is kept; one that is left out of the log is not predicted again.
        limit: Rows that may wait; beyond it rows are left out and counted.
    """

    def __init__(self, endpoint: str, log: WriteAheadLog, meter: Meter, *, keeping: Keeping, limit: int) -> None:
        self._endpoint = endpoint
        self._log = log
        self._meter = meter
        self._keeping = keeping
        self._limit = limit
        self._waiting: deque[ShadowTask] = deque()
        self._wake = threading.Event()
        self._closing = False
        self._thread: threading.Thread | None = None

    def offer(self, version: LoadedVersion, batch: Batch, facts: Facts) -> None:
        """Takes rows that were answered, and leaves out what would make too many wait."""
        tasks = [
            ShadowTask(version, call, row, vector, ages, entity)
            for (call, row), vector, ages, entity in zip(batch.places, *facts, strict=True)
            if self._keeping.keeps(call.request_id)
        ]
        room = max(0, self._limit - len(self._waiting))
        if len(tasks) > room:
            self._meter.counters["shadow_dropped"][(self._endpoint,)] += len(tasks) - room
        self._waiting.extend(tasks[:room])
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=f"shadow-{self._endpoint}", daemon=True)
            self._thread.start()
        self._wake.set()

    def close(self) -> None:
        """Waits, for a bounded time, until what waits is scored and logged."""
        self._closing = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(_WAIT)

    def _work(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            while self._waiting:
                version = self._waiting[0].version
                batch: list[ShadowTask] = []
                while self._waiting and len(batch) < _BATCH and self._waiting[0].version is version:
                    batch.append(self._waiting.popleft())
                self._score(version, batch)
            if self._closing:
                return

    def _score(self, version: LoadedVersion, batch: list[ShadowTask]) -> None:
        started = time.perf_counter_ns()
        try:
            inputs = [version.encode(task.vector) for task in batch]
            outputs = version.predict(inputs)
            latency = (time.perf_counter_ns() - started) // 1_000 // len(batch)
            logged = self._log.moment()
            self._log.append(
                b"".join(
                    pack(
                        Prediction(
                            request_id=task.call.request_id,
                            row=task.row,
                            endpoint=self._endpoint,
                            at=task.call.ats[task.row],
                            logged_at=logged,
                            model=version.record.model,
                            version=version.record.version,
                            role="shadow",
                            entity=task.entity,
                            request=self._keeping.request(task.call.raws[task.row]),
                            values=self._keeping.values(version.names, values),
                            ages=task.ages,
                            prediction=output,
                            latency_us=latency,
                            weight=self._keeping.weight,
                        )
                    )
                    for task, values, output in zip(batch, inputs, outputs, strict=True)
                )
            )
        except (DrivetrainError, TypeError, ValueError):
            self._meter.counters["shadow_failed"][(self._endpoint,)] += len(batch)
        else:
            Tally(self._meter, self._endpoint, "shadow", version.record).predicted(len(batch))
