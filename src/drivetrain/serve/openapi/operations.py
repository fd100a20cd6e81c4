"""What operators ask, and what they are told."""

from __future__ import annotations

from drivetrain.serve.openapi.operation import Content, Operation, in_json
from drivetrain.serve.openapi.schema import FLAG, TEXT, record

_READY = record({"ready": FLAG})

PING = Operation(
    summary="Whether every endpoint can answer", answer=in_json(_READY, {"ready": True}), refuses=frozenset({503})
)
VERSION = Operation(summary="Which drivetrain this is", answer={"text/plain; charset=utf-8": Content(TEXT, "0.1.0")})
METRICS = Operation(
    summary="Figures of all workers, in Prometheus' text format",
    answer={"text/plain; version=0.0.4; charset=utf-8": Content(TEXT)},
)
DOCUMENT = Operation(summary="This document", answer=in_json({"type": "object"}))


def health(*, private: bool) -> Operation:
    """Whether the server lives; private where it keeps to itself what is wrong."""
    told = {"live": FLAG, "ready": FLAG}
    if not private:
        problems = {"type": "object", "additionalProperties": TEXT}
        told |= {"catalog": TEXT, "problems": {"type": "object", "additionalProperties": problems}}
    return Operation(summary="Whether the server lives, and what troubles it", answer=in_json(record(told)))
