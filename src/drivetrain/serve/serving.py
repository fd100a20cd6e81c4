"""The versions an endpoint answers with at one moment; replaced whole, never changed."""

from __future__ import annotations

import msgspec

from drivetrain.serve.narrow import NarrowLookup
from drivetrain.serve.routing.router import Router
from drivetrain.serve.version import LoadedVersion


class Serving(msgspec.Struct, frozen=True):
    """Who answers and who listens in. A request keeps the one it began with, so a swap drops nothing."""

    champion: LoadedVersion | None = None
    shadow: LoadedVersion | None = None
    fallback: LoadedVersion | None = None
    """Who answers where the champion fails."""
    router: Router | None = None
    """What chooses among arms; none where the champion answers all."""
    arms: dict[int, LoadedVersion] = {}
    """The versions that the policy's arms name, by number."""
    lookup: NarrowLookup | None = None
    """What looks up what these versions read; none where they read all that the endpoint declares."""
    problems: dict[str, str] = {}
    """Role → why the version the catalog names for it is not served."""

    def loaded(self) -> dict[int, LoadedVersion]:
        """Every version held, by number."""
        held = (self.champion, self.shadow, self.fallback, *self.arms.values())
        return {one.record.version: one for one in held if one is not None}
