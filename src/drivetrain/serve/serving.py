"""The versions an endpoint answers with at one moment; replaced whole, never changed."""

from __future__ import annotations

import msgspec

from drivetrain.serve.version import LoadedVersion


class Serving(msgspec.Struct, frozen=True):
    """Who answers and who listens in. A request keeps the one it began with, so a swap drops nothing."""

    champion: LoadedVersion | None = None
    shadow: LoadedVersion | None = None
    problems: dict[str, str] = {}
    """Role → why the version the catalog names for it is not served."""
