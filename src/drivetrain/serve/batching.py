"""Batching without a timer: what arrives while a batch runs is the next batch; an idle server answers at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from drivetrain.serve.call import Answer, Call

_ROWS = 512


class Batching:
    """Gathers calls: those that are ready in the same turn of the event loop, or that came while a batch ran.

    Args:
        score: Answers calls together; if it raises, each call is scored alone, so that one bad call fails alone.
        score_in_time: The same, where others may use the event loop meanwhile.
    """

    def __init__(
        self,
        score: Callable[[Sequence[Call]], list[Answer]],
        score_in_time: Callable[[Sequence[Call]], Awaitable[list[Answer]]],
    ) -> None:
        self._score = score
        self._score_in_time = score_in_time
        self._waiting: list[_Waiting] = []
        self._slow: list[_Waiting] = []
        self._working: asyncio.Task[None] | None = None

    async def join(self, call: Call) -> Answer:
        """The call's answer; raises what scoring it alone raises."""
        loop = asyncio.get_running_loop()
        place: asyncio.Future[Answer] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._run)
        self._waiting.append((call, place))
        return await place

    async def join_in_time(self, call: Call) -> Answer:
        """As :meth:`join`, for models that run beside the event loop; one batch at a time."""
        loop = asyncio.get_running_loop()
        place: asyncio.Future[Answer] = loop.create_future()
        self._slow.append((call, place))
        if self._working is None:
            self._working = loop.create_task(self._work())
        return await place

    def _run(self) -> None:
        waiting, self._waiting = self._waiting, []
        for batch in _cut(waiting):
            self._batch(batch)

    def _batch(self, batch: Sequence[_Waiting]) -> None:
        try:
            answers = self._score([call for call, _ in batch])
        except Exception as error:  # noqa: BLE001 - handed to whoever waits for the call
            if len(batch) > 1:
                for one in batch:
                    self._batch([one])
            else:
                _fail(batch[0], error)
            return
        _tell(batch, answers)

    async def _work(self) -> None:
        try:
            while self._slow:
                waiting, self._slow = self._slow, []
                for batch in _cut(waiting):
                    await self._batch_in_time(batch)
        finally:
            self._working = None

    async def _batch_in_time(self, batch: Sequence[_Waiting]) -> None:
        try:
            answers = await self._score_in_time([call for call, _ in batch])
        except Exception as error:  # noqa: BLE001 - handed to whoever waits for the call
            if len(batch) > 1:
                for one in batch:
                    await self._batch_in_time([one])
            else:
                _fail(batch[0], error)
            return
        _tell(batch, answers)


_Waiting = tuple[Call, "asyncio.Future[Answer]"]


def _cut(waiting: Sequence[_Waiting]) -> list[Sequence[_Waiting]]:
    """Batches of a bounded number of rows."""
    batches = []
    start = rows = 0
    for at, (call, _) in enumerate(waiting):
        if rows and rows + len(call.rows) > _ROWS:
            batches.append(waiting[start:at])
            start, rows = at, 0
        rows += len(call.rows)
    return [*batches, waiting[start:]]


def _tell(batch: Sequence[_Waiting], answers: Sequence[Answer]) -> None:
    for (_, place), answer in zip(batch, answers, strict=True):
        if not place.done():
            place.set_result(answer)


def _fail(waiting: _Waiting, error: Exception) -> None:
    if not waiting[1].done():
        waiting[1].set_exception(error)
