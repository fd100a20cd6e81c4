"""Log entries for tests."""

from __future__ import annotations

from typing import Any

import msgspec

from drivetrain.core.records import Explanation, Feedback, Prediction
from drivetrain.serve.log.frame import embed


def prediction(request_id: str = "r", row: int = 0, **changed: Any) -> Prediction:
    fields: dict[str, Any] = {
        "endpoint": "plain",
        "at": 1_000_000,
        "logged_at": 2_000_000,
        "model": "plain",
        "version": 1,
        "role": "champion",
        "entity": "f1",
        "request": msgspec.Raw(b'{"carrier":"UA"}'),
        "values": [1.0, 2.0],
        "ages": [3.0],
        "prediction": 0.5,
        "latency_us": 7,
    }
    return Prediction(request_id=request_id, row=row, **(fields | changed))


def embedded(entry: Prediction) -> Prediction:
    """As it goes into the log."""
    return msgspec.structs.replace(entry, request=embed(entry.request))


def feedback(entity: str = "f1", label: float = 1.0, **changed: Any) -> Feedback:
    fields: dict[str, Any] = {"endpoint": "plain", "at": 1_000_000, "logged_at": 2_000_000}
    return Feedback(entity=entity, label=label, **(fields | changed))


def explanation(request_id: str = "r", row: int = 0, **changed: Any) -> Explanation:
    fields: dict[str, Any] = {
        "endpoint": "plain",
        "at": 1_000_000,
        "logged_at": 2_000_000,
        "model": "plain",
        "version": 1,
        "unit": "log-odds",
        "method": "exact",
        "prediction": 0.5,
        "base": [0.25],
        "contributions": [[1.0, -1.5]],
    }
    return Explanation(request_id=request_id, row=row, **(fields | changed))


def same(left: Prediction, right: Prediction) -> bool:
    """Equality with NaN equal to itself and JSON compared as bytes."""
    return repr(_plain(left)) == repr(_plain(right))


def _plain(entry: Prediction) -> dict[str, Any]:
    return msgspec.structs.asdict(entry) | {"request": bytes(entry.request)}
