"""Batching without a timer: what arrives while a batch runs is the next batch; an idle server answers at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from drivetrain.serve.call import Answer, Call

_ROWS = 512


class Batching:
    """Gathers calls that are ready in the same turn of the event loop.

    Args:
        score: Answers calls together; if it raises, each call is scored alone, so that one bad call fails alone.
    """

    def __init__(self, score: Callable[[Sequence[Call]], list[Answer]]) -> None:
        self._score = score
        self._waiting: list[tuple[Call, asyncio.Future[Answer]]] = []

    async def join(self, call: Call) -> Answer:
        """The call's answer; raises what scoring it alone raises."""
        loop = asyncio.get_running_loop()
        place: asyncio.Future[Answer] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._run)
        self._waiting.append((call, place))
        return await place

    def _run(self) -> None:
        waiting, self._waiting = self._waiting, []
        start = rows = 0
        for at, (call, _) in enumerate(waiting):
            if rows and rows + len(call.rows) > _ROWS:
                self._batch(waiting[start:at])
                start, rows = at, 0
            rows += len(call.rows)
        self._batch(waiting[start:])

    def _batch(self, batch: Sequence[tuple[Call, asyncio.Future[Answer]]]) -> None:
        try:
            answers = self._score([call for call, _ in batch])
        except Exception as error:  # noqa: BLE001 - handed to whoever waits for the call
            if len(batch) > 1:
                for one in batch:
                    self._batch([one])
            elif not batch[0][1].done():
                batch[0][1].set_exception(error)
            return
        for (_, place), answer in zip(batch, answers, strict=True):
            if not place.done():
                place.set_result(answer)
