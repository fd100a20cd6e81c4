"""Spans of the inference server.

Attributes and names: OpenTelemetry semantic conventions for HTTP server spans
(https://opentelemetry.io/docs/specs/semconv/http/http-spans/); the caller's trace goes on as W3C Trace Context says.
"""

from __future__ import annotations

import os
from importlib.metadata import version as installed

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.environment_variables import OTEL_SERVICE_NAME
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from drivetrain.core.errors import SettingsError
from drivetrain.core.exchange import Exchange

SERVICE = "drivetrain"
TRACES_PATH = "/v1/traces"
_FLUSH_MILLIS = 5_000

_propagator = TraceContextTextMapPropagator()


class Tracer:
    """Makes a span of every exchange, once it is over: the request itself waits for nothing.

    Sampling, resource attributes, headers and limits are those of the ``OTEL_…`` variables, as for any service.

    Args:
        address: The collector, such as ``http://localhost:4318``; empty for what ``OTEL_EXPORTER_OTLP_ENDPOINT`` says.
        processor: What takes finished spans; by default, they go to the collector in batches.

    Raises:
        SettingsError: A variable says something that can't be done.
    """

    def __init__(self, address: str = "", *, processor: SpanProcessor | None = None) -> None:
        named = OTEL_SERVICE_NAME in os.environ or "service.name=" in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
        about: dict[str, AttributeValue] = {"service.version": installed("drivetrain"), "process.pid": os.getpid()}
        if not named:
            about["service.name"] = SERVICE
        self._provider = TracerProvider(resource=Resource.create(about), shutdown_on_exit=False)
        try:
            self._provider.add_span_processor(processor or BatchSpanProcessor(OTLPSpanExporter(endpoint_of(address))))
        except ValueError as error:
            raise SettingsError(f"traces can't be sent as a variable OTEL_… asks for: {error}") from None
        self._tracer = self._provider.get_tracer("drivetrain.serve", installed("drivetrain"))

    def saw(self, exchange: Exchange) -> None:
        """Makes the span."""
        parent = None
        if exchange.traceparent:
            carrier = {"traceparent": exchange.traceparent, "tracestate": exchange.tracestate}
            parent = _propagator.extract(carrier)
        span = self._tracer.start_span(
            name_of(exchange),
            context=parent,
            kind=SpanKind.SERVER,
            attributes=attributes_of(exchange),
            start_time=exchange.began,
        )
        if exchange.status >= 500:
            span.set_status(Status(StatusCode.ERROR))
        span.end(exchange.began + int(exchange.seconds * 1e9))

    def close(self) -> None:
        """Sends what waits, for as long as a stop may take, and lets go."""
        self._provider.force_flush(_FLUSH_MILLIS)
        self._provider.shutdown()


def endpoint_of(address: str) -> str | None:
    """Where spans go: the collector's address with the path of the signal; none leaves it to the environment.

    >>> endpoint_of("http://collector:4318/"), endpoint_of("http://collector/v1/traces"), endpoint_of("")
    ('http://collector:4318/v1/traces', 'http://collector/v1/traces', None)
    """
    if not address:
        return None
    base = address.rstrip("/")
    return base if base.endswith(TRACES_PATH) else base + TRACES_PATH


def name_of(exchange: Exchange) -> str:
    """``{method} {http.route}``, of few values whatever callers send."""
    method = "HTTP" if exchange.method == "_OTHER" else exchange.method
    return f"{method} {exchange.path}" if exchange.path else method


def attributes_of(exchange: Exchange) -> dict[str, AttributeValue]:
    """The conventions' attributes, and ours beside them."""
    found: dict[str, AttributeValue] = {
        "http.request.method": exchange.method,
        "http.response.status_code": exchange.status,
        "http.request.body.size": exchange.received,
        "http.response.body.size": exchange.sent,
        "url.scheme": "https" if exchange.secure else "http",
        "drivetrain.route": exchange.route,
    }
    if exchange.path:
        found["http.route"] = found["url.path"] = exchange.path
    if exchange.endpoint:
        found["drivetrain.endpoint"] = exchange.endpoint
    if exchange.rows:
        found["drivetrain.model.version"] = exchange.version
        found["drivetrain.rows"] = exchange.rows
        found["drivetrain.request_id"] = exchange.request_id
    if exchange.status >= 500:
        found["error.type"] = str(exchange.status)
    return found
