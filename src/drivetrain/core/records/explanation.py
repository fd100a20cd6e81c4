"""Why the endpoint answered as it did."""

from __future__ import annotations

import msgspec

from drivetrain.core.clock import Micros


class Explanation(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """The contributions behind one answered instance, as the prediction log keeps them."""

    request_id: str
    row: int
    """Position of the instance in its request."""
    endpoint: str
    at: Micros
    """The moment the prediction was made for."""
    logged_at: Micros
    """The server's clock when it was written."""
    model: str
    version: int
    unit: str
    """What base and contributions are in: ``log-odds``, ``log of the target``, ``probability`` or ``target``."""
    method: str
    """``exact`` or ``sampled``."""
    prediction: float | list[float]
    base: list[float]
    """The expected margin; one number, or one for each class."""
    contributions: list[list[float]]
    """For each number in ``base`` one contribution a field, in the order of the version's schema."""
