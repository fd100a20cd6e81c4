"""Who is told of every exchange, where anybody is: the access log, and traces."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextvars import ContextVar

from drivetrain.core import plugins
from drivetrain.core.exchange import Exchange, Witness
from drivetrain.core.settings import ServeSettings
from drivetrain.serve.access import AccessLog
from drivetrain.serve.call import Answer, Call
from drivetrain.serve.dataplane import Dataplane
from drivetrain.serve.request import RequestHeaders
from drivetrain.serve.response import Response
from drivetrain.serve.routes.route import Route
from drivetrain.serve.telemetry import Meter

TRACES_VARIABLES = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "CONNECT"})
_LONGEST_STATE = 512

_answer: ContextVar[Answer | None] = ContextVar("drivetrain_answer", default=None)


class WatchedDataplane(Dataplane):
    """A dataplane that leaves word, for whoever answers the same request, of what it answered."""

    async def predict(self, call: Call) -> Answer:
        """As :meth:`Dataplane.predict`."""
        answer = await super().predict(call)
        _answer.set(answer)
        return answer


class Witnesses:
    """Tells everybody who is to know of an exchange; what one of them raises keeps nobody from their answer.

    Args:
        settings: Who is to know.
        meter: What is counted.
    """

    def __init__(self, settings: ServeSettings, meter: Meter) -> None:
        self._secure = bool(settings.tls_certificate)
        self._all = _witnesses(settings, meter)
        self._failed = meter.counters["witness_failed"]

    def __bool__(self) -> bool:
        return bool(self._all)

    def begin(self) -> None:
        """Forgets what an earlier request of the same context was answered."""
        _answer.set(None)

    def tell(
        self,
        head: tuple[str, RequestHeaders],
        route: Route | None,
        response: Response,
        *,
        seconds: float,
        received: int,
        token: str,
    ) -> None:
        """Tells of one exchange.

        Args:
            head: The request's method and headers.
            route: What was asked, if there is such a thing.
            response: What was answered.
            seconds: How long that took.
            received: Bytes of the request's body.
            token: Public part of the caller's token.
        """
        method, headers = head
        answer = _answer.get()
        exchange = Exchange(
            began=time.time_ns() - int(seconds * 1e9),
            seconds=seconds,
            method=method if method in _METHODS else "_OTHER",
            route="unknown" if route is None else route.name,
            path="" if route is None else route.path,
            endpoint="" if route is None else route.endpoint,
            status=response.status,
            received=received,
            sent=len(response.body),
            secure=self._secure,
            token=token,
            request_id="" if answer is None else answer.request_id,
            version=0 if answer is None else answer.model_version,
            rows=0 if answer is None else len(answer.predictions),
            traceparent=headers.get("traceparent") or "",
            tracestate=(headers.get("tracestate") or "")[:_LONGEST_STATE],
        )
        for witness in self._all:
            try:
                witness.saw(exchange)
            except Exception:  # noqa: BLE001 - counted; the answer has gone out, and nobody is to blame for it
                self._failed[(type(witness).__name__,)] += 1

    def close(self) -> None:
        """Lets them write and send what they hold."""
        for witness in self._all:
            witness.close()


def _witnesses(settings: ServeSettings, meter: Meter) -> Sequence[Witness]:
    found: list[Witness] = []
    if settings.access_log:
        dropped = meter.counters["access_dropped"]

        def drop(count: int) -> None:
            dropped[()] += count

        found.append(AccessLog(settings.access_log, drop))
    if settings.traces or any(os.environ.get(name) for name in TRACES_VARIABLES):
        tracer: Witness = plugins.load("tracer", "opentelemetry")(settings.traces)
        found.append(tracer)
    return found
