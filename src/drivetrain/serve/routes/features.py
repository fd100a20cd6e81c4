"""``/v1/features/{view}/push``: events that the next read of a view is to see."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, Protocol

import msgspec

from drivetrain.core.settings import ServeSettings
from drivetrain.serve.admission import unreadable
from drivetrain.serve.openapi import features as described
from drivetrain.serve.refusal import TooLarge
from drivetrain.serve.request import Request
from drivetrain.serve.response import Response, ok
from drivetrain.serve.routes.route import Handler, Route


class Pushes(Protocol):
    """What pushes events into one view: a :class:`~drivetrain.features.online.push.Pusher`, or who makes one."""

    def push(self, rows: Sequence[Mapping[str, object]], /) -> int:
        """See :meth:`drivetrain.features.online.push.Pusher.push`."""
        ...


class _Push(msgspec.Struct, forbid_unknown_fields=True):
    events: list[dict[str, Any]]


_decode = msgspec.json.Decoder(_Push).decode


def routes(pushers: Mapping[str, Pushes], settings: ServeSettings) -> list[Route]:
    """A route for every view."""
    # A push may have to wait for another writer, such as a materialisation; predictions don't wait with it.
    thread = ThreadPoolExecutor(1, thread_name_prefix="drivetrain-push")
    return [
        Route(
            "POST",
            f"/v1/features/{name}/push",
            _push(pusher, settings, thread),
            "",
            "push",
            described.push(name, settings),
        )
        for name, pusher in pushers.items()
    ]


def _push(pusher: Pushes, settings: ServeSettings, thread: Executor) -> Handler:
    async def push(request: Request) -> Response:
        try:
            events = _decode(request.body).events
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise unreadable(error, '{"events": [{…}]}') from None
        if len(events) > settings.max_rows:
            raise TooLarge(
                "a push has too many events",
                field="events",
                found=len(events),
                expected=f"at most {settings.max_rows}",
                do="Split the request",
            )
        return ok({"pushed": await asyncio.get_running_loop().run_in_executor(thread, pusher.push, events)})

    return push
