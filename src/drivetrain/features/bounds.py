"""Where windows begin and end, many moments at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from drivetrain.core.clock import Micros
from drivetrain.features.exact import Places
from drivetrain.features.view import Feature


@dataclass(frozen=True)
class Bounds:
    """What decides which events are in a window.

    Attributes:
        window: Length in microseconds; none for the whole history.
        offset: Microseconds before the request at which it ends.
        hop: Microseconds by whose multiples it begins; none where it begins anywhere.
    """

    window: Micros | None
    offset: Micros = 0
    hop: Micros | None = None

    @classmethod
    def of(cls, feature: Feature) -> Bounds:
        """The bounds of a feature's window."""
        return cls(feature.window, feature.offset, feature.hop)

    def begin(self, moment: Places) -> Places | None:
        """Moments after which events are in the windows of requests; none for the whole history.

        Example:
            >>> import numpy as np
            >>> Bounds(window=60, offset=5, hop=20).begin(np.array([0, 64, 65, 84, 85])).tolist()
            [-80, -20, 0, 0, 20]
        """
        if self.window is None:
            return None
        begin = moment - (self.window + self.offset)
        return begin if self.hop is None else begin // self.hop * self.hop

    def leaving(self, event: Places) -> Places:
        """First moments of requests whose windows hold the events no longer; the end of time for the whole history.

        Example:
            >>> import numpy as np
            >>> Bounds(window=60, offset=5, hop=20).leaving(np.array([-80, -79, 0, 1])).tolist()
            [-15, 5, 65, 85]
        """
        if self.window is None:
            return np.full(len(event), np.iinfo(np.int64).max)
        begin = event if self.hop is None else -(-event // self.hop) * self.hop
        return begin + (self.window + self.offset)
