"""Which shape errors have where: each protocol has its own."""

from __future__ import annotations

from collections.abc import Mapping

from drivetrain.serve.response import ErrorShape

_SHAPES: Mapping[str, ErrorShape] = {
    "/v2": "text",
    "/v1/models": "text",
    "/invocations": "coded",
    "/ping": "coded",
    "/health": "coded",
}


def error_shape(path: str) -> ErrorShape:
    """The shape that whoever asks at a path expects, whether or not anything is there.

    >>> error_shape("/v2/models/late/infer"), error_shape("/v1/endpoints/late/predict")
    ('text', 'object')
    """
    for prefix, shape in _SHAPES.items():
        if path == prefix or path.startswith((f"{prefix}/", f"{prefix}:")):
            return shape
    return "object"
