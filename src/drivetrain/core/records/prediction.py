"""What the endpoint answered, and what came true."""

from __future__ import annotations

from typing import Literal

import msgspec

from drivetrain.core.clock import Micros


class Prediction(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One answered instance, as the prediction log keeps it."""

    request_id: str
    row: int
    """Position of the instance in its request."""
    endpoint: str
    at: Micros
    """The moment the prediction is made for: features are as known then."""
    logged_at: Micros
    """The server's clock when it was written."""
    model: str
    version: int
    role: Literal["champion", "challenger", "shadow"]
    entity: str
    """The label's key as text (for example a flight id), which feedback may name instead of the request; or empty."""
    request: msgspec.Raw
    """The instance as it came, JSON."""
    values: list[float]
    """The model's input row, in the order of the version's schema; NaN for null."""
    ages: list[float]
    """Seconds from each view's value to ``at``, in the order of the endpoint's views; NaN where there was none."""
    prediction: float | list[float]
    latency_us: int
    experiment: str = ""
    """The experiment that chose who answers; empty where the champion answers all."""
    arm: str = ""
    """The arm it chose."""
    probability: float = 1.0
    """With which probability it chose this arm."""
    failed: int = 0
    """The version that should have answered, but failed or was too slow; 0 where none did. Where it is ``version``
    itself, the endpoint's declared default is the answer."""
    weight: float = 1.0
    """How many requests it stands for, where the log is a sample."""


class Feedback(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A label that arrived for a prediction, named by request and row, or by entity."""

    endpoint: str
    label: float
    at: Micros
    """When the label became known."""
    logged_at: Micros
    request_id: str = ""
    row: int = 0
    entity: str = ""
    names: list[str] | None = None
    """Of a model that tells classes or labels: the class, or every label that holds; ``label`` is NaN then."""
