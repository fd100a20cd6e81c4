"""OpenTelemetry: a server span for every request, sent over OTLP/HTTP."""

from drivetrain.adapters.opentelemetry.tracer import Tracer

tracer = Tracer

__all__ = ["Tracer", "tracer"]
